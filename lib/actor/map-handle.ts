import type { KeyAtom } from '../stream/elements.ts';
import { keyOf, type MapKey, mapKey } from './key.ts';
import type { KeyedEntries } from './keyed-entries.ts';
import type { MapState } from './map-state.ts';
import { returnedState } from './state-update.ts';

const deleted = Symbol('deleted');
const none: ReadonlyMap<MapKey, string> = new Map();

/** What a map state needs of its actor. */
export interface MapOwner {
  /** The key whose record is handled. */
  readonly currentKey: MapKey;
  readonly freezesState: boolean;
}

/**
 * A map state as a handler sees it: what it changes is staged, seen by itself at once, and put into the entries when it returns;
 * after a throw none of it happened.
 */
export class MapHandle implements MapState<KeyAtom, unknown> {
  readonly #name: string;
  readonly #entries: KeyedEntries;
  readonly #owner: MapOwner;
  /** What was changed, by entry. */
  readonly #staged = new Map<MapKey, unknown>();
  /** All that was there before what is staged is gone. */
  #isCleared = false;

  constructor(name: string, entries: KeyedEntries, owner: MapOwner) {
    this.#name = name;
    this.#entries = entries;
    this.#owner = owner;
  }

  get isStaged(): boolean {
    return this.#isCleared || this.#staged.size > 0;
  }

  get size(): number {
    const stored = this.#stored();
    let { size } = stored;
    for (const [entry, value] of this.#staged) {
      if (stored.has(entry)) {
        if (value === deleted) size--;
      } else if (value !== deleted) size++;
    }
    return size;
  }

  get(entry: KeyAtom): unknown {
    const name = mapKey(entry);
    if (this.#staged.size > 0) {
      const value = this.#staged.get(name);
      if (value === deleted) return undefined;
      if (value !== undefined || this.#staged.has(name)) return value;
    }
    const stored = this.#stored().get(name);
    return stored === undefined ? undefined : this.#entries.value(stored);
  }

  has(entry: KeyAtom): boolean {
    const name = mapKey(entry);
    if (this.#staged.has(name)) return this.#staged.get(name) !== deleted;
    return this.#stored().has(name);
  }

  set(entry: KeyAtom, value: unknown): void {
    const name = mapKey(entry);
    const { freezesState } = this.#owner;
    this.#staged.set(name, value === undefined ? undefined : returnedState<unknown>(undefined, value, freezesState));
  }

  delete(entry: KeyAtom): void {
    const name = mapKey(entry);
    this.#staged.delete(name);
    if (this.#stored().has(name)) this.#staged.set(name, deleted);
  }

  clear(): void {
    this.#staged.clear();
    this.#isCleared = true;
  }

  keys(): readonly KeyAtom[] {
    const stored = this.#stored();
    const keys: MapKey[] = [];
    for (const entry of stored.keys()) if (this.#staged.get(entry) !== deleted) keys.push(entry);
    for (const [entry, value] of this.#staged) if (value !== deleted && !stored.has(entry)) keys.push(entry);
    return keys.map(entry => keyOf(entry) as KeyAtom);
  }

  /** Puts what was staged into the entries of the key. */
  apply(): void {
    if (!this.isStaged) return;
    const key = this.#owner.currentKey;
    if (this.#isCleared) this.#entries.clear(this.#name, key);
    for (const [entry, value] of this.#staged) {
      if (value === deleted) this.#entries.delete(this.#name, key, entry);
      else this.#entries.set(this.#name, key, entry, value);
    }
    this.discard();
  }

  discard(): void {
    if (this.#staged.size > 0) this.#staged.clear();
    this.#isCleared = false;
  }

  #stored(): ReadonlyMap<MapKey, string> {
    if (this.#isCleared) return none;
    return this.#entries.of(this.#name, this.#owner.currentKey) ?? none;
  }
}
