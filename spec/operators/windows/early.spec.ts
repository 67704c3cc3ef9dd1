import { describe, expect, it } from 'vitest';
import { JobDefinitionError } from '../../../lib/index.ts';
import { type MarbleInput, marbles } from '../../../lib/testing/index.ts';
import {
  aggregates,
  type EarlyOptions,
  sessionWindow,
  slidingWindow,
  tumblingWindow,
} from '../../../operators/index.ts';

const window = (start: number, end: number, value: unknown, isEarly?: true) => ({
  key: undefined,
  start,
  end,
  value,
  ...(isEarly && { isEarly }),
});
const count = aggregates.count();
const tumbling = (early: EarlyOptions) => (input: MarbleInput) => input.pipe(tumblingWindow('w', 10, count, { early }));
const sessions = (early: EarlyOptions) => (input: MarbleInput) => input.pipe(sessionWindow('w', 5, count, { early }));

describe('early results', () => {
  it('come after so many records, beside the one at the end', () => {
    marbles(({ job, record, expectElements }) => {
      const values = { a: record('a', 3), b: record('b', 4), c: record('c', 5) };
      const run = job('-a-b-c-|', tumbling({ records: 2 }), { values });
      expectElements(run).toBe('---s---(t|)', { s: record(window(0, 10, 2, true), 9), t: window(0, 10, 3) });
    });
    marbles(({ job, record, expectElements }) => {
      const values = { a: record('a', 3), b: record('b', 4), c: record('c', 5) };
      const run = job('-a-b-c-|', sessions({ records: 2 }), { values });
      expectElements(run).toBe('---s---(t|)', { s: record(window(3, 9, 2, true), 9), t: window(3, 10, 3) });
    });
  });

  it.each([
    ['tumbling windows', tumbling, window(0, 10, 2, true), window(0, 10, 3)],
    ['sessions', sessions, window(3, 9, 2, true), window(3, 10, 3)],
  ])('come by the clock while there is something new, of %s', (_what, build, early, end) => {
    marbles(({ job, record, expectElements }) => {
      const values = { a: record('a', 3), b: record('b', 4), c: record('c', 5) };
      const run = job('-a-b----------------c-|', build({ every: 5 }), { values });
      expectElements(run).toBe('------s---------------(t|)', { s: early, t: end });
    });
  });

  it('come by the clock of windows by the clock, and say nothing of those that are over', () => {
    marbles(({ job, expectElements }) => {
      const run = job('-a-b-------c-|', input =>
        input.pipe(tumblingWindow('w', 10, count, { time: 'processing', early: { every: 4 } })),
      );
      expectElements(run).toBe('-----s----t--(u|)', {
        s: window(0, 10, 2, true),
        t: window(0, 10, 2),
        u: window(10, 20, 1),
      });
    });
    marbles(({ job, expectElements }) => {
      const run = job('-a-b-------c-|', input =>
        input.pipe(sessionWindow('w', 5, count, { time: 'processing', early: { every: 4 } })),
      );
      expectElements(run).toBe('-----s--t----(u|)', {
        s: window(1, 8, 2, true),
        t: window(1, 8, 2),
        u: window(11, 16, 1),
      });
    });
  });

  it('come of each window that a record is in', () => {
    marbles(({ job, record, expectElements }) => {
      const values = { a: record('a', 7) };
      const run = job('-a----|', input => input.pipe(slidingWindow('w', 10, 5, count, { early: { records: 1 } })), {
        values,
      });
      expectElements(run).toBe('-(st)-(uv|)', {
        s: window(0, 10, 1, true),
        t: window(5, 15, 1, true),
        u: window(0, 10, 1),
        v: window(5, 15, 1),
      });
    });
  });

  it('go on behind a crash as they were counted at the barrier', () => {
    marbles(({ job, record, expectCommitted }) => {
      const values = { a: record('a', 3), b: record('b', 4), c: record('c', 5), d: record('d', 6) };
      const run = job('-a-B-b-X-c-d-|', tumbling({ records: 2 }), { values });
      expectCommitted(run).toBe('-------------(stu)', {
        s: window(0, 10, 2, true),
        t: window(0, 10, 4, true),
        u: window(0, 10, 4),
      });
    });
  });

  it.each([
    [{}, /"early" needs "every"/],
    [{ records: 0 }, /early.records is 0/],
    [{ every: 'often' }, /early.every is "often"/],
  ])('refuses %j', (early, message) => {
    expect(() => tumblingWindow('w', 10, count, { early: early as never })).toThrow(JobDefinitionError);
    expect(() => tumblingWindow('w', 10, count, { early: early as never })).toThrow(message);
  });
});
