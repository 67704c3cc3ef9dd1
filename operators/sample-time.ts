import type { Duration, Op } from '../lib/index.ts';
import { emitHeld, type Held } from './timed/held.ts';
import { clockOf, type TimedOptions } from './timed/options.ts';
import { firstTick, nextTick } from './timed/ticks.ts';
import { type Pending, timed } from './timed/timed.ts';
import { neededMs } from './windows/options.ts';

interface Sampled<T> extends Pending {
  /** The last record since the last tick. */
  readonly held?: Held<T>;
}

/**
 * Emits the last record that came since the last tick, at every tick: RxJS's `sampleTime`, checkpointed, per key after `keyBy`.
 *
 *     in   -a-b---cB---d-|      a tick every 5 ms; B is a checkpoint barrier: c is not lost in a crash behind it
 *     out  -----b--B-c---|
 *
 * Ticks are the multiples of `period` since 1970 (UTC), the same ones for each key and after a restart.
 *
 * Emits when a tick comes and the key had a record since the one before. By the clock, which is the default, the output keeps its
 * event time, and what waits for its tick when bounded input ends is dropped, as the native one does; by event time the output
 * has the time of its tick, and the end of the input brings that.
 * State: the last record of each key, until its tick. Fails when that cannot be stored, or has no timestamp with `time: 'event'`.
 */
export function sampleTime<T>(name: string, period: Duration, options: TimedOptions = {}): Op<T, T> {
  const operator = `sampleTime("${name}")`;
  const ms = neededMs(operator, 'period', period, 1);
  const clock = clockOf(operator, options);
  return timed<T, Sampled<T>, T>(name, clock, {
    firesAtEnd: clock === 'event',
    receive(pending, value, at, { timestamp }) {
      return { due: pending?.due ?? firstTick(at, ms), held: { value, timestamp } };
    },
    fire({ held }, at, ctx) {
      if (!held) return undefined;
      emitHeld(ctx, clock, held, at);
      // One more tick is waited for: without it another record of this ms would be sampled at the same tick.
      return { due: nextTick(at, ms) };
    },
  });
}
