import { StateLostError } from '../errors.ts';
import type { KeyAtom } from '../stream/elements.ts';
import { keyOf, type MapKey, mapKey } from './key.ts';
import { type Capture, KeyedState } from './keyed-state.ts';

/**
 * The entries of all map states of an actor, each under a name of its own in one table that is captured as the values of keys
 * are; and which entries each key has, in their order.
 */
export class KeyedEntries {
  readonly #table = new KeyedState<unknown>();
  /** By state, then by key: the names of its entries in the table. */
  readonly #states = new Map<string, Map<MapKey, Map<MapKey, string>>>();

  /** Whether anything differs from the last committed capture (or from what was restored). */
  get isChanged(): boolean {
    return this.#table.isChanged;
  }

  /** The states that have entries. */
  get states(): string[] {
    return [...this.#states.keys()];
  }

  /** Keys that have entries, in any state. */
  keys(): Set<MapKey> {
    return new Set([...this.#states.values()].flatMap(keys => [...keys.keys()]));
  }

  /** The entries that a key has in a state, with their names in the table; nothing may be changed in it. */
  of(state: string, key: MapKey): ReadonlyMap<MapKey, string> | undefined {
    return this.#states.get(state)?.get(key);
  }

  /** The value under a name that `of` showed. */
  value(name: string): unknown {
    return this.#table.get(name);
  }

  set(state: string, key: MapKey, entry: MapKey, value: unknown): void {
    this.#table.set(this.#added(state, key, entry), value);
  }

  delete(state: string, key: MapKey, entry: MapKey): void {
    const name = this.#removed(state, key, entry);
    if (name !== undefined) this.#table.delete(name);
  }

  clear(state: string, key: MapKey): void {
    for (const entry of [...(this.of(state, key)?.keys() ?? [])]) this.delete(state, key, entry);
  }

  /** Drops all that a key has, in every state. */
  forget(key: MapKey): void {
    for (const state of this.states) this.clear(state, key);
  }

  /** Drops a whole state, at restore: the actor no longer has it. */
  drop(state: string): void {
    for (const key of [...(this.#states.get(state)?.keys() ?? [])]) this.clear(state, key);
  }

  /** Puts what a snapshot holds; as `KeyedState.restore`. */
  restore(name: MapKey, value: unknown): void {
    const [state, key, entry] = entryOf(name);
    this.#table.restore(this.#added(state, key, entry), value);
  }

  /** Applies a deletion that a snapshot holds; as `KeyedState.restoreDeletion`. */
  restoreDeletion(name: MapKey): void {
    const [state, key, entry] = entryOf(name);
    this.#removed(state, key, entry);
    this.#table.restoreDeletion(name);
  }

  /** For values that have to be protected after a restore. */
  cells(): ReturnType<KeyedState<unknown>['cells']> {
    return this.#table.cells();
  }

  markAllChanged(): void {
    this.#table.markAllChanged();
  }

  capture(): Capture<unknown> {
    return this.#table.capture();
  }

  commit(capture: Capture<unknown>): void {
    this.#table.commit(capture);
  }

  abandon(capture: Capture<unknown>): void {
    this.#table.abandon(capture);
  }

  #added(state: string, key: MapKey, entry: MapKey): string {
    const keys = madeIfMissing(this.#states, state, () => new Map<MapKey, Map<MapKey, string>>());
    const entries = madeIfMissing(keys, key, () => new Map<MapKey, string>());
    let name = entries.get(entry);
    if (name === undefined) {
      name = mapKey([state, key, entry]) as string;
      entries.set(entry, name);
    }
    return name;
  }

  #removed(state: string, key: MapKey, entry: MapKey): string | undefined {
    const keys = this.#states.get(state);
    const entries = keys?.get(key);
    const name = entries?.get(entry);
    if (!keys || !entries || name === undefined) return undefined;
    entries.delete(entry);
    if (entries.size === 0) keys.delete(key);
    if (keys.size === 0) this.#states.delete(state);
    return name;
  }
}

/** State, key and entry of a name: a key in its form for a `Map`, whatever it is, is an atom of the name. */
export function entryOf(name: MapKey): [string, MapKey, MapKey] {
  const parts = keyOf(name);
  if (Array.isArray(parts) && parts.length === 3 && typeof parts[0] === 'string') {
    return parts as [string, KeyAtom, KeyAtom];
  }
  throw new StateLostError('A snapshot holds an entry of a map that cannot be read. Restore an older checkpoint.');
}

function madeIfMissing<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
