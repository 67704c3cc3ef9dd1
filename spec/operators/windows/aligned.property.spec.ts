import fc from 'fast-check';
import { map } from 'rxjs';
import { expect, test } from 'vitest';
import { crash, type MemoryItem, takeCheckpoint } from '../../../connectors/memory/index.ts';
import { StreamRecord, side as sideTag, Watermark } from '../../../lib/index.ts';
import { aggregates, keyBy, slidingWindow, tumblingWindow, union } from '../../../operators/index.ts';
import { onMemory } from './on-memory.ts';

interface Event {
  readonly user: string;
  readonly n: number;
  readonly time: number;
}

const event = fc.record({ user: fc.constantFrom('a', 'b', 'c'), time: fc.integer({ min: 0, max: 60 }) });
const step = fc.oneof(
  { weight: 10, arbitrary: fc.record({ event }) },
  { weight: 3, arbitrary: fc.record({ watermark: fc.integer({ min: 0, max: 60 }) }) },
  { weight: 2, arbitrary: fc.constant('checkpoint' as const) },
  { weight: 1, arbitrary: fc.constant('crash' as const) },
);
const windows = fc.record({
  slide: fc.integer({ min: 1, max: 12 }),
  times: fc.integer({ min: 1, max: 4 }),
  rest: fc.integer({ min: 0, max: 11 }),
  offset: fc.integer({ min: 0, max: 5 }),
  lateness: fc.constantFrom(0, 0, 7),
});

type Step = 'checkpoint' | 'crash' | { readonly event: Omit<Event, 'n'> } | { readonly watermark: number };

function itemsOf(steps: readonly Step[]): MemoryItem<Event>[] {
  let n = 0;
  return steps.map(step => {
    if (step === 'checkpoint') return takeCheckpoint;
    if (step === 'crash') return crash;
    if ('watermark' in step) return new Watermark(step.watermark);
    return new StreamRecord({ ...step.event, n: n++ }, step.event.time, undefined);
  });
}

interface Expected {
  readonly results: Map<string, readonly number[]>;
  readonly late: readonly number[];
}

/** By definition: each record is added to every window that holds its time, unless all of them are over. */
function bruteForce(
  items: readonly MemoryItem<Event>[],
  size: number,
  slide: number,
  offset: number,
  lateness: number,
): Expected {
  const open = new Map<string, number[]>();
  const late: number[] = [];
  let watermark = Number.NEGATIVE_INFINITY;
  for (const item of items) {
    if (item instanceof Watermark) watermark = Math.max(watermark, item.timestamp);
    if (!(item instanceof StreamRecord)) continue;
    const { user, n, time } = item.value as Event;
    let isLate = true;
    for (let start = offset - 100 * slide; start <= time; start += slide) {
      const end = start + size;
      if (end <= time || end - 1 + lateness <= watermark) continue;
      isLate = false;
      const name = `${user} ${start} ${end}`;
      open.set(name, [...(open.get(name) ?? []), n]);
    }
    if (isLate) late.push(n);
  }
  return { results: open, late };
}

const late = sideTag<Event>('late');

test('windows give what their definition gives, whatever the order, the checkpoints and the crashes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40, size: 'max' }),
      windows,
      async (steps, { slide, times, rest, offset, lateness }) => {
        const size = slide * times + (times > 1 ? rest % slide : 0);
        const items = itemsOf(steps as Step[]);
        const seen = await onMemory<Event, string>(items, stream => {
          const byUser = stream.pipe(keyBy(event => event.user));
          const options = { offset, lateness, late };
          const all = aggregates.all<Event>();
          const results =
            times === 1
              ? byUser.pipe(tumblingWindow('w', size, all, options))
              : byUser.pipe(slidingWindow('w', size, slide, all, options));
          return union(
            results.pipe(
              map(({ key, start, end, value }) => `${String(key)} ${start} ${end}=${value.map(({ n }) => n).join()}`),
            ),
            results.side(late).pipe(map(({ n }) => `late=${n}`)),
          );
        });
        const expected = bruteForce(items, size, slide, offset, lateness);
        // Panes put records in order of their times, as far as they are in different ones; a window that gives its result again counts as it was last.
        const last = new Map(
          seen.filter(text => !text.startsWith('late')).map(text => text.split('=') as [string, string]),
        );
        expect(
          new Map(
            [...last].map(([name, ns]) => [
              name,
              ns
                .split(',')
                .map(Number)
                .sort((a, b) => a - b),
            ]),
          ),
        ).toEqual(expected.results);
        expect(
          seen
            .filter(text => text.startsWith('late'))
            .map(text => Number(text.slice(5)))
            .sort((a, b) => a - b),
        ).toEqual(expected.late);
        if (lateness === 0) expect(seen.filter(text => !text.startsWith('late')).length).toBe(expected.results.size);
      },
    ),
    { numRuns: 200 },
  );
});
