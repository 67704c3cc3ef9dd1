import { actor, type Behaviour, type KeyOrNone, type Op } from '../lib/index.ts';
import { knownOptions } from './options/known-options.ts';

export interface ScanOptions<S>
  extends Pick<Behaviour<unknown, S, S, KeyOrNone>, 'version' | 'migrate' | 'codec' | 'supervise'> {
  /**
   * `draft` (default): `accumulate` may change the state in place, through Immer. `return`: it gets the frozen state and
   * returns the next one; several times faster for small states.
   */
  readonly update?: 'draft' | 'return';
}

export const scanOptions = ['version', 'migrate', 'codec', 'supervise', 'update'];

/**
 * Accumulates the values of a key and emits the state after each record: RxJS's `scan`, checkpointed.
 *
 *     in   -1-2-B-3-|      B is a checkpoint barrier
 *     out  -1-3-B-6-|      after a crash behind B the sum goes on from 3
 *
 * Emits when a record arrives. State: one accumulator a key, `seed` at first.
 * Fails when `accumulate` throws; what happens then is the actor's supervision.
 */
export function scan<T, S>(
  name: string,
  accumulate: (state: S, value: T) => S | void,
  seed: S,
  options: ScanOptions<S> = {},
): Op<T, S> {
  knownOptions(`scan("${name}")`, options, scanOptions);
  return actor<T, S, S>(name, {
    ...options,
    initial: () => seed,
    receive(state, value, ctx) {
      const next = accumulate(state as S, value);
      ctx.emit(next === undefined ? (state as S) : (next as S));
      return next as S;
    },
  }) as Op<T, S>;
}
