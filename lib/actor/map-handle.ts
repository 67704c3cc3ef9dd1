import type { KeyAtom } from '../stream/elements.ts';
import { keyOf, type MapKey, mapKey } from './key.ts';
import { placeIn } from './keyed-entries.ts';
import type { MapState } from './map-state.ts';
import type { StagedState, StateEntries } from './state-entries.ts';

const deleted = Symbol('deleted');
const none: readonly MapKey[] = [];

/**
 * A map state as a handler sees it: what it changes is staged, seen by itself at once, and put into the entries when it returns;
 * after a throw none of it happened.
 */
export class MapHandle implements MapState<KeyAtom, unknown>, StagedState {
  readonly #entries: StateEntries;
  /** What was changed, by entry. */
  readonly #staged = new Map<MapKey, unknown>();
  /** All that was there before what is staged is gone. */
  #isCleared = false;

  constructor(entries: StateEntries) {
    this.#entries = entries;
  }

  get size(): number {
    let size = this.#isCleared ? 0 : this.#entries.size;
    for (const [entry, value] of this.#staged) {
      if (this.#isStored(entry)) {
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
    if (this.#isCleared) return undefined;
    this.#entries.noteRead(name);
    return this.#entries.get(name);
  }

  has(entry: KeyAtom): boolean {
    const name = mapKey(entry);
    if (this.#staged.has(name)) return this.#staged.get(name) !== deleted;
    this.#entries.noteRead(name);
    return this.#isStored(name);
  }

  set(entry: KeyAtom, value: unknown): void {
    this.#staged.set(mapKey(entry), this.#entries.stored(value));
  }

  delete(entry: KeyAtom): void {
    const name = mapKey(entry);
    this.#staged.delete(name);
    if (this.#isStored(name)) this.#staged.set(name, deleted);
  }

  clear(): void {
    this.#staged.clear();
    this.#isCleared = true;
  }

  keys(): readonly KeyAtom[] {
    const keys: MapKey[] = [];
    for (const entry of this.#isCleared ? none : this.#entries.keys()) {
      if (this.#staged.get(entry) !== deleted) keys.push(entry);
    }
    for (const [entry, value] of this.#staged) if (value !== deleted && !this.#isStored(entry)) keys.push(entry);
    return keys.map(entry => keyOf(entry) as KeyAtom);
  }

  sortedKeys(): readonly number[] {
    if (!this.#isCleared && this.#staged.size === 0) return this.#entries.sortedKeys();
    return (this.keys() as number[]).sort((a, b) => a - b);
  }

  keysBetween(from: number, until: number): readonly number[] {
    const sorted = this.sortedKeys();
    return sorted.slice(placeIn(sorted, from), placeIn(sorted, until));
  }

  valuesBetween(from: number, until: number): readonly unknown[] {
    if (this.#isCleared || this.#staged.size > 0) return this.keysBetween(from, until).map(entry => this.get(entry));
    if (this.#entries.notesReads) for (const entry of this.keysBetween(from, until)) this.#entries.noteRead(entry);
    return this.#entries.valuesBetween(from, until);
  }

  apply(): void {
    if (!this.#isCleared && this.#staged.size === 0) {
      this.#entries.applyReads();
      return;
    }
    if (this.#isCleared) this.#entries.clear();
    for (const [entry, value] of this.#staged) {
      if (value === deleted) this.#entries.delete(entry);
      else this.#entries.set(entry, value);
    }
    this.#entries.applyReads();
    this.discard();
  }

  discard(): void {
    if (this.#staged.size > 0) this.#staged.clear();
    this.#isCleared = false;
    this.#entries.discardReads();
  }

  #isStored(entry: MapKey): boolean {
    return !this.#isCleared && this.#entries.has(entry);
  }
}
