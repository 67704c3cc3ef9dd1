import type { Duration, Op } from '../lib/index.ts';
import { emitHeld, type Held } from './timed/held.ts';
import { clockOf, type TimedOptions } from './timed/options.ts';
import { type Pending, timed } from './timed/timed.ts';
import { neededMs } from './windows/options.ts';

interface Debounced<T> extends Pending {
  readonly held: Held<T>;
}

/**
 * Emits a record when none came for `dueTime` after it: RxJS's `debounceTime`, checkpointed, per key after `keyBy`.
 *
 *     in   -a-b-B----c-|      4 ms; B is a checkpoint barrier: b is not lost in a crash behind it
 *     out  -----B-b----(c|)
 *
 * Emits when `dueTime` has passed since the last record of a key, and what is held when bounded input ends. By the clock, which is
 * the default, the output keeps its event time; by event time it has that at which it was due.
 * State: the last record of each key, until it is emitted. Fails when that cannot be stored, or has no timestamp with `time: 'event'`.
 */
export function debounceTime<T>(name: string, dueTime: Duration, options: TimedOptions = {}): Op<T, T> {
  const operator = `debounceTime("${name}")`;
  const ms = neededMs(operator, 'dueTime', dueTime, 0);
  const clock = clockOf(operator, options);
  return timed<T, Debounced<T>, T>(name, clock, {
    firesAtEnd: true,
    receive(pending, value, at, { timestamp }) {
      return { due: Math.max(pending?.due ?? at, at + ms), held: { value, timestamp } };
    },
    fire(pending, at, ctx) {
      emitHeld(ctx, clock, pending.held, at);
      return undefined;
    },
  });
}
