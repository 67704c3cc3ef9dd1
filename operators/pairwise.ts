import { actor, type KeyOrNone, mapState, type Op } from '../lib/index.ts';

/**
 * Emits each record together with the one before it: RxJS's `pairwise`, checkpointed; per key after `keyBy`.
 *
 *     in   -a-b-B-c-|      B is a checkpoint barrier: the record before it survives a crash
 *     out  ---p-B-q-|      p: [a, b], q: [b, c]
 *
 * Emits when a record arrives, from the second on. State: the last record of each key, which is frozen.
 * Fails when a record cannot be stored, such as an instance of a class: at the checkpoint.
 */
export function pairwise<T>(name: string): Op<T, [T, T]> {
  return actor<T, undefined, [T, T], KeyOrNone, { last: ReturnType<typeof mapState<'record', T>> }>(name, {
    update: 'return',
    states: { last: mapState<'record', T>() },
    initial: () => undefined,
    receive(_, value, { states: { last }, emit }) {
      if (last.has('record')) emit([last.get('record') as T, value]);
      last.set('record', value);
    },
  }) as Op<T, [T, T]>;
}
