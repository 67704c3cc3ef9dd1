import fc from 'fast-check';
import { map } from 'rxjs';
import { expect, test } from 'vitest';
import { crash, type MemoryItem, takeCheckpoint } from '../../../connectors/memory/index.ts';
import { type Op, StreamRecord } from '../../../lib/index.ts';
import {
  aggregates,
  countWindow,
  type Evictor,
  evictors,
  globalWindow,
  sessionWindow,
  slidingWindow,
  type WindowResult,
} from '../../../operators/index.ts';
import { onMemory } from './on-memory.ts';

interface Event {
  readonly n: number;
  readonly time: number;
}

const steps = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ time: fc.integer({ min: 0, max: 40 }) }) },
    { weight: 2, arbitrary: fc.constant('checkpoint' as const) },
    { weight: 1, arbitrary: fc.constant('crash' as const) },
  ),
  { maxLength: 30, size: 'max' },
);

/** An evictor, and by definition whether a record counts, among all of a window in their order. */
interface Evicting {
  readonly evict: Evictor<Event>;
  /** Whether that depends on their order. */
  readonly isOrdered: boolean;
  counts(one: Event, among: readonly Event[]): boolean;
}

const evicting: fc.Arbitrary<Evicting> = fc.oneof(
  fc.integer({ min: 1, max: 5 }).map(n => ({
    evict: evictors.count(n),
    isOrdered: true,
    counts: (one: Event, among: readonly Event[]) => among.length - among.indexOf(one) <= n,
  })),
  fc.integer({ min: 1, max: 12 }).map(ms => ({
    evict: evictors.time(ms),
    isOrdered: false,
    counts: ({ time }: Event, among: readonly Event[]) => among.every(other => other.time - time < ms),
  })),
  fc.integer({ min: 0, max: 12 }).map(threshold => ({
    isOrdered: true,
    evict: evictors.delta(threshold, (value: Event, last: Event) => Math.abs(last.n - value.n)),
    counts: ({ n }: Event, among: readonly Event[]) => Math.abs((among.at(-1)?.n ?? 0) - n) < threshold,
  })),
);

/** A window of some kind, and its results by definition, each as the records in it in the order in which they stand there. */
interface Kind {
  readonly name: string;
  build(evict: Evictor<Event>): Op<Event, WindowResult<readonly Event[]>>;
  windows(events: readonly Event[]): Event[][];
  /** What is left out once is gone. */
  readonly drops?: true;
}

const all = aggregates.all<Event>();
const kinds: readonly Kind[] = [
  {
    name: 'sliding',
    build: evict => slidingWindow('w', 12, 4, all, { evict }),
    windows: events =>
      Array.from({ length: 15 }, (_, i) => i * 4 - 12).map(start =>
        // Pane by pane, in each in the order in which they came.
        [0, 4, 8].flatMap(pane => events.filter(({ time }) => Math.floor((time - start - pane) / 4) === 0)),
      ),
  },
  {
    name: 'sessions',
    build: evict => sessionWindow('w', 4, all, { evict }),
    windows: events => {
      const times = [...new Set(events.map(({ time }) => time))].sort((a, b) => a - b);
      const starts = times.filter((time, i) => i === 0 || time - (times[i - 1] as number) > 4);
      return starts.map((start, i) =>
        events.filter(({ time }) => time >= start && time < (starts[i + 1] ?? Number.POSITIVE_INFINITY)),
      );
    },
  },
  {
    name: 'counts',
    build: evict => countWindow('w', 6, all, { slide: 2, evict }),
    windows: events => {
      const ends = events.map((_, i) => i + 1).filter(end => end % 2 === 0 || end === events.length);
      return ends.map(end => events.slice(Math.max(0, Math.ceil(end / 2) * 2 - 6), end));
    },
  },
  {
    name: 'global',
    build: evict => globalWindow('w', all, { records: 3, evict }),
    windows: events => {
      const ends = events.map((_, i) => i + 1).filter(end => end % 3 === 0 || end === events.length);
      return ends.map(end => events.slice(0, end));
    },
    drops: true,
  },
];

test.each(kinds)(
  'an evictor leaves of $name what its definition says, whatever the checkpoints and the crashes',
  async kind => {
    await fc.assert(
      fc.asyncProperty(steps, evicting, async (steps, { evict, isOrdered, counts }) => {
        const events: Event[] = [];
        const items = steps.map((step): MemoryItem<Event> => {
          if (step === 'checkpoint') return takeCheckpoint;
          if (step === 'crash') return crash;
          const event = { n: events.length, time: step.time };
          events.push(event);
          return new StreamRecord(event, event.time);
        });
        const gone = new Set<Event>();
        const expected = kind
          .windows(events)
          .filter(window => window.length > 0)
          .map(window => {
            const present = window.filter(one => !gone.has(one));
            const left = present.filter(one => counts(one, present));
            if (kind.drops) for (const one of present) if (!left.includes(one)) gone.add(one);
            return left.map(({ n }) => n);
          });
        const seen = await onMemory<Event, readonly number[]>(items, stream =>
          stream.pipe(
            kind.build(evict),
            map(({ value }) => value.map(({ n }) => n)),
          ),
        );
        if (kind.name !== 'sessions') expect(seen).toEqual(expected);
        // The order in a session depends on how it grew together.
        else if (isOrdered) expect(seen.length).toBe(expected.length);
        else expect(sorted(seen)).toEqual(sorted(expected));
      }),
      { numRuns: 60 },
    );
  },
);

const sorted = (results: readonly (readonly number[])[]) => results.map(ns => [...ns].sort((a, b) => a - b));
