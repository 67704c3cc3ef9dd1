import { type Duration, JobDefinitionError, mapState, type Op } from '../lib/index.ts';
import { clockOf, type TimedOptions } from './timed/options.ts';
import { firstTick, nextTick } from './timed/ticks.ts';
import { type Pending, timed } from './timed/timed.ts';
import { neededMs } from './windows/options.ts';

export interface BufferTimeOptions extends TimedOptions {
  /** A buffer is also emitted when it holds so many records; the next one then has the whole span before it. */
  readonly maxBufferSize?: number;
}

/** The buffer of a key; its records are numbered from 0. */
interface Buffered extends Pending {
  readonly size: number;
  /** The latest event time of a record in it; `NaN` where none has one. */
  readonly timestamp: number;
}

interface States<T> {
  readonly buffer: ReturnType<typeof mapState<number, T>>;
}

/**
 * Emits the records that came in each span of `span` as an array at its end: RxJS's `bufferTime`, checkpointed, per key after `keyBy`.
 *
 *     in   -a-b---cB---d-|      5 ms; B is a checkpoint barrier: c is not lost in a crash behind it
 *     out  -----x--B-y---(z|)      x: [a, b], y: [c], z: [d]
 *
 * Spans end at the multiples of `span` since 1970 (UTC), the same ones for each key and after a restart.
 *
 * Emits when a span ends in which the key had a record, when a buffer is full, and what is left when bounded input ends.
 * By the clock, which is the default, a buffer has the latest event time of its records; by event time that at which its span ends.
 * State: the records of the span, each stored by itself. Fails when one cannot be stored, or has no timestamp with `time: 'event'`.
 */
export function bufferTime<T>(name: string, span: Duration, options: BufferTimeOptions = {}): Op<T, T[]> {
  const operator = `bufferTime("${name}")`;
  const ms = neededMs(operator, 'span', span, 1);
  const clock = clockOf(operator, options, ['maxBufferSize']);
  const { maxBufferSize = Number.POSITIVE_INFINITY } = options;
  if (!(maxBufferSize >= 1) || !(Number.isInteger(maxBufferSize) || maxBufferSize === Number.POSITIVE_INFINITY)) {
    throw new JobDefinitionError(`${operator}: maxBufferSize is ${String(maxBufferSize)}: give a whole number from 1.`);
  }
  return timed<T, Buffered, T[], States<T>>(name, clock, {
    states: { buffer: mapState() },
    firesAtEnd: true,
    receive(pending, value, at, ctx) {
      const { buffer } = ctx.states;
      const { due, size, timestamp } = pending ?? { due: firstTick(at, ms), size: 0, timestamp: Number.NaN };
      buffer.set(size, value);
      const next = { due, size: size + 1, timestamp: later(timestamp, ctx.timestamp) };
      if (next.size < maxBufferSize) return next;
      emit(ctx, next, at);
      return { due: Math.max(due, at + ms), size: 0, timestamp: Number.NaN };
    },
    fire(pending, at, ctx) {
      if (pending.size === 0) return undefined;
      emit(ctx, pending, at);
      // One more end is waited for: without it another record of this ms would come in a buffer of the same span.
      return { due: nextTick(at, ms), size: 0, timestamp: Number.NaN };
    },
  });

  function emit(
    ctx: { readonly states: { readonly buffer: Buffer<T> }; emit(value: T[], timestamp: number): void },
    { size, timestamp }: Buffered,
    at: number,
  ): void {
    const { buffer } = ctx.states;
    ctx.emit(
      Array.from({ length: size }, (_, index) => buffer.get(index) as T),
      clock === 'event' ? at : timestamp,
    );
    buffer.clear();
  }
}

/** The later of two times, of which each can be `NaN`. */
function later(a: number, b: number): number {
  return b > a || Number.isNaN(a) ? b : a;
}

interface Buffer<T> {
  get(index: number): T | undefined;
  clear(): void;
}
