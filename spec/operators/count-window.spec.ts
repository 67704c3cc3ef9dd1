import fc from 'fast-check';
import { map } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { crash, takeCheckpoint } from '../../connectors/memory/index.ts';
import { JobDefinitionError } from '../../lib/index.ts';
import { type MarbleInput, marbles } from '../../lib/testing/index.ts';
import { aggregates, countWindow, keyBy, tumblingWindow } from '../../operators/index.ts';
import { inspectedStore } from '../actor/stored-entries.ts';
import { itEnds } from './ends.ts';
import { onMemory } from './windows/on-memory.ts';

const window = (start: number, end: number, value: unknown, key?: unknown) => ({ key, start, end, value });
const pairs = (input: MarbleInput) => input.pipe(countWindow('w', 2, aggregates.all()));

describe('countWindow', () => {
  it('gives the result of each number of records, and of what is left at the end', () => {
    marbles(({ job, expectElements }) => {
      expectElements(job('-a-b-c-d-e-|', pairs)).toBe('---s---t---(u|)', {
        s: window(0, 2, ['a', 'b']),
        t: window(2, 4, ['c', 'd']),
        u: window(4, 5, ['e']),
      });
    });
  });

  it('goes on behind a crash with the records before the barrier, and shows each result once', () => {
    marbles(({ job, expectElements, expectCommitted }) => {
      const run = job('-a-B-b-X-c-d-|', pairs);
      const values = { s: window(0, 2, ['a', 'b']), t: window(2, 4, ['c', 'd']) };
      expectElements(run).toBe('---B-s-s---t-|', values);
      expectCommitted(run).toBe('-------------(st)', values);
    });
  });

  it('gives each result the time of its last record, also the one at the end of the input', () => {
    marbles(({ job, record, expectElements }) => {
      const values = { a: record('a', 3), b: record('b', 4), c: record('c', 15) };
      const run = job('-a-b-c-|', input => pairs(input).pipe(tumblingWindow('tens', 10, aggregates.count())), {
        values,
      });
      expectElements(run).toBe('-------(st|)', { s: window(0, 10, 1), t: window(10, 20, 1) });
    });
  });

  it('counts per key', () => {
    marbles(({ job, expectElements }) => {
      const run = job('-a-b-b-a-|', input =>
        input.pipe(
          keyBy(v => v as string),
          countWindow('w', 2, aggregates.count()),
        ),
      );
      expectElements(run).toBe('-----s-t-|', { s: window(0, 2, 2, 'b'), t: window(0, 2, 2, 'a') });
    });
  });

  it('gives the last records again and again where windows overlap', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('record', 'record', 'record', 'checkpoint', 'crash'), { maxLength: 40, size: 'max' }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 6 }),
        fc.boolean(),
        async (steps, slide, more, isWhole) => {
          const size = slide + more - 1;
          let n = 0;
          const items = steps.map(step => (step === 'record' ? n++ : step === 'crash' ? crash : takeCheckpoint));
          const seen = await onMemory<number, string>(items, stream =>
            stream.pipe(
              countWindow('w', size, { ...aggregates.all<number>(), isWhole }, { slide }),
              map(({ start, end, value }) => `${start}-${end}: ${value}`),
            ),
          );
          const all = Array.from({ length: n }, (_, i) => i);
          const ends = all.map(i => i + 1).filter(end => end % slide === 0 || end === n);
          // The last one is cut short by the end of the input.
          const startOf = (end: number) => Math.max(0, Math.ceil(end / slide) * slide - size);
          expect(seen).toEqual(ends.map(end => `${startOf(end)}-${end}: ${all.slice(startOf(end), end)}`));
        },
      ),
    );
  });

  it('stores each record once, by itself, where all count, and none longer than a window needs it', () => {
    const { store, counts } = inspectedStore();
    marbles(({ job, scheduler }) => {
      job('-(abcdefg)B--hB---', input => input.pipe(countWindow('w', 4, aggregates.all(), { slide: 2 })), { store });
      // The panes [4, 6) and [6, 8), and what is in them.
      scheduler.schedule(() => expect(counts('w').held.entry).toBe(2 + 3), 12);
      // [4, 6) is gone with its two records, [6, 8) has one more.
      scheduler.schedule(() => expect(counts('w').written.entry).toBe(3 + 2), 17);
    });
    expect.assertions(2);
  });

  it('gives nothing of an empty input, and passes barriers and errors', () => {
    marbles(({ job, expectElements }) => {
      expectElements(job('-B-|', pairs)).toBe('-B-|');
    });
    marbles(({ job, expectElements }) => {
      expectElements(job('-a-#', pairs)).toBe('---#');
    });
  });

  it.each([
    [0, {}, /size is 0/],
    [1.5, {}, /size is 1.5/],
    [2, { slide: 3 }, /let slide be size at most/],
    [2, { slide: 0 }, /slide is 0/],
  ])('refuses a size of %s with %j', (size, options, message) => {
    expect(() => countWindow('w', size, aggregates.count(), options)).toThrow(JobDefinitionError);
    expect(() => countWindow('w', size, aggregates.count(), options)).toThrow(message);
  });

  itEnds(pairs);
});
