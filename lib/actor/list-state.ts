import { type StateKind, stateKind } from './state-kind.ts';
import type { StateOptions } from './ttl.ts';

/** A list that belongs to one key of an actor; each of its elements is stored by itself. Valid inside a handler only. */
export interface ListState<V> extends Iterable<V> {
  readonly size: number;
  /** The value must not change afterwards: it is frozen. */
  append(value: V): void;
  /** Takes out the element that was appended first; `undefined` when there is none. */
  removeFirst(): V | undefined;
  /** Drops all elements. */
  clear(): void;
  /** The elements in the order in which they were appended. */
  [Symbol.iterator](): IterableIterator<V>;
}

/**
 * Declares a list in `states` of an actor: for records that wait, such as those of one side of a join. An element that is appended
 * or taken out costs one entry of a snapshot, however long the list is.
 *
 *     actor('waiting', { states: { orders: listState<Order>() }, …
 *       receive(_, order, ctx) { ctx.states.orders.append(order); } })
 */
export function listState<V>(options: StateOptions<V> = {}): StateKind<ListState<V>> {
  return stateKind('list', options);
}
