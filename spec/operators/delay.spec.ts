import { describe, expect, it } from 'vitest';
import { marbles } from '../../lib/testing/index.ts';
import { delay, keyBy } from '../../operators/index.ts';
import { itEnds } from './ends.ts';

const byLetter = keyBy((value: string) => value.slice(0, 1));

// What it has in common with the native operator is in timed-namesakes.spec.ts.
describe('delay', () => {
  it('emits each record later, across a barrier, and the rest at the end', () => {
    marbles(({ job, expectElements }) => {
      const input = '   -a-b-B-----c-|';
      const expected = '-----Ba-b----(c|)';
      expectElements(job(input, stream => stream.pipe(delay('later', 5)))).toBe(expected);
    });
  });

  it('remembers what waits through a crash, and emits it when it is due', () => {
    marbles(({ job, expectElements, expectCommitted }) => {
      const input = '    -ab-B-cX-------|';
      const expected = ' ----B----ab----(c|)';
      const committed = '---------------(abc)';
      const run = job(input, stream => stream.pipe(delay('later', 8)));
      // c is read again at the restart.
      expectElements(run).toBe(expected);
      expectCommitted(run).toBe(committed);
    });
  });

  it('has a queue for each key, and keeps time and key of a record', () => {
    marbles(({ job, record, expectElements }) => {
      const values = { a: record('a1', 10), b: record('b1', 20), c: record('a2', 30) };
      const input = '   -abc-----|';
      const expected = '-----abc-|';
      const run = job(input, stream => stream.pipe(byLetter, delay('later', 4)), { values });
      expectElements(run).toBe(expected, {
        a: record('a1', 10, 'a'),
        b: record('b1', 20, 'b'),
        c: record('a2', 30, 'a'),
      });
    });
  });

  it('counts by the times of records, and emits with the time at which they were due', () => {
    marbles(({ job, record, watermark, expectElements }) => {
      const values = { a: record('a', 10), b: record('b', 8), c: record('c', 11), V: watermark(14), W: watermark(15) };
      const input = '   -a-b-c-V-W------|';
      const expected = '-------V-(abW)--(c|)';
      const run = job(input, stream => stream.pipe(delay('later', 5, { time: 'event' })), { values });
      expectElements(run).toBe(expected, {
        a: record('a', 15),
        b: record('b', 15),
        c: record('c', 16),
        V: values.V,
        W: values.W,
      });
    });
  });

  it('passes records at once whose times are behind its date', () => {
    marbles(({ job, record, expectElements }) => {
      const values = { a: record('a', 10), b: record('b', 8), c: record('c', 12) };
      const input = '   -a-b-c----|';
      const expected = '-a---(bc)-|';
      const late = delay<string>('later', new Date(10), { time: 'event' });
      expectElements(job(input, stream => stream.pipe(late), { values })).toBe(expected, {
        a: record('a', 10),
        b: record('b', 10),
        c: record('c', 12),
      });
    });
  });

  it('refuses what is neither a duration nor a date, by name', () => {
    expect(() => delay('later', -5)).toThrow(/delay\("later"\): due is -5/);
    expect(() => delay('later', new Date('no date'))).toThrow(/delay\("later"\): due is an invalid date/);
  });

  itEnds(stream => stream.pipe(delay('d', 5)));
});
