import { type DataStream, JobDefinitionError, type KeyOrNone } from '../lib/index.ts';
import { groupedWindows, type JoinWindowOptions, type TimeWindow } from './joins/grouped-windows.ts';
import { knownOptions } from './options/known-options.ts';

export interface CoGroupOptions<L, R, O, K> extends JoinWindowOptions<L, R> {
  /**
   * Makes the result of a window, of which one list may be empty. Each element of an array or other iterable object is a
   * result by itself, so that there may be none.
   */
  readonly result: (key: K, lefts: readonly L[], rights: readonly R[], window: TimeWindow) => O | Iterable<O>;
}

/**
 * Gives all records of one key and window from both streams to `result`, when the window is complete.
 *
 *     left   -a-b----B----W------|      windows of 10 ms: a, b and p in the first, q in the next; B a barrier
 *     right  ----p-q-B----W------|      W a watermark past the end of the first
 *     out    --------B----(sW)---(t|)   s: result(key, [a, b], [p], {start, end}) at end - 1; t: result(key, [], [q], …)
 *
 * Emits when the watermark reaches the end of a window with a record of either stream; at the end of bounded input for every
 * window that is open. Order of the results within one time is not promised; that of the records in their lists is the one in
 * which they came, panes of a sliding window in order of time.
 * A record goes to `lateLeft` or `lateRight`, or is dropped and counted, when all its windows are complete.
 * State: each record once, by itself, until its last window is complete, and two counts for each pane.
 * Fails when `result` throws, or a record has no timestamp; what happens then is the actor's supervision.
 */
export function coGroup<L, R, O, const K extends KeyOrNone>(
  name: string,
  left: DataStream<L, K>,
  right: DataStream<R, K>,
  options: CoGroupOptions<L, R, O, K>,
): DataStream<O, K> {
  const operator = `coGroup("${name}")`;
  knownOptions(operator, options, ['size', 'slide', 'offset', 'result', 'lateLeft', 'lateRight']);
  const { result } = options;
  if (typeof result !== 'function') {
    throw new JobDefinitionError(`${operator} needs a result: a function of (key, lefts, rights, window).`);
  }
  return groupedWindows<L, R, O, K>(operator, name, left, right, options, (key, lefts, rights, window) => {
    const made = result(key, lefts, rights, window);
    return isIterableObject<O>(made) ? made : [made as O];
  });
}

/** A text is a result, not its letters. */
function isIterableObject<O>(made: unknown): made is Iterable<O> {
  return typeof made === 'object' && made !== null && Symbol.iterator in made;
}
