import { EmptyError, type TruthyTypesOf } from 'rxjs';
import { actor, type KeyOrNone, type Op, UserCodeError } from '../lib/index.ts';

/** In the place of the index: the record was found. */
const found = -1;

/**
 * Passes the first record, or the first that fits `predicate`, and drops all others: RxJS's `first`, checkpointed; per key after `keyBy`.
 *
 *     in   -1-2-B-3-4-|      the predicate is value > 2, B a checkpoint barrier
 *     out  -----B-3---|
 *
 * Unlike the native one it reads on when it has found its record: other keys may still find theirs, and checkpoints go on. It
 * completes when its input does; to end a job early use `handle.stop()`.
 *
 * Emits when the record arrives; when the input completes without one, the default value, with the end of time as timestamp. After
 * `keyBy` that is for each key that had records, in order of the keys.
 * State: how many records did not fit, or that one did, for each key.
 * Fails when `predicate` throws, or the input completes without a record that fits and there is no default value.
 */
export function first<T, D = T>(name: string, predicate?: null, defaultValue?: D): Op<T, T | D>;
export function first<T>(name: string, predicate: BooleanConstructor): Op<T, TruthyTypesOf<T>>;
export function first<T, D>(name: string, predicate: BooleanConstructor, defaultValue: D): Op<T, TruthyTypesOf<T> | D>;
export function first<T, S extends T, D = S>(
  name: string,
  predicate: (value: T, index: number) => value is S,
  defaultValue?: D,
): Op<T, S | D>;
export function first<T, D = T>(
  name: string,
  predicate: (value: T, index: number) => boolean,
  defaultValue?: D,
): Op<T, T | D>;
export function first<T, D>(
  name: string,
  predicate?: ((value: T, index: number) => boolean) | null,
  ...defaults: [defaultValue?: D]
): Op<T, T | D> {
  return actor<T, number, T | D, KeyOrNone>(name, {
    update: 'return',
    initial: () => 0,
    receive(index, value, ctx) {
      if (index === found) return index;
      if (predicate && !predicate(value, index)) return index + 1;
      ctx.emit(value);
      return found;
    },
    completesEmpty: true,
    onComplete(index, ctx) {
      if (index === found) return;
      if (defaults.length === 0) throw nothingFound(name, index);
      ctx.emit(defaults[0] as D);
    },
  }) as Op<T, T | D>;
}

function nothingFound(name: string, records: number): UserCodeError {
  const what = records === 0 ? 'had no record' : `had no record that fits its predicate (${records} did not)`;
  return new UserCodeError(
    `first("${name}") ${what} when its input ended: give it a default value, as its third argument, or let it see more.`,
    { cause: new EmptyError() },
  );
}
