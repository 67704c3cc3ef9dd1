import type { MapKey } from './key.ts';
import { EntryNames, type KeyedEntries } from './keyed-entries.ts';
import { returnedState } from './state-update.ts';
import { undrafted } from './undrafted.ts';

/** What the states of an actor need of it. */
export interface StateOwner {
  /** The key whose record is handled. */
  readonly currentKey: MapKey;
  readonly freezesState: boolean;
  /** Whether handlers work on a draft, parts of which may be put into a state. */
  readonly drafts: boolean;
}

/** What a handler is given for a declared state: what it changes is staged until the handler returns. */
export interface StagedState {
  /** Puts what was staged into the entries of the key. */
  apply(): void;
  /** Forgets what was staged: the handler threw. */
  discard(): void;
}

const none = new EntryNames();

/** The entries of one declared state, those of the key whose record is handled. */
export class StateEntries {
  readonly #name: string;
  readonly #entries: KeyedEntries;
  readonly #owner: StateOwner;

  constructor(name: string, entries: KeyedEntries, owner: StateOwner) {
    this.#name = name;
    this.#entries = entries;
    this.#owner = owner;
  }

  get size(): number {
    return this.#names().size;
  }

  has(entry: MapKey): boolean {
    return this.#names().has(entry);
  }

  get(entry: MapKey): unknown {
    const name = this.#names().get(entry);
    return name === undefined ? undefined : this.#entries.value(name);
  }

  /** In the order in which they came. */
  keys(): Iterable<MapKey> {
    return this.#names().keys();
  }

  /** Of a list: no entry has an index below `first`, or `next` and above. */
  get bounds(): Readonly<Pick<EntryNames, 'first' | 'next'>> {
    return this.#names();
  }

  /** `value` as `stored` answered it. */
  set(entry: MapKey, value: unknown): void {
    this.#entries.set(this.#name, this.#owner.currentKey, entry, value);
  }

  delete(entry: MapKey): void {
    this.#entries.delete(this.#name, this.#owner.currentKey, entry);
  }

  clear(): void {
    this.#entries.clear(this.#name, this.#owner.currentKey);
  }

  /** A value as it may be stored: it cannot change any more. */
  stored(value: unknown): unknown {
    const { drafts, freezesState } = this.#owner;
    const finished = drafts ? undrafted(value) : value;
    return finished === undefined ? undefined : returnedState<unknown>(undefined, finished, freezesState);
  }

  #names(): EntryNames {
    return this.#entries.of(this.#name, this.#owner.currentKey) ?? none;
  }
}
