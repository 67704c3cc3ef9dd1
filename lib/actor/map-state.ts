import type { KeyAtom } from '../stream/elements.ts';
import { type StateKind, stateKind } from './state-kind.ts';
import type { StateOptions } from './ttl.ts';

/** A map that belongs to one key of an actor; each of its entries is stored by itself. Valid inside a handler only. */
export interface MapState<E extends KeyAtom, V> {
  readonly size: number;
  get(entry: E): V | undefined;
  has(entry: E): boolean;
  /** The value must not change afterwards: it is frozen, and put back by another `set`. */
  set(entry: E, value: V): void;
  delete(entry: E): void;
  /** Drops all entries. */
  clear(): void;
  /** The entries in the order in which they came, which a restore keeps; one that is deleted and set by one handler keeps its place. */
  keys(): readonly E[];
  /** The entries in ascending order, where they are numbers; the order is kept, so that asking again costs nothing. */
  sortedKeys(this: MapState<number, V>): readonly number[];
  /** Of these those from `from` to before `until`, found without a look at the others. */
  keysBetween(this: MapState<number, V>, from: number, until: number): readonly number[];
  /** The values of the entries from `from` to before `until`, in ascending order of the entries; where these are numbers. */
  valuesBetween(this: MapState<number, V>, from: number, until: number): readonly V[];
}

/**
 * Declares a map in `states` of an actor: for state that is large per key, such as the open windows of a user. An entry that
 * changes costs one entry of a snapshot, however many there are.
 *
 *     actor('visits', { states: { byPage: mapState<string, number>() }, …
 *       receive(_, { page }, ctx) { ctx.states.byPage.set(page, (ctx.states.byPage.get(page) ?? 0) + 1); } })
 */
export function mapState<E extends KeyAtom, V>(options: StateOptions<V> = {}): StateKind<MapState<E, V>> {
  return stateKind('map', options);
}
