import type { Duration, Op } from '../lib/index.ts';
import { emitHeld, type Held } from './timed/held.ts';
import { clockOf, type TimedOptions } from './timed/options.ts';
import { type Pending, timed } from './timed/timed.ts';
import { neededMs } from './windows/options.ts';

interface Audited<T> extends Pending {
  readonly held: Held<T>;
}

/**
 * Waits for `duration` from a record on, then emits the last one that came: RxJS's `auditTime`, checkpointed, per key after `keyBy`.
 *
 *     in   -a-b-B-----c-|      6 ms; B is a checkpoint barrier: b is not lost in a crash behind it
 *     out  -----B-b-----(c|)
 *
 * Emits when `duration` has passed since the first record that came to a key which held none, and what is held when bounded input
 * ends. By the clock, which is the default, the output keeps its event time; by event time it has that at which it was due.
 * State: the last record of each key, until it is emitted. Fails when that cannot be stored, or has no timestamp with `time: 'event'`.
 */
export function auditTime<T>(name: string, duration: Duration, options: TimedOptions = {}): Op<T, T> {
  const operator = `auditTime("${name}")`;
  const ms = neededMs(operator, 'duration', duration, 0);
  const clock = clockOf(operator, options);
  return timed<T, Audited<T>, T>(name, clock, {
    firesAtEnd: true,
    receive(pending, value, at, { timestamp }) {
      return { due: pending?.due ?? at + ms, held: { value, timestamp } };
    },
    fire(pending, at, ctx) {
      emitHeld(ctx, clock, pending.held, at);
      return undefined;
    },
  });
}
