import { JobDefinitionError } from '../errors.ts';
import { type StateKind, stateKind } from './state-kind.ts';
import type { StateOptions } from './ttl.ts';

/**
 * How values become a result, one at a time: nothing but the accumulator is kept. Accumulators are immutable plain data, as
 * every state is: `add` answers a new one.
 */
export interface Aggregation<T, A, R> {
  init(): A;
  add(accumulator: A, value: T): A;
  result(accumulator: A): R;
}

/** An accumulator that belongs to one key of an actor. Valid inside a handler only. */
export interface AggregatingState<T, R> {
  add(value: T): void;
  /** The result so far; `undefined` before the first `add`. */
  get(): R | undefined;
  /** Drops the accumulator: the next `add` begins anew. */
  clear(): void;
}

/** As declared, with what the actor needs of it. */
export interface AggregatingKind extends StateKind<unknown> {
  readonly kind: 'aggregating';
  readonly aggregate: Aggregation<unknown, unknown, unknown>;
}

/**
 * Declares an aggregate in `states` of an actor, such as `aggregates.mean(…)` of `tidemark/operators`, or one of your own. It costs
 * one entry of a snapshot.
 *
 *     actor('spending', { states: { mean: aggregatingState(aggregates.mean((p: Payment) => p.cents)) }, …
 *       receive(_, payment, ctx) { ctx.states.mean.add(payment); } })
 */
export function aggregatingState<T, A, R>(
  aggregate: Aggregation<T, A, R>,
  options: StateOptions<A> = {},
): StateKind<AggregatingState<T, R>> {
  for (const name of ['init', 'add', 'result'] as const) {
    if (typeof aggregate?.[name] === 'function') continue;
    throw new JobDefinitionError(
      `aggregatingState takes an aggregate { init, add, result }, and ${name} is no function: give one of your own, or aggregates.count() and the like.`,
    );
  }
  return { ...stateKind('aggregating', options), aggregate } as StateKind<never>;
}
