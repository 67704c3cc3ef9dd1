import { actor, type Duration, type Op } from '../lib/index.ts';
import type { AlignedWindowOptions } from './tumbling-window.ts';
import type { Aggregate } from './windows/aggregate.ts';
import { alignedWindows } from './windows/aligned.ts';
import { neededMs, panesOf, type WindowResult, windowSettings } from './windows/options.ts';

/**
 * The result of each stretch of `size` of time that begins every `slide`, when it is over; per key after `keyBy`.
 *
 *     in   -1-2---B-3-W----|      6 ms that begin every 3; W a watermark past the end of two, B a barrier
 *     out  -------B---(st)-|      s and t: {start, end, key, value} with aggregates.count()
 *
 * A record is kept once, in a pane that the windows it is in share: what it costs does not depend on how many they are.
 *
 * Emits when the watermark reaches the end of a window that had records, again for each record that comes later than that,
 * within `lateness`; at the end of bounded input for every window that is open.
 * Watermarks come from the source; without any, windows give their results at the end of the input, or by the clock with
 * `time: 'processing'`.
 * State: one accumulator for each key and pane. Fails when `aggregate` throws, or a record has no timestamp.
 */
export function slidingWindow<T, A, R>(
  name: string,
  size: Duration,
  slide: Duration,
  aggregate: Aggregate<T, A, R>,
  options: AlignedWindowOptions<T> = {},
): Op<T, WindowResult<R>> {
  const operator = `slidingWindow("${name}")`;
  const sizeMs = neededMs(operator, 'size', size, 1);
  const slideMs = neededMs(operator, 'slide', slide, 1);
  const panes = panesOf(operator, sizeMs, slideMs, options.offset);
  return actor(
    name,
    alignedWindows(name, panes, aggregate, windowSettings(operator, aggregate, options, ['offset'])),
  ) as Op<T, WindowResult<R>>;
}
