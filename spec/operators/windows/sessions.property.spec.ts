import fc from 'fast-check';
import { map } from 'rxjs';
import { expect, test } from 'vitest';
import { crash, type MemoryItem, takeCheckpoint } from '../../../connectors/memory/index.ts';
import { StreamRecord, side as sideTag, Watermark } from '../../../lib/index.ts';
import { aggregates, keyBy, sessionWindow, side, union } from '../../../operators/index.ts';
import { onMemory } from './on-memory.ts';

interface Event {
  readonly user: string;
  readonly n: number;
  readonly time: number;
  readonly gap: number;
}

const event = fc.record({
  user: fc.constantFrom('a', 'b'),
  time: fc.integer({ min: 0, max: 60 }),
  gap: fc.integer({ min: 1, max: 8 }),
});
const step = fc.oneof(
  { weight: 10, arbitrary: fc.record({ event }) },
  { weight: 3, arbitrary: fc.record({ watermark: fc.integer({ min: 0, max: 70 }) }) },
  { weight: 2, arbitrary: fc.constant('checkpoint' as const) },
  { weight: 1, arbitrary: fc.constant('crash' as const) },
);
type Step = 'checkpoint' | 'crash' | { readonly event: Omit<Event, 'n'> } | { readonly watermark: number };

function itemsOf(steps: readonly Step[]): MemoryItem<Event>[] {
  let n = 0;
  return steps.map(step => {
    if (step === 'checkpoint') return takeCheckpoint;
    if (step === 'crash') return crash;
    if ('watermark' in step) return new Watermark(step.watermark);
    return new StreamRecord({ ...step.event, n: n++ }, step.event.time);
  });
}

/** By definition: all records that are kept, put into sessions anew at each step. */
function bruteForce(items: readonly MemoryItem<Event>[], lateness: number): string[] {
  const said: string[] = [];
  let kept: Event[] = [];
  /** What was said of each session, by its members. */
  const told = new Set<string>();
  let watermark = Number.NEGATIVE_INFINITY;
  const sessionsOf = (events: readonly Event[]) => {
    const sessions: { start: number; end: number; members: Event[] }[] = [];
    for (const one of [...events].sort((a, b) => a.user.localeCompare(b.user) || a.time - b.time)) {
      const last = sessions.at(-1);
      if (last && last.members[0]?.user === one.user && one.time <= last.end) {
        last.end = Math.max(last.end, one.time + one.gap);
        last.members.push(one);
      } else sessions.push({ start: one.time, end: one.time + one.gap, members: [one] });
    }
    return sessions;
  };
  const settle = () => {
    for (const { start, end, members } of sessionsOf(kept)) {
      const ns = members.map(({ n }) => n).sort((a, b) => a - b);
      const name = `${members[0]?.user} ${start} ${end}=${ns}`;
      if (end <= watermark && !told.has(name)) {
        told.add(name);
        said.push(name);
      }
      if (end + lateness <= watermark) kept = kept.filter(one => !members.includes(one));
    }
  };
  for (const item of items) {
    if (item instanceof Watermark) watermark = Math.max(watermark, item.timestamp);
    if (item instanceof StreamRecord) {
      const value = item.value as Event;
      const own = sessionsOf([...kept, value]).find(({ members }) => members.includes(value));
      if ((own?.end ?? 0) + lateness <= watermark) said.push(`late=${value.n}`);
      else kept.push(value);
    }
    settle();
  }
  watermark = Number.POSITIVE_INFINITY;
  settle();
  return said.sort();
}

const late = sideTag<Event>('late');

test('sessions are what their definition says, whatever the order, the checkpoints and the crashes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40, size: 'max' }),
      fc.constantFrom(0, 0, 6),
      fc.boolean(),
      async (steps, lateness, isWhole) => {
        // Each record as an entry, or a list as any other accumulator.
        const all = { ...aggregates.all<Event>(), isWhole };
        const items = itemsOf(steps as Step[]);
        const seen = await onMemory<Event, string>(items, stream => {
          const results = stream.pipe(
            keyBy(event => event.user),
            sessionWindow('w', ({ gap }: Event) => gap, all, { lateness, late }),
          );
          return union(
            results.pipe(
              map(({ key, start, end, value }) => {
                const ns = value.map(({ n }) => n).sort((a, b) => a - b);
                return `${String(key)} ${start} ${end}=${ns}`;
              }),
            ),
            results.pipe(
              side(late),
              map(({ n }) => `late=${n}`),
            ),
          );
        });
        expect([...seen].sort()).toEqual(bruteForce(items, lateness));
      },
    ),
    { numRuns: 300 },
  );
});
