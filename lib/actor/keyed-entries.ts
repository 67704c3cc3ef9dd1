import { StateLostError } from '../errors.ts';
import { firstWhere } from '../first-where.ts';
import type { KeyAtom } from '../stream/elements.ts';
import { keyOf, type MapKey, mapKey } from './key.ts';
import { type Capture, KeyedState } from './keyed-state.ts';
import type { StateKindName } from './state-kind.ts';

/** The entries of a key in one state, with their names in the table, in the order in which they came. */
export class EntryNames extends Map<MapKey, string> {
  /** Of a list, whose entries are indexes: none lies below `first`, or at `next` and above. */
  first = 0;
  next = 0;
  /** Entries in ascending order and their values, once somebody has asked for them. */
  #sorted: SortedEntries | undefined;
  /** Changes elsewhere than at its ends since somebody asked. */
  #insideChanges = 0;

  sorted(read: (name: string) => unknown): Readonly<SortedEntries> {
    if (this.#sorted === undefined) {
      const entries = ([...this.keys()] as number[]).sort((a, b) => a - b);
      this.#sorted = { entries, values: entries.map(entry => read(this.get(entry) as string)) };
    }
    this.#insideChanges = 0;
    return this.#sorted;
  }

  /** Keeps the order: at both ends, as time goes on, and a few times elsewhere, which moves all that is behind. */
  wasSet(entry: MapKey, value: unknown): void {
    if (this.#sorted === undefined) return;
    const { entries, values } = this.#sorted;
    const last = entries.at(-1);
    if (last === undefined || (entry as number) > last) {
      entries.push(entry as number);
      values.push(value);
    } else {
      const at = last === entry ? entries.length - 1 : placeIn(entries, entry as number);
      if (entries[at] === entry) values[at] = value;
      else if (this.#movesInside()) {
        entries.splice(at, 0, entry as number);
        values.splice(at, 0, value);
      }
    }
  }

  wasRemoved(entry: MapKey): void {
    if (this.#sorted === undefined) return;
    const { entries, values } = this.#sorted;
    if (entries[0] === entry) {
      entries.shift();
      values.shift();
    } else if (entries.at(-1) === entry) {
      entries.pop();
      values.pop();
    } else if (this.#movesInside()) {
      const at = placeIn(entries, entry as number);
      entries.splice(at, 1);
      values.splice(at, 1);
    }
  }

  /** Many changes before anybody asks again cost more than to sort once. */
  #movesInside(): boolean {
    if (++this.#insideChanges <= 8) return true;
    this.forgetOrder();
    return false;
  }

  forgetOrder(): void {
    this.#sorted = undefined;
  }
}

interface SortedEntries {
  readonly entries: number[];
  readonly values: unknown[];
}

/** Where `entry` stands, or would stand, among sorted numbers. */
export const placeIn = (sorted: readonly number[], entry: number): number => firstWhere(sorted, one => one >= entry);

/** The keys that have entries in a state. */
interface StateIndex {
  readonly kind: StateKindName;
  readonly keys: Map<MapKey, EntryNames>;
}

/**
 * The entries of all states that an actor declares, each under a name of its own in one table that is captured as the values of keys
 * are; and which entries each key has, in their order.
 */
export class KeyedEntries {
  readonly #table = new KeyedState<unknown>();
  readonly #states = new Map<string, StateIndex>();
  /** By state, as declared. */
  readonly #kinds: ReadonlyMap<string, StateKindName>;

  constructor(kinds: ReadonlyMap<string, StateKindName>) {
    this.#kinds = kinds;
  }

  /** Whether anything differs from the last committed capture (or from what was restored). */
  get isChanged(): boolean {
    return this.#table.isChanged;
  }

  /** The states that have entries. */
  get states(): string[] {
    return [...this.#states.keys()];
  }

  /** The kind of a state that has entries: after a restore, that with which it was stored. */
  kindOf(state: string): StateKindName | undefined {
    return this.#states.get(state)?.kind;
  }

  /** Keys that have entries, in any state. */
  keys(): Set<MapKey> {
    const all = new Set<MapKey>();
    for (const { keys } of this.#states.values()) for (const key of keys.keys()) all.add(key);
    return all;
  }

  /** The entries that a key has in a state; nothing may be changed in it. */
  of(state: string, key: MapKey): EntryNames | undefined {
    return this.#states.get(state)?.keys.get(key);
  }

  /** The entries of all keys in a state; they may come and go meanwhile. */
  *all(state: string): IterableIterator<readonly [key: MapKey, entry: MapKey, name: string]> {
    for (const [key, names] of this.#states.get(state)?.keys ?? []) {
      for (const [entry, name] of names) yield [key, entry, name];
    }
  }

  /** The entries of a key in ascending order, with their values; they are numbers. Nothing may be changed in it. */
  sorted(names: EntryNames): Readonly<SortedEntries> {
    return names.sorted(name => this.#table.get(name));
  }

  /** The value under a name that `of` showed. */
  value(name: string): unknown {
    return this.#table.get(name);
  }

  set(state: string, key: MapKey, entry: MapKey, value: unknown): void {
    this.#table.set(this.#added(state, this.#kinds.get(state) ?? 'map', key, entry), value);
    this.of(state, key)?.wasSet(entry, value);
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
    for (const key of [...(this.#states.get(state)?.keys.keys() ?? [])]) this.clear(state, key);
  }

  /** Puts what a snapshot holds; as `KeyedState.restore`. */
  restore(name: MapKey, value: unknown): void {
    const { state, kind, key, entry } = entryOf(name);
    this.#table.restore(this.#added(state, kind, key, entry), value);
    this.of(state, key)?.forgetOrder();
  }

  /** Applies a deletion that a snapshot holds; as `KeyedState.restoreDeletion`. */
  restoreDeletion(name: MapKey): void {
    const { state, key, entry } = entryOf(name);
    this.#removed(state, key, entry);
    this.#table.restoreDeletion(name);
  }

  /** Gives each value of a state, as a snapshot holds it, the form in which the actor works with it; at restore. */
  reform(state: string, reformed: (stored: unknown, key: MapKey, entry: MapKey) => unknown): void {
    for (const [key, entry, name] of this.all(state)) {
      this.#table.restore(name, reformed(this.#table.get(name), key, entry));
      this.of(state, key)?.forgetOrder();
    }
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

  #added(state: string, kind: StateKindName, key: MapKey, entry: MapKey): string {
    const { keys } = madeIfMissing(this.#states, state, () => ({ kind, keys: new Map<MapKey, EntryNames>() }));
    const entries = madeIfMissing(keys, key, () => new EntryNames());
    let name = entries.get(entry);
    if (name === undefined) {
      name = nameOf(state, kind, key, entry);
      if (kind === 'list') {
        if (entries.size === 0) entries.first = entry as number;
        entries.next = (entry as number) + 1;
      }
      entries.set(entry, name);
    }
    return name;
  }

  #removed(state: string, key: MapKey, entry: MapKey): string | undefined {
    const index = this.#states.get(state);
    const entries = index?.keys.get(key);
    const name = entries?.get(entry);
    if (!index || !entries || name === undefined) return undefined;
    entries.delete(entry);
    entries.wasRemoved(entry);
    while (entries.first < entries.next && !entries.has(entries.first)) entries.first++;
    if (entries.size === 0) index.keys.delete(key);
    if (index.keys.size === 0) this.#states.delete(state);
    return name;
  }
}

/** An entry that a name in the table stands for. */
export interface Entry {
  readonly state: string;
  readonly kind: StateKindName;
  readonly key: MapKey;
  readonly entry: MapKey;
}

// A name is a tuple: state, key, entry and, but for maps, a letter for the kind. A key in its form for a `Map`, whatever it is, is
// an atom of it. Names are stored in snapshots.
const letters = { map: '', value: 'v', list: 'l', aggregating: 'a' } as const;
const kinds = new Map(Object.entries(letters).map(([kind, letter]) => [letter as KeyAtom, kind as StateKindName]));

/** The name under which an entry stands in the table. */
export function nameOf(state: string, kind: StateKindName, key: MapKey, entry: MapKey): string {
  return mapKey(kind === 'map' ? [state, key, entry] : [state, key, entry, letters[kind]]) as string;
}

export function entryOf(name: MapKey): Entry {
  const parts = keyOf(name);
  if (Array.isArray(parts) && (parts.length === 3 || parts.length === 4)) {
    const [state, key, entry, letter = ''] = parts as [KeyAtom, KeyAtom, KeyAtom, KeyAtom?];
    const kind = kinds.get(letter);
    if (typeof state === 'string' && kind !== undefined) return { state, kind, key, entry };
  }
  throw new StateLostError(
    'A snapshot holds an entry of a state that cannot be read. Run the version of Tidemark that wrote it, or a newer one, or ' +
      'restore an older checkpoint.',
  );
}

function madeIfMissing<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
