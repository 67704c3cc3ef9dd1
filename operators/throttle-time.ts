import { type Duration, JobDefinitionError, type Op } from '../lib/index.ts';
import { emitHeld, type Held } from './timed/held.ts';
import { clockOf, type TimedOptions } from './timed/options.ts';
import { type Pending, timed } from './timed/timed.ts';
import { neededMs } from './windows/options.ts';

export interface ThrottleTimeOptions extends TimedOptions {
  /** Whether the record that begins a pause is emitted, at once; true when left out. */
  readonly leading?: boolean;
  /** Whether the last record that came in a pause is emitted at its end, where the next one begins; false when left out. */
  readonly trailing?: boolean;
}

interface Throttled<T> extends Pending {
  /** The last record that came in the pause, where it may be emitted. */
  readonly held?: Held<T>;
}

/**
 * Emits a record, then none for `duration`: RxJS's `throttleTime`, checkpointed, per key after `keyBy`.
 *
 *     in   -a-b-B-c---d-|      5 ms; B is a checkpoint barrier: the pause goes on behind a crash
 *     out  -a---B-c-----|
 *
 * Emits when a record comes and the key has no pause (`leading`), and the last record of a pause at its end (`trailing`), or when
 * bounded input ends before that. By the clock, which is the default, the output keeps its event time; by event time a trailing
 * record has that at which it was due.
 * State: the end of the pause of each key that has one, with `trailing` the last record of it. Fails when that cannot be stored,
 * or has no timestamp with `time: 'event'`.
 */
export function throttleTime<T>(name: string, duration: Duration, options: ThrottleTimeOptions = {}): Op<T, T> {
  const operator = `throttleTime("${name}")`;
  const ms = neededMs(operator, 'duration', duration, 0);
  const clock = clockOf(operator, options, ['leading', 'trailing']);
  const { leading = true, trailing = false } = options;
  if (!leading && !trailing) {
    throw new JobDefinitionError(
      `${operator} has neither leading nor trailing, so it would emit nothing: leave one true.`,
    );
  }
  return timed<T, Throttled<T>, T>(name, clock, {
    firesAtEnd: trailing,
    receive(pause, value, at, ctx) {
      const held = { value, timestamp: ctx.timestamp };
      if (pause) return trailing ? { ...pause, held } : pause;
      if (!leading) return { due: at + ms, held };
      ctx.emit(value);
      return { due: at + ms };
    },
    fire({ held }, at, ctx) {
      if (!held) return undefined;
      emitHeld(ctx, clock, held, at);
      return { due: at + ms };
    },
  });
}
