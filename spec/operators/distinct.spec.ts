import { distinct as nativeDistinct } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { marbles } from '../../lib/testing/index.ts';
import { distinct, keyBy } from '../../operators/index.ts';
import { itEnds } from './ends.ts';

describe('distinct', () => {
  it('passes the first record of each value and drops its repeats, as the native one does', () => {
    marbles(({ job, expectElements }) => {
      const input = '   -a-b-a-c-b-|';
      const expected = '-a-b---c---|';
      expectElements(job(input, stream => stream.pipe(distinct('seen')))).toBe(expected);
      expectElements(job(input, stream => stream.pipe(nativeDistinct()))).toBe(expected);
    });
  });

  it('drops a repeat that arrives after the barrier and a crash', () => {
    marbles(({ job, expectElements, expectCommitted }) => {
      const input = '    -a-b-B-c-X-a-b-|';
      const expected = ' -a-b-B-c-c-----|';
      const committed = '-----(ab)------c';
      const run = job(input, stream => stream.pipe(distinct('seen')));
      expectElements(run).toBe(expected);
      expectCommitted(run).toBe(committed);
    });
  });

  it('compares the selected value, per key', () => {
    marbles(({ job, expectElements }) => {
      const values = { a: ['k', 1], b: ['l', 1], c: ['k', 1], d: ['k', 2] };
      const input = '   -a-b-c-d-|';
      const expected = '-a-b---d-|';
      const run = job(
        input,
        stream =>
          stream.pipe(
            keyBy(v => v[0] as string),
            distinct('seen', (v: [string, number]) => v[1]),
          ),
        { values },
      );
      expectElements(run).toBe(expected, values);
    });
  });

  it('keeps values of different types apart, null and undefined too', () => {
    marbles(({ job, expectElements }) => {
      const values = { a: 1, b: '1', c: null, d: undefined, e: 'null', f: NaN, g: true, h: 1n };
      const input = '   (abcdefgh)(abcdefgh)|';
      const run = job(input, stream => stream.pipe(distinct('seen')), { values });
      expectElements(run).toBe('(abcdefgh)----------|', values);
    });
  });

  it('passes a barrier, completion, and nothing of an empty input', () => {
    marbles(({ job, expectElements }) => {
      expectElements(job('-B-|', stream => stream.pipe(distinct('seen')))).toBe('-B-|');
    });
  });

  it('refuses to compare objects, which equal nothing but themselves', () => {
    marbles(({ job, expectElements, scheduler }) => {
      const run = job('-a-|', stream => stream.pipe(distinct('seen')), { values: { a: { id: 1 } } });
      expectElements(run).toBe('-#');
      scheduler.schedule(() => expect(run.handle?.status.error?.message).toMatch(/select a string/), 50);
    });
  });

  itEnds(stream => stream.pipe(distinct('d')));
});
