import type { Clock } from './options.ts';
import type { TimedContext } from './timed.ts';

/** A record that waits, with its event time (`NaN` when it has none). */
export interface Held<T> {
  readonly value: T;
  readonly timestamp: number;
}

/**
 * Emits a record that waited. By the clock it keeps its time. By event time it has that at which it was due: with its own it came
 * too late for what is behind, as the watermark may have passed it.
 */
export function emitHeld<T, D>(ctx: TimedContext<T, D>, clock: Clock, { value, timestamp }: Held<T>, at: number): void {
  ctx.emit(value, clock === 'event' ? at : timestamp);
}
