import { actor, type KeyOrNone, mapState, type Op, UserCodeError } from '../lib/index.ts';

/**
 * Passes a record unless it equals the last one that was passed: RxJS's `distinctUntilChanged`, checkpointed; per key after `keyBy`.
 *
 *     in   -a-a-b-B-b-a-|      B is a checkpoint barrier: what was last survives a crash
 *     out  -a---b-B---a-|
 *
 * Emits when `comparator` answers false for what `keySelector` selected of the last record that was passed and of this one; for the
 * first record, too. Without them values are compared by `===`.
 * State: what was selected of the last record that was passed, which is frozen, for each key.
 * Fails when `comparator` or `keySelector` throws, or an object is to be compared by `===`: it equals nothing but itself, and
 * after a restore not even that.
 */
export function distinctUntilChanged<T>(name: string, comparator?: (previous: T, current: T) => boolean): Op<T, T>;
export function distinctUntilChanged<T, K>(
  name: string,
  comparator: (previous: K, current: K) => boolean,
  keySelector: (value: T) => K,
): Op<T, T>;
export function distinctUntilChanged<T, K>(
  name: string,
  comparator: ((previous: K, current: K) => boolean) | null = null,
  keySelector: (value: T) => K = value => value as unknown as K,
): Op<T, T> {
  const equals = comparator ?? ((previous: K, current: K) => previous === current);
  return actor<T, undefined, T, KeyOrNone, { last: ReturnType<typeof mapState<'selected', K>> }>(name, {
    update: 'return',
    states: { last: mapState<'selected', K>() },
    initial: () => undefined,
    receive(_, value, { states: { last }, emit }) {
      const selected = keySelector(value);
      if (!comparator) verifyComparable(selected, name);
      if (last.has('selected') && equals(last.get('selected') as K, selected)) return;
      last.set('selected', selected);
      emit(value);
    },
  }) as Op<T, T>;
}

function verifyComparable(selected: unknown, name: string): void {
  if (selected === null || !['object', 'function', 'symbol'].includes(typeof selected)) return;
  throw new UserCodeError(
    `distinctUntilChanged("${name}") was to compare ${typeof selected === 'object' ? 'an object' : `a ${typeof selected}`} by ===, ` +
      'which equals nothing but itself: give it a comparator, or a selector of a string, number, bigint or boolean.',
  );
}
