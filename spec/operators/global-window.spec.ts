import { describe, expect, it } from 'vitest';
import { JobDefinitionError } from '../../lib/index.ts';
import { type MarbleInput, marbles } from '../../lib/testing/index.ts';
import { aggregates, type GlobalTrigger, globalWindow, keyBy } from '../../operators/index.ts';
import { inspectedStore } from '../actor/stored-entries.ts';
import { itEnds } from './ends.ts';

const window = (end: number, value: unknown, key?: unknown) => ({ key, start: 0, end, value });
const all = (trigger: GlobalTrigger<unknown>) => (input: MarbleInput) =>
  input.pipe(globalWindow('w', aggregates.all(), trigger));

describe('globalWindow', () => {
  it('gives its result after so many records, and at the end of the input what came since', () => {
    marbles(({ job, expectElements }) => {
      expectElements(job('-a-b-c-|', all({ records: 2 }))).toBe('---s---(t|)', {
        s: window(2, ['a', 'b']),
        t: window(3, ['a', 'b', 'c']),
      });
    });
  });

  it('begins anew with purge, also behind a crash', () => {
    marbles(({ job, expectElements, expectCommitted }) => {
      const run = job('-a-B-b-X-c-|', all({ records: 2, purge: true }));
      const values = { s: window(2, ['a', 'b']), t: window(1, ['c']) };
      expectElements(run).toBe('---B-s-s---(t|)', values);
      expectCommitted(run).toBe('-----------(st)', values);
    });
  });

  it('gives its result when the function says so, and by the clock', () => {
    marbles(({ job, expectElements }) => {
      expectElements(job('-a-x-b-|', all({ when: value => value === 'x' }))).toBe('---s---(t|)', {
        s: window(2, ['a', 'x']),
        t: window(3, ['a', 'x', 'b']),
      });
    });
    marbles(({ job, expectElements }) => {
      expectElements(job('-a-b-----------c-----|', all({ every: 5 }))).toBe('------s-------------t|', {
        s: window(2, ['a', 'b']),
        t: window(3, ['a', 'b', 'c']),
      });
    });
  });

  it('gives each result the time of its last record, also by the clock and at the end of the input', () => {
    marbles(({ job, record, expectElements }) => {
      const values = { a: record('a', 100), b: record('b', 200) };
      const run = job('-a------b-|', all({ every: 3 }), { values });
      expectElements(run).toBe('----s-----(t|)', {
        s: record(window(1, ['a']), 100),
        t: record(window(2, ['a', 'b']), 200),
      });
    });
  });

  it('has a window for each key', () => {
    marbles(({ job, expectElements }) => {
      const run = job('-a-b-a-|', input =>
        input.pipe(
          keyBy(v => v as string),
          globalWindow('w', aggregates.count(), { records: 2 }),
        ),
      );
      expectElements(run).toBe('-----s-(t|)', { s: window(2, 2, 'a'), t: window(1, 1, 'b') });
    });
  });

  it('gives nothing of an empty input, and passes barriers and errors', () => {
    marbles(({ job, expectElements }) => {
      expectElements(job('-B-|', all({ records: 2 }))).toBe('-B-|');
    });
    marbles(({ job, expectElements }) => {
      expectElements(job('-a-#', all({ records: 2 }))).toBe('---#');
    });
  });

  it('keeps nothing of a key whose window begins anew', () => {
    const { store, counts } = inspectedStore();
    let held: unknown;
    marbles(({ job, scheduler }) => {
      const byLetter = keyBy((value: string) => value);
      job(
        '-a-b-a-b-cB-|',
        input => input.pipe(byLetter, globalWindow('w', aggregates.count(), { records: 2, purge: true })),
        { store },
      );
      scheduler.schedule(() => {
        held = counts('w').held;
      }, 11);
    });
    expect(held).toMatchObject({ state: 1 });
  });

  it('stores each record once, by itself, where all count', () => {
    const { store, counts } = inspectedStore();
    marbles(({ job, scheduler }) => {
      job('-(abcde)B--fB---', all({ records: 2 }), { store });
      scheduler.schedule(() => expect(counts('w').held.entry).toBe(5), 10);
      scheduler.schedule(() => expect(counts('w').written.entry).toBe(1), 15);
    });
    expect.assertions(2);
  });

  it.each([
    [{}, /never gives a result/],
    [{ records: 0 }, /records is 0/],
    [{ every: 'often' }, /every is "often"/],
  ])('refuses the trigger %j', (trigger, message) => {
    expect(() => globalWindow('w', aggregates.count(), trigger as never)).toThrow(JobDefinitionError);
    expect(() => globalWindow('w', aggregates.count(), trigger as never)).toThrow(message);
  });

  itEnds(all({ every: 5 }));
});
