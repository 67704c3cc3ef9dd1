import fc from 'fast-check';
import * as rxjs from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { crash, type MemoryItem, takeCheckpoint } from '../../../connectors/memory/index.ts';
import { actor, type Op, StreamRecord, type as typeOf, Watermark } from '../../../lib/index.ts';
import {
  auditTime,
  bufferTime,
  debounceTime,
  delay,
  keyBy,
  sampleTime,
  throttleTime,
} from '../../../operators/index.ts';
import { onMemory } from '../windows/on-memory.ts';

interface Reading {
  readonly sensor: string;
  readonly time: number;
}

const time = 'event';
const both = { leading: true, trailing: true };
const pairs: [string, Op<Reading, unknown>, rxjs.OperatorFunction<Reading, unknown>][] = [
  ['debounceTime', debounceTime('t', 7, { time }), rxjs.debounceTime(7)],
  ['throttleTime', throttleTime('t', 7, { time }), rxjs.throttleTime(7)],
  ['throttleTime, both', throttleTime('t', 7, { time, ...both }), rxjs.throttleTime(7, undefined, both)],
  ['auditTime', auditTime('t', 7, { time }), rxjs.auditTime(7)],
  ['sampleTime', sampleTime('t', 7, { time }), rxjs.sampleTime(7)],
  ['delay', delay('t', 7, { time }), rxjs.delay(7)],
  ['bufferTime', bufferTime('t', 7, { time }), rxjs.bufferTime(7)],
];

const step = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ sensor: fc.constantFrom('a', 'b', 'c'), after: fc.integer({ min: 0, max: 9 }) }),
  },
  { weight: 3, arbitrary: fc.record({ behind: fc.integer({ min: 0, max: 12 }) }) },
  { weight: 2, arbitrary: fc.constant('checkpoint' as const) },
  { weight: 1, arbitrary: fc.constant('crash' as const) },
);
type Step =
  | 'checkpoint'
  | 'crash'
  | { readonly sensor: string; readonly after: number }
  /** A watermark that is so far behind the last record. */
  | { readonly behind: number };

function itemsOf(steps: readonly Step[]): MemoryItem<Reading>[] {
  // Native ticks begin behind 0, which is one of ours.
  let now = 1;
  return steps.map(step => {
    if (step === 'checkpoint') return takeCheckpoint;
    if (step === 'crash') return crash;
    if ('behind' in step) return new Watermark(now - 1 - step.behind);
    now += step.after;
    return new StreamRecord({ sensor: step.sensor, time: now }, now, undefined);
  });
}

/** What comes out, with its time: `time value`, by sensor. */
type Out = Record<string, string[]>;

const textOf = (value: unknown): string =>
  (Array.isArray(value) ? value : [value]).map(({ time }: Reading) => time).join(',');

async function ours(items: readonly MemoryItem<Reading>[], operator: Op<Reading, unknown>): Promise<Out> {
  const timed = actor('timed', {
    emits: typeOf<[string, string]>(),
    initial: () => undefined,
    receive(_, value: unknown, { key, timestamp, emit }) {
      emit([key as string, `${timestamp} ${textOf(value)}`]);
    },
  });
  const out: Out = { a: [], b: [], c: [] };
  const seen = await onMemory<Reading, [string, string]>(items, stream =>
    stream.pipe(
      keyBy(reading => reading.sensor),
      operator,
      timed,
    ),
  );
  for (const [sensor, text] of seen) out[sensor]?.push(text);
  return out;
}

/** RxJS's operator on the records of each sensor alone, each of which comes when virtual time reaches its own. */
function native(items: readonly MemoryItem<Reading>[], operator: rxjs.OperatorFunction<Reading, unknown>): Out {
  const out: Out = { a: [], b: [], c: [] };
  const scheduler = new TestScheduler(() => {});
  scheduler.run(() => {
    for (const [sensor, texts] of Object.entries(out)) {
      const input = new rxjs.Subject<Reading>();
      for (const item of items) {
        if (!(item instanceof StreamRecord) || item.value.sensor !== sensor) continue;
        scheduler.schedule(() => input.next(item.value), item.value.time);
      }
      input.pipe(operator).subscribe(value => {
        if (!Array.isArray(value) || value.length > 0) texts.push(`${scheduler.now()} ${textOf(value)}`);
      });
    }
    scheduler.maxFrames = 1_000;
  });
  return out;
}

describe('by event time, whatever watermarks, checkpoints and crashes there are', () => {
  it.each(pairs)(
    '%s gives per key what the native one gives for records that come at their times',
    async (_, our, rx) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async steps => {
          const items = itemsOf(steps);
          expect(await ours(items, our)).toEqual(native(items, rx));
        }),
        { numRuns: 60 },
      );
    },
  );
});
