import type { ValueFromArray } from 'rxjs';
import { actor, JobDefinitionError, type KeyOrNone, type Op } from '../lib/index.ts';

/**
 * Emits `values` before the first record, once: RxJS's `startWith`, checkpointed; per key after `keyBy`.
 *
 *     in   ---a-B-b-|      the value is s, B a checkpoint barrier: it is not repeated after a crash
 *     out  ---(sa)-B-b-|
 *
 * The native one emits when it is subscribed, which a job does again at each restart.
 *
 * Emits when a record arrives, before the first the values, with its time and key. Un-keyed, and without a record, when the input
 * completes, with the end of time as timestamp. State: whether there was a record, for each key.
 * Fails when there are no values, or the last one is an RxJS scheduler: `JobDefinitionError`, at the declaration.
 */
export function startWith<T>(name: string, value: null): Op<T, T | null>;
export function startWith<T>(name: string, value: undefined): Op<T, T | undefined>;
export function startWith<T, A extends readonly unknown[] = T[]>(
  name: string,
  ...values: A
): Op<T, T | ValueFromArray<A>>;
export function startWith<T, D>(name: string, ...values: D[]): Op<T, T | D> {
  if (values.length === 0) {
    throw new JobDefinitionError(
      `startWith("${name}") has no values to emit: the name comes first, as in startWith("start", "${name}").`,
    );
  }
  if (typeof (values.at(-1) as { schedule?: unknown } | null | undefined)?.schedule === 'function') {
    throw new JobDefinitionError(
      `startWith("${name}", …) takes no scheduler: its values come before the first record. Leave it out.`,
    );
  }
  return actor<T, boolean, T | D, KeyOrNone>(name, {
    update: 'return',
    initial: () => false,
    receive(isStarted, value, ctx) {
      if (!isStarted) for (const first of values) ctx.emit(first);
      ctx.emit(value);
      return true;
    },
    completesEmpty: true,
    onComplete(isStarted, ctx) {
      if (!isStarted) for (const first of values) ctx.emit(first);
    },
  }) as Op<T, T | D>;
}
