import type { DataStream, KeyOrNone } from '../lib/index.ts';
import { groupedWindows, type JoinWindowOptions } from './joins/grouped-windows.ts';
import {
  type JoinedPair,
  type JoinOptions,
  type JoinType,
  type OuterSides,
  outerSides,
  pairing,
} from './joins/options.ts';
import { knownOptions } from './options/known-options.ts';

export interface WindowJoinOptions<L, R, O, J extends JoinType>
  extends JoinWindowOptions<L, R>,
    JoinOptions<L, R, O, J> {}

/**
 * Joins each record with those of the other stream that have its key and are in the same window, when the window is complete.
 *
 *     left   -a-b----B----W----|      windows of 10 ms: a, b and p in the first, q in the next; B a barrier
 *     right  ----p-q-B----W----|      W a watermark past the end of the first
 *     out    --------B----(stW)|      s: [a, p], t: [b, p], at end - 1; with type 'full' also [undefined, q] at the end
 *
 * Emits when the watermark reaches the end of a window; at the end of bounded input for every window that is open. Where
 * windows overlap, a pair is a result of each window that holds both. Order of the results within one time is not promised.
 * With `type` `left` or `full` also each record of a window in which no record of the other stream is.
 * A record goes to `lateLeft` or `lateRight`, or is dropped and counted, when all its windows are complete.
 * State: each record once, by itself, until its last window is complete, and two counts for each pane.
 * Fails when `result` throws, or a record has no timestamp; what happens then is the actor's supervision.
 */
export function windowJoin<L, R, const K extends KeyOrNone, J extends JoinType = 'inner', O = JoinedPair<L, R>[J]>(
  name: string,
  left: DataStream<L, K>,
  right: DataStream<R, K>,
  options: WindowJoinOptions<L, R, O, J>,
): DataStream<O, K> {
  const operator = `windowJoin("${name}")`;
  knownOptions(operator, options, ['size', 'slide', 'offset', 'type', 'result', 'lateLeft', 'lateRight']);
  const outer = outerSides(operator, options.type);
  const result = pairing(operator, options.result);
  return groupedWindows<L, R, O, K>(operator, name, left, right, options, (_key, lefts, rights) =>
    pairsOf(lefts, rights, outer, result),
  );
}

function* pairsOf<L, R, O>(
  lefts: readonly L[],
  rights: readonly R[],
  outer: OuterSides,
  result: (left: L | undefined, right: R | undefined) => O,
): Generator<O, void> {
  for (const left of lefts) {
    for (const right of rights) yield result(left, right);
    if (rights.length === 0 && outer.left) yield result(left, undefined);
  }
  if (lefts.length > 0 || !outer.right) return;
  for (const right of rights) yield result(undefined, right);
}
