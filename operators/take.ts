import { actor, type KeyOrNone, type Op } from '../lib/index.ts';
import { wholeNumber } from './records/whole-number.ts';

/**
 * Passes the first `count` records and drops all others: RxJS's `take`, checkpointed; per key after `keyBy`.
 *
 *     in   -a-b-B-c-d-|      count is 3, B a checkpoint barrier: what was counted survives a crash
 *     out  -a-b-B-c---|
 *
 * Unlike the native one it reads on when it has passed all: other keys may still have some, and checkpoints go on. It completes
 * when its input does; to end a job early use `handle.stop()`.
 *
 * Emits when one of the first `count` records arrives. State: how many were passed, up to `count`, for each key.
 * Fails when `count` is not a whole number from 0: `JobDefinitionError`, at the declaration.
 */
export function take<T>(name: string, count: number): Op<T, T> {
  wholeNumber(`take("${name}")`, 'count', count, 0);
  return actor<T, number, T, KeyOrNone>(name, {
    update: 'return',
    initial: () => 0,
    receive(passed, value, ctx) {
      if (passed >= count) return passed;
      ctx.emit(value);
      return passed + 1;
    },
  }) as Op<T, T>;
}
