import { actor, type Duration, type Op } from '../lib/index.ts';
import type { Aggregate } from './windows/aggregate.ts';
import { neededMs, type WindowOptions, type WindowResult, windowSettings } from './windows/options.ts';
import { gapSelector, sessionWindows } from './windows/sessions.ts';

/**
 * The result of each session: of records with no gap longer than `gap` between them, when it is over; per key after `keyBy`.
 *
 *     in   -1-2-B-W----3--|      1 and 2 are a gap of 5 ms apart, W is a watermark a gap behind 2, B a barrier
 *     out  -----B-(sW)-(t|)      s and t: {start, end, key, value} with aggregates.count()
 *
 * `start` is the time of the first record, `end` that of the last one and its gap; a record exactly there still belongs, so the
 * result has that time. A function gives each record a gap of its own, in ms. A late record may make one session of two.
 *
 * Emits when the watermark reaches the end of a session, again when a record comes for it later than that, within `lateness`;
 * at the end of bounded input for every session that is open.
 * State: one accumulator for each session of a key that is not over, each stored by itself.
 * Fails when `aggregate` or `gap` throws, or a record has no timestamp.
 */
export function sessionWindow<T, A, R>(
  name: string,
  gap: Duration | ((value: T) => number),
  aggregate: Aggregate<T, A, R>,
  options: WindowOptions<T> = {},
): Op<T, WindowResult<R>> {
  const operator = `sessionWindow("${name}")`;
  const fixed = typeof gap === 'function' ? 0 : neededMs(operator, 'gap', gap, 1);
  const gapOf = typeof gap === 'function' ? gapSelector(operator, gap) : () => fixed;
  return actor(name, sessionWindows(name, gapOf, aggregate, windowSettings(operator, aggregate, options))) as Op<
    T,
    WindowResult<R>
  >;
}
