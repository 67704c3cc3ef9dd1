import { tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { type MarbleInput, marbles } from '../../lib/testing/index.ts';
import { keyBy, pairwise } from '../../operators/index.ts';
import { itEnds } from './ends.ts';

const pairs = (input: MarbleInput) => input.pipe(pairwise('p'));

// What it has in common with the native one is in namesakes.spec.ts.
describe('pairwise', () => {
  it('remembers the last record over a barrier and a crash, and commits each pair once', () => {
    marbles(({ job, expectElements, expectCommitted }) => {
      const input = '    -a-b-B-c-X-d-|';
      const expected = ' ---p-B-q-q-r-|';
      const committed = '-----p-------(qr)';
      const results = { p: ['a', 'b'], q: ['b', 'c'], r: ['c', 'd'] };
      const run = job(input, pairs);
      expectElements(run).toBe(expected, results);
      expectCommitted(run).toBe(committed, results);
    });
  });

  it('remembers an undefined record, too', () => {
    marbles(({ job, expectElements }) => {
      const input = '   -u-B-X-a-|';
      const expected = '---B---p-|';
      expectElements(job(input, pairs, { values: { u: undefined } })).toBe(expected, { p: [undefined, 'a'] });
    });
  });

  it('pairs the records of a key, with the time and key of the second', () => {
    marbles(({ job, expectElements, record }) => {
      const values = { a: record(['k', 1], 1), b: record(['l', 2], 2), c: record(['k', 3], 3), d: record(['l', 4], 4) };
      const input = '   -a-b-c-d-|';
      const expected = '-----p-q-|';
      const run = job(
        input,
        input =>
          input.pipe(
            keyBy(v => v[0] as string),
            pairwise('p'),
          ),
        { values },
      );
      expectElements(run).toBe(expected, {
        p: record([values.a.value, values.c.value], 3, 'k'),
        q: record([values.b.value, values.d.value], 4, 'l'),
      });
    });
  });

  it('passes barriers and watermarks, also before the first record', () => {
    marbles(({ job, expectElements, watermark }) => {
      const values = { W: watermark(5) };
      expectElements(job('-B-W-a-|', pairs, { values })).toBe('-B-W---|', values);
    });
  });

  it('notices a record that is changed after it was emitted, as it is state', () => {
    marbles(({ job, expectElements }) => {
      const values = { a: { n: 1 }, b: { n: 2 } };
      const run = job(
        '-a-b-|',
        input =>
          input.pipe(
            pairwise('p'),
            tap(([_, second]) => {
              second.n++;
            }),
          ),
        { values },
      );
      expectElements(run).toBe('---#', {}, /read only property 'n'/);
    });
  });

  it('fails the checkpoint when a record cannot be stored', () => {
    marbles(({ job, expectElements }) => {
      const run = job('-a-B-b-|', pairs, { values: { a: new URL('https://a.example') } });
      expectElements(run).toBe('---(B#)', {}, /actor "p" for key undefined cannot be stored in its map "last"/);
    });
  });

  it('asks for its name', () => {
    expect(() => pairwise('')).toThrow(/takes its name first/);
  });

  itEnds(pairs);
});
