import type { TruthyTypesOf } from 'rxjs';
import { actor, type KeyOrNone, type Op } from '../lib/index.ts';

/** In the place of the index: a record did not fit. */
const over = -1;

/**
 * Passes records up to the first that does not fit `predicate` and drops all others: RxJS's `takeWhile`, checkpointed; per key after `keyBy`.
 *
 *     in   -1-2-B-3-1-|      the predicate is value < 3, B a checkpoint barrier
 *     out  -1-2-B-----|      with `inclusive` 3 comes, too
 *
 * Unlike the native one it reads on when a record did not fit: other keys go on, and so do checkpoints. It completes when its
 * input does; to end a job early use `handle.stop()`.
 *
 * Emits when a record arrives, until one does not fit; that one, too, when `inclusive` is set.
 * State: how many records fitted, or that one did not, for each key.
 * Fails when `predicate` throws; then the task restarts from its checkpoint.
 */
export function takeWhile<T>(name: string, predicate: BooleanConstructor, inclusive: true): Op<T, T>;
export function takeWhile<T>(name: string, predicate: BooleanConstructor, inclusive?: false): Op<T, TruthyTypesOf<T>>;
export function takeWhile<T, S extends T>(
  name: string,
  predicate: (value: T, index: number) => value is S,
  inclusive?: false,
): Op<T, S>;
export function takeWhile<T>(
  name: string,
  predicate: (value: T, index: number) => boolean,
  inclusive?: boolean,
): Op<T, T>;
export function takeWhile<T>(
  name: string,
  predicate: (value: T, index: number) => boolean,
  inclusive = false,
): Op<T, T> {
  return actor<T, number, T, KeyOrNone>(name, {
    update: 'return',
    initial: () => 0,
    receive(index, value, ctx) {
      if (index === over) return index;
      const fits = predicate(value, index);
      if (fits || inclusive) ctx.emit(value);
      return fits ? index + 1 : over;
    },
  }) as Op<T, T>;
}
