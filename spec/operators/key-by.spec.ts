import { map } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { marbles } from '../../lib/testing/index.ts';
import { keyBy, scan } from '../../operators/index.ts';
import { itEnds } from './ends.ts';

const count = (n: number): number => n + 1;

describe('keyBy', () => {
  it('gives each record the key that is selected from its value', () => {
    marbles(({ job, expectElements, record }) => {
      const values = { a: 10, b: 21, c: 12 };
      const keyed = { a: record(10, NaN, 0), b: record(21, NaN, 1), c: record(12, NaN, 2) };
      const input = '   -a-b-c-|';
      const expected = '-a-b-c-|';
      expectElements(job(input, stream => stream.pipe(keyBy((v: number) => v % 10)), { values })).toBe(expected, keyed);
    });
  });

  it('replaces an earlier key, and leaves the branch beside it as it was', () => {
    marbles(({ job, expectElements, record }) => {
      const values = { a: { shop: 's', day: 1 } };
      const run = job(
        '-a-|',
        stream => {
          const byShop = stream.pipe(keyBy(v => v.shop as string));
          return {
            day: byShop.pipe(
              keyBy(v => v.day as number),
              map(v => v.day),
            ),
            shop: byShop.pipe(map(v => v.shop)),
          };
        },
        { values },
      );
      expectElements(run, 'day').toBe('-a-|', { a: record(1, NaN, 1) });
      expectElements(run, 'shop').toBe('-a-|', { a: record('s', NaN, 's') });
    });
  });

  it('keeps 1 and "1", NaN, -0, the empty string, tuples and __proto__ apart as a Map does', () => {
    const keys = [1, '1', 1n, true, 'true', NaN, 'NaN', 0, '', '__proto__', [1, '1'], ['1', 1], [1, 1], 'constructor'];
    marbles(({ job, expectElements }) => {
      const letters = 'abcdefghijklmn'.split('');
      const values = Object.fromEntries(letters.map((letter, i) => [letter, { key: keys[i] }]));
      const input = `  (${letters.join('')})B(${letters.join('')})|`;
      const output = `(${'1'.repeat(14)})B(${'2'.repeat(14)})|`;
      const run = job(
        input,
        stream =>
          stream.pipe(
            keyBy(v => v.key as string),
            scan('count', count, 0),
          ),
        { values },
      );
      expectElements(run).toBe(output, { 1: 1, 2: 2 });
    });
  });

  it('takes -0 for 0, as a Map does', () => {
    marbles(({ job, expectElements }) => {
      const run = job(
        '-a-b-|',
        stream =>
          stream.pipe(
            keyBy(v => v as number),
            scan('count', count, 0),
          ),
        {
          values: { a: 0, b: -0 },
        },
      );
      expectElements(run).toBe('-1-2-|', { 1: 1, 2: 2 });
    });
  });

  it('passes barriers, completion and nothing else of an empty input', () => {
    marbles(({ job, expectElements }) => {
      const input = '   --B-|';
      const expected = '--B-|';
      expectElements(job(input, stream => stream.pipe(keyBy(v => v as string)))).toBe(expected);
    });
  });

  it('fails the job when the selector throws', () => {
    marbles(({ job, expectElements, scheduler }) => {
      const run = job('-a-b-|', stream => stream.pipe(keyBy((v: { id: { name: string } }) => v.id.name)), {
        values: { a: {}, b: {} },
      });
      expectElements(run).toBe('-#');
      scheduler.schedule(() => expect(run.handle?.status.error?.message).toMatch(/keyBy.*threw.*undefined/), 50);
    });
  });

  it('refuses what is no key, and shows it', () => {
    marbles(({ job, expectElements, scheduler }) => {
      const run = job(
        '-a-|',
        stream =>
          stream.pipe(
            keyBy(v => v as never),
            scan('count', count, 0),
          ),
        {
          values: { a: { id: 7 } },
        },
      );
      expectElements(run).toBe('-#');
      scheduler.schedule(() => expect(run.handle?.status.error?.message).toMatch(/\{ id: 7 \}.*cannot be a key/), 50);
    });
  });

  it('gives a record its key again that is read again behind a crash', () => {
    marbles(({ job, expectElements, record }) => {
      const values = { a: record('a', 1), b: record('bb', 2) };
      const run = job('-a-B-b-X-|', stream => stream.pipe(keyBy(value => (value as string).length)), { values });
      expectElements(run).toBe('-a-B-b-b-|', { a: record('a', 1, 1), b: record('bb', 2, 2) });
    });
  });

  itEnds(stream => stream.pipe(keyBy(value => value as string)));
});
