import { describe, expect, it } from 'vitest';
import { JobDefinitionError, type Op } from '../../../lib/index.ts';
import { type MarbleInput, marbles } from '../../../lib/testing/index.ts';
import {
  aggregates,
  countWindow,
  type Evictor,
  evictors,
  globalWindow,
  sessionWindow,
  slidingWindow,
  tumblingWindow,
  type WindowResult,
} from '../../../operators/index.ts';
import { inspectedStore } from '../../actor/stored-entries.ts';

const window = (start: number, end: number, value: unknown, isEarly?: true) => ({
  key: undefined,
  start,
  end,
  value,
  ...(isEarly && { isEarly }),
});
const all = aggregates.all<unknown>();
const through = (windows: Op<unknown, WindowResult<readonly unknown[]>>) => (input: MarbleInput) => input.pipe(windows);
const tens = (evict: Evictor<unknown>) => through(tumblingWindow('w', 10, all, { evict }));

describe('an evictor', () => {
  it.each<[what: string, evict: Evictor<unknown>, left: readonly unknown[]]>([
    ['count(2): the last ones', evictors.count(2), [9, 5]],
    ['count(9): all, where there are fewer', evictors.count(9), [1, 9, 5]],
    ['time(4): those near the newest one', evictors.time(4), [9, 5]],
    ['time(5): the newest one need not be the last', evictors.time(5), [1, 9, 5]],
    ['delta: those near the last one', evictors.delta(5, (a, last) => Math.abs(Number(a) - Number(last))), [1, 9, 5]],
    ['delta: but not at the threshold', evictors.delta(4, (a, last) => Math.abs(Number(a) - Number(last))), [5]],
    ['a function', elements => elements.filter(({ value }) => value !== 9), [1, 5]],
    ['a function that leaves nothing', () => [], []],
  ])('says which records count: %s', (_what, evict, left) => {
    marbles(({ job, record, expectElements }) => {
      const values = { a: record(1, 2), b: record(9, 6), c: record(5, 4) };
      expectElements(job('-a-b-c-|', tens(evict), { values })).toBe('-------(s|)', { s: window(0, 10, left) });
    });
  });

  it('is told the window, and the times of its records', () => {
    const told: unknown[] = [];
    marbles(({ job, record, expectElements }) => {
      const tell: Evictor<unknown> = (elements, of) => {
        told.push(of, ...elements);
        return elements;
      };
      expectElements(job('-a-|', tens(tell), { values: { a: record('a', 3) } })).toBe('---(s|)', {
        s: window(0, 10, ['a']),
      });
    });
    expect(told).toEqual([
      { key: undefined, start: 0, end: 10 },
      { value: 'a', timestamp: 3 },
    ]);
  });

  it('says it for each window, where they share records, and keeps the records for the others', () => {
    marbles(({ job, record, expectElements }) => {
      const values = { a: record('a', 1), b: record('b', 6), c: record('c', 7) };
      const sliding = slidingWindow('w', 10, 5, all, { evict: evictors.count(2) });
      expectElements(job('-a-b-c-|', through(sliding), { values })).toBe('-------(rst|)', {
        r: window(-5, 5, ['a']),
        s: window(0, 10, ['b', 'c']),
        t: window(5, 15, ['b', 'c']),
      });
    });
    marbles(({ job, expectElements }) => {
      const counted = countWindow('w', 4, all, { slide: 2, evict: elements => elements.filter((_, i) => i > 0) });
      expectElements(job('-(abcd)-|', through(counted))).toBe('-(st)---|', {
        s: window(0, 2, ['b']),
        t: window(0, 4, ['b', 'c', 'd']),
      });
    });
  });

  it('says it for each result of a session, after a crash too', () => {
    marbles(({ job, record, expectCommitted }) => {
      const values = { a: record('a', 3), b: record('b', 6), c: record('c', 9) };
      const sessions = sessionWindow('w', 5, all, { evict: evictors.time(6), early: { records: 2 } });
      expectCommitted(job('-a-B-b-X-c-|', through(sessions), { values })).toBe('-----------(st)', {
        s: window(3, 11, ['a', 'b'], true),
        t: window(3, 14, ['b', 'c']),
      });
    });
  });

  it('drops what does not count of a global window, which has no end', () => {
    const { store, counts } = inspectedStore();
    marbles(({ job, expectElements, scheduler }) => {
      const last = globalWindow('w', all, { records: 1, evict: evictors.count(2) });
      expectElements(job('-a-b-c-dB-X-e-|', through(last), { store })).toBe('-p-q-r-sB---t-|', {
        p: window(0, 1, ['a']),
        q: window(0, 2, ['a', 'b']),
        r: window(0, 3, ['b', 'c']),
        s: window(0, 4, ['c', 'd']),
        t: window(0, 5, ['d', 'e']),
      });
      scheduler.schedule(() => expect(counts('w').held.entry).toBe(2), 9);
    });
    expect.assertions(1);
  });

  it.each<[what: string, evict: Evictor<unknown>, message: RegExp]>([
    ['answers values', elements => elements.map(({ value }) => value) as never, /"evict" of a window answered/],
    ['answers nothing', () => undefined as never, /"evict" of a window answered/],
    ['needs a time that a record has not', evictors.time(5), /evictors.time\(\) needs the time/],
    [
      'throws',
      () => {
        throw new Error('no idea');
      },
      /no idea/,
    ],
  ])('fails the job where it %s', (_what, evict, message) => {
    marbles(({ job, expectElements, scheduler }) => {
      const run = job('-a-b-|', through(countWindow('w', 2, all, { evict })));
      expectElements(run).toBe('---#');
      scheduler.schedule(() => expect(run.handle?.status.error?.message).toMatch(message), 50);
    });
    expect.assertions(1);
  });
});

describe('what is no evictor is refused', () => {
  it.each<[what: string, declare: () => unknown, message: RegExp]>([
    ['count of none', () => evictors.count(0), /evictors.count\(0\)/],
    ['count of a half', () => evictors.count(1.5), /evictors.count\(1.5\)/],
    ['time of no duration', () => evictors.time('soon' as never), /evictors.time\(\): span is "soon"/],
    [
      'delta without a function',
      () => evictors.delta(1, undefined as never),
      /evictors.delta\(threshold, difference\)/,
    ],
    ['delta without a number', () => evictors.delta('1' as never, () => 0), /evictors.delta\(threshold, difference\)/],
    [
      'one that was not called',
      () => sessionWindow('w', 5, all, { evict: 3 as never }),
      /sessionWindow\("w"\): evict is no function/,
    ],
  ])('%s', (_what, declare, message) => {
    expect(declare).toThrow(JobDefinitionError);
    expect(declare).toThrow(message);
  });

  const counts = aggregates.count();
  const evict = evictors.count(1);
  it.each<[name: string, declare: () => unknown]>([
    ['tumblingWindow', () => tumblingWindow('w', 5, counts, { evict })],
    ['slidingWindow', () => slidingWindow('w', 5, 1, counts, { evict })],
    ['sessionWindow', () => sessionWindow('w', 5, counts, { evict })],
    ['countWindow', () => countWindow('w', 5, counts, { evict })],
    ['globalWindow', () => globalWindow('w', counts, { records: 1, evict })],
  ])('%s with an aggregate that keeps no records', (name, declare) => {
    expect(declare).toThrow(JobDefinitionError);
    expect(declare).toThrow(`${name}("w"): evict needs the records of a window`);
  });
});
