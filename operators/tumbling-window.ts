import { actor, type Duration, type Key, type Op } from '../lib/index.ts';
import type { Aggregate } from './windows/aggregate.ts';
import { alignedWindows } from './windows/aligned.ts';
import { neededMs, panesOf, type WindowOptions, type WindowResult, windowSettings } from './windows/options.ts';

export interface AlignedWindowOptions<T> extends WindowOptions<T> {
  /** When windows begin: at this time since 1970 and at every multiple of their distance from it; 0 (UTC) when left out. */
  readonly offset?: Duration;
}

/**
 * The result of each stretch of `size` of time, one after another, when it is over; per key after `keyBy`.
 *
 *     in   -1-2---B-3-W----|      3 ms from the first; W a watermark past their end, B a barrier
 *     out  -------B---s----|      s: {start, end, key, value: 3} with aggregates.count()
 *
 * Emits when the watermark reaches the end of a window that had records, again for each record that comes later than that,
 * within `lateness`; at the end of bounded input for every window that is open.
 * Watermarks come from the source; without any, windows give their results at the end of the input, or by the clock with
 * `time: 'processing'`.
 * State: one accumulator for each key and window. Fails when `aggregate` throws, or a record has no timestamp.
 */
export function tumblingWindow<T, A, R>(
  name: string,
  size: Duration,
  aggregate: Aggregate<T, A, R>,
  options: AlignedWindowOptions<T> = {},
): Op<T, WindowResult<R>> {
  const operator = `tumblingWindow("${name}")`;
  const ms = neededMs(operator, 'size', size, 1);
  const panes = panesOf(operator, ms, ms, options.offset);
  return actor(
    name,
    alignedWindows(name, panes, aggregate, windowSettings(operator, aggregate, options, ['offset'])),
  ) as Op<T, WindowResult<R, Key | undefined>>;
}
