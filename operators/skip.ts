import { actor, type KeyOrNone, type Op } from '../lib/index.ts';
import { wholeNumber } from './records/whole-number.ts';

/**
 * Drops the first `count` records and passes the others: RxJS's `skip`, checkpointed; per key after `keyBy`.
 *
 *     in   -a-b-B-c-d-|      count is 3, B a checkpoint barrier: what was counted survives a crash
 *     out  -----B---d-|
 *
 * Emits when a record arrives behind the first `count`. State: how many were dropped, up to `count`, for each key.
 * Fails when `count` is not a whole number from 0: `JobDefinitionError`, at the declaration.
 */
export function skip<T>(name: string, count: number): Op<T, T> {
  wholeNumber(`skip("${name}")`, 'count', count, 0);
  return actor<T, number, T, KeyOrNone>(name, {
    update: 'return',
    initial: () => 0,
    receive(dropped, value, ctx) {
      if (dropped < count) return dropped + 1;
      ctx.emit(value);
      return dropped;
    },
  }) as Op<T, T>;
}
