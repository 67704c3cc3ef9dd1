import type { Stamped } from '../checkpoint/stamped-value.ts';
import type { Expiry } from './expiry.ts';
import type { MapKey } from './key.ts';
import { EntryNames, type KeyedEntries, placeIn } from './keyed-entries.ts';
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

/** The entries of one declared state, those of the key whose record is handled; what has expired is not there. */
export class StateEntries {
  readonly #name: string;
  readonly #entries: KeyedEntries;
  readonly #owner: StateOwner;
  /** When it expires; its values are stamped then. */
  readonly #expiry: Expiry | undefined;
  /** What the handler has read, where that counts. */
  readonly #read = new Set<MapKey>();

  constructor(name: string, entries: KeyedEntries, owner: StateOwner, expiry?: Expiry) {
    this.#name = name;
    this.#entries = entries;
    this.#owner = owner;
    this.#expiry = expiry;
  }

  get size(): number {
    const names = this.#names();
    if (!this.#expiry?.canHaveExpired) return names.size;
    let size = 0;
    for (const name of names.values()) if (!this.#isOver(name)) size++;
    return size;
  }

  has(entry: MapKey): boolean {
    const name = this.#names().get(entry);
    return name !== undefined && !this.#isOver(name);
  }

  get(entry: MapKey): unknown {
    const name = this.#names().get(entry);
    if (name === undefined) return undefined;
    const value = this.#entries.value(name);
    if (this.#expiry === undefined) return value;
    return this.#expiry.isOver(value as Stamped) ? undefined : (value as Stamped).value;
  }

  /** In the order in which they came. */
  *keys(): Iterable<MapKey> {
    for (const [entry, name] of this.#names()) if (!this.#isOver(name)) yield entry;
  }

  /** In ascending order; the entries are numbers. A view: nothing may be changed while it is looked at. */
  sortedKeys(): readonly number[] {
    const { entries } = this.#entries.sorted(this.#names());
    if (!this.#expiry?.canHaveExpired) return entries;
    return entries.filter(entry => this.has(entry));
  }

  valuesBetween(from: number, until: number): unknown[] {
    const { entries, values } = this.#entries.sorted(this.#names());
    const some = values.slice(placeIn(entries, from), placeIn(entries, until));
    const expiry = this.#expiry;
    if (expiry === undefined) return some;
    return some.filter(value => !expiry.isOver(value as Stamped)).map(value => (value as Stamped).value);
  }

  /** Of a list: no entry has an index below `first`, or `next` and above. */
  get bounds(): Readonly<Pick<EntryNames, 'first' | 'next'>> {
    return this.#names();
  }

  /** Whether it counts what a handler reads. */
  get notesReads(): boolean {
    return this.#expiry?.lifetime.since === 'read';
  }

  /** A handler has read an entry: where that counts, it lives longer when the handler has returned. */
  noteRead(entry: MapKey): void {
    if (this.#expiry?.lifetime.since !== 'read') return;
    this.#expiry.verifyTime();
    this.#read.add(entry);
  }

  /** `value` as `stored` answered it. */
  set(entry: MapKey, value: unknown): void {
    this.#put(entry, this.#expiry === undefined ? value : this.#expiry.written(this.#living(entry), value));
  }

  delete(entry: MapKey): void {
    this.#entries.delete(this.#name, this.#owner.currentKey, entry);
  }

  clear(): void {
    this.#entries.clear(this.#name, this.#owner.currentKey);
  }

  /** Lets the entries live longer that the handler has read. */
  applyReads(): void {
    if (this.#read.size === 0) return;
    for (const entry of this.#read) {
      const living = this.#living(entry);
      const renewed = living && this.#expiry?.read(living);
      if (renewed) this.#put(entry, renewed);
    }
    this.#read.clear();
  }

  discardReads(): void {
    if (this.#read.size > 0) this.#read.clear();
  }

  /** A value as it may be stored: it cannot change any more. */
  stored(value: unknown): unknown {
    this.#expiry?.verifyTime();
    const { drafts, freezesState } = this.#owner;
    const finished = drafts ? undrafted(value) : value;
    return finished === undefined ? undefined : returnedState<unknown>(undefined, finished, freezesState);
  }

  #put(entry: MapKey, stored: unknown): void {
    this.#entries.set(this.#name, this.#owner.currentKey, entry, stored);
  }

  /** What is stored under an entry; one that has expired is removed, so that the next takes its place anew. */
  #living(entry: MapKey): Stamped | undefined {
    const name = this.#names().get(entry);
    if (name === undefined) return undefined;
    if (!this.#isOver(name)) return this.#entries.value(name) as Stamped;
    this.delete(entry);
    return undefined;
  }

  #isOver(name: string): boolean {
    return this.#expiry?.isOver(this.#entries.value(name) as Stamped) ?? false;
  }

  #names(): EntryNames {
    return this.#entries.of(this.#name, this.#owner.currentKey) ?? none;
  }
}
