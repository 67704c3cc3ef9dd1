import { describe, expect, it } from 'vitest';
import { type MarbleInput, marbles } from '../../lib/testing/index.ts';
import { distinctUntilChanged, keyBy } from '../../operators/index.ts';
import { itEnds } from './ends.ts';

const changes = (input: MarbleInput) => input.pipe(distinctUntilChanged('c'));

// What it has in common with the native one is in namesakes.spec.ts.
describe('distinctUntilChanged', () => {
  it('remembers the last record over a barrier and a crash, and commits each one once', () => {
    marbles(({ job, expectElements, expectCommitted }) => {
      const input = '    -a-b-B-b-c-X-c-b-|';
      const expected = ' -a-b-B---c-c---b-|';
      const committed = '-----(ab)--------(cb)';
      const run = job(input, changes);
      expectElements(run).toBe(expected);
      expectCommitted(run).toBe(committed);
    });
  });

  it.each([undefined, null, Number.NaN, 0n, ''])('remembers %s over a crash', value => {
    marbles(({ job, expectElements }) => {
      const values = { a: value, b: 'b' };
      const input = '   -a-B-X-a-b-|';
      const expected = Number.isNaN(value) ? '-a-B---a-b-|' : '-a-B-----b-|';
      expectElements(job(input, changes, { values })).toBe(expected, values);
    });
  });

  it('remembers an object for its comparator over a crash', () => {
    marbles(({ job, expectElements }) => {
      const at = (day: number) => ({ at: new Date(Date.UTC(2024, 0, day)), id: day });
      const values = { a: at(1), b: at(1), c: at(2) };
      const input = '   -a-B-X-b-c-|';
      const expected = '-a-B-----c-|';
      const run = job(
        input,
        input =>
          input.pipe(
            distinctUntilChanged('c', (p: { at: Date }, q: { at: Date }) => p.at.getTime() === q.at.getTime()),
          ),
        { values },
      );
      expectElements(run).toBe(expected, values);
    });
  });

  it('remembers what was selected, not the record', () => {
    const asked: [number, number][] = [];
    marbles(({ job, expectElements }) => {
      const values = { a: 'a', b: 'b', c: 'ccc' };
      const input = '   -a-B-X-b-c-|';
      const expected = '-a-B-----c-|';
      const run = job(
        input,
        input =>
          input.pipe(
            distinctUntilChanged(
              'c',
              (previous: number, current: number) => {
                asked.push([previous, current]);
                return previous === current;
              },
              (value: string) => value.length,
            ),
          ),
        { values },
      );
      expectElements(run).toBe(expected, values);
    });
    expect(asked).toEqual([
      [1, 1],
      [1, 3],
    ]);
  });

  it('compares the records of a key', () => {
    marbles(({ job, expectElements, record }) => {
      const values = { a: ['k', 1], b: ['l', 1], c: ['k', 1], d: ['l', 2], e: ['k', 2] };
      const input = '   -a-b-c-d-e-|';
      const expected = '-a-b---d-e-|';
      const run = job(
        input,
        input =>
          input.pipe(
            keyBy(v => v[0] as string),
            distinctUntilChanged(
              'c',
              (p: number, q: number) => p === q,
              (v: [string, number]) => v[1],
            ),
          ),
        { values },
      );
      expectElements(run).toBe(expected, {
        a: record(values.a, NaN, 'k'),
        b: record(values.b, NaN, 'l'),
        d: record(values.d, NaN, 'l'),
        e: record(values.e, NaN, 'k'),
      });
    });
  });

  it('refuses to compare objects by ===, which equal nothing but themselves', () => {
    marbles(({ job, expectElements }) => {
      const values = { a: { id: 1 } };
      const run = job('-a-|', changes, { values });
      expectElements(run).toBe('-#', {}, /distinctUntilChanged\("c"\) was to compare an object by ===.* comparator/);
      const selecting = job(
        '-a-|',
        input => input.pipe(distinctUntilChanged('c', null as never, (value: unknown) => value)),
        { values },
      );
      expectElements(selecting).toBe('-#', {}, /compare an object by ===/);
    });
  });

  it('fails when the selector throws', () => {
    marbles(({ job, expectElements }) => {
      const run = job('-a-|', input =>
        input.pipe(
          distinctUntilChanged('c', Object.is, () => {
            throw new Error('no c');
          }),
        ),
      );
      expectElements(run).toBe('-#', {}, /"c" threw in receive: no c/);
    });
  });

  it('passes barriers and watermarks', () => {
    marbles(({ job, expectElements, watermark }) => {
      const values = { W: watermark(5) };
      expectElements(job('-B-a-W-|', changes, { values })).toBe('-B-a-W-|', values);
    });
  });

  itEnds(changes);
});
