import { type StateKind, stateKind } from './state-kind.ts';
import type { StateOptions } from './ttl.ts';

/** A value that belongs to one key of an actor and is stored by itself. Valid inside a handler only. */
export interface ValueState<V> {
  /** `undefined` when there is none. */
  get(): V | undefined;
  /** The value must not change afterwards: it is frozen, and put back by another `set`. */
  set(value: V): void;
  clear(): void;
}

/**
 * Declares a value in `states` of an actor, beside its own state: for what changes at another pace, so that each is stored only
 * when it changes. It costs one entry of a snapshot.
 *
 *     actor('profile', { states: { address: valueState<Address>() }, …
 *       receive(_, event, ctx) { if (event.address) ctx.states.address.set(event.address); } })
 */
export function valueState<V>(options: StateOptions<V> = {}): StateKind<ValueState<V>> {
  return stateKind('value', options);
}
