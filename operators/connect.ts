import { map } from 'rxjs';
import {
  type ActorContext,
  actor,
  type Behaviour,
  type DataStream,
  JobDefinitionError,
  type KeyOrNone,
  type NoStateKinds,
} from '../lib/index.ts';
import { union } from './union.ts';

/** An actor of two inputs: what `actor` takes, with a handler for the records of each input in the place of `receive`. */
export interface ConnectBehaviour<L, R, S, O, K extends KeyOrNone, D = NoStateKinds>
  extends Omit<Behaviour<never, S, O, K, D>, 'receive' | 'stateKey'> {
  /** Handles a record of the first stream: changes the draft in place, or returns the new state. */
  left(state: Parameters<Behaviour<L, S, O, K>['receive']>[0], value: L, ctx: ActorContext<O, K, D>): S | void;
  /** Handles a record of the second stream. */
  right(state: Parameters<Behaviour<R, S, O, K>['receive']>[0], value: R, ctx: ActorContext<O, K, D>): S | void;
}

/** A record of either input on its way to the actor; what a dead letter shows, too. */
type FromEither<L, R> = { readonly input: 'left'; readonly value: L } | { readonly input: 'right'; readonly value: R };

/**
 * One actor of two streams, with state, timers and side outputs that both share; per key, where both have the same type of key.
 *
 *     left   -a---B-b---|      left adds to a count, right reads it
 *     right  ---p---B-q-|
 *     out    ---1---B-2-|      b waits until the barrier came on the right, too
 *
 * Emits when a handler does. State: that of its actor, one a key; both inputs see the same.
 * Fails when an input or a handler does; what happens then is the actor's supervision.
 * Completes when both inputs have.
 */
export function connect<L, R, S, O = never, const K extends KeyOrNone = KeyOrNone, D = NoStateKinds>(
  name: string,
  left: DataStream<L, K>,
  right: DataStream<R, K>,
  behaviour: ConnectBehaviour<L, R, S, O, K, D>,
): DataStream<O, K> {
  const { left: fromLeft, right: fromRight, ...others } = behaviour ?? {};
  if (typeof fromLeft !== 'function' || typeof fromRight !== 'function') {
    throw new JobDefinitionError(`connect("${name}", …) takes a handler for each input: left(…) and right(…).`);
  }
  if (left.node.isKeyed !== right.node.isKeyed) {
    throw new JobDefinitionError(
      `connect("${name}", …) joins a stream with a key and one without, which would never share state: put keyBy() on both, or on none.`,
    );
  }
  const both = union(
    left.pipe(map((value): FromEither<L, R> => ({ input: 'left', value }))),
    right.pipe(map((value): FromEither<L, R> => ({ input: 'right', value }))),
  ) as DataStream<FromEither<L, R>, K>;
  return both.pipe(
    actor<FromEither<L, R>, S, O, K, D>(name, {
      ...(others as Omit<Behaviour<never, S, O, K, D>, 'receive' | 'stateKey'>),
      receive: (state, record, ctx) =>
        record.input === 'left' ? fromLeft(state, record.value, ctx) : fromRight(state, record.value, ctx),
    }),
  ) as unknown as DataStream<O, K>;
}
