import type { ListState } from './list-state.ts';
import type { StagedState, StateEntries } from './state-entries.ts';

/**
 * A list state as a handler sees it: its elements lie in the entries under indexes that rise. What it changes is staged.
 */
export class ListHandle implements ListState<unknown>, StagedState {
  readonly #entries: StateEntries;
  #appended: unknown[] = [];
  /** Of what is stored, the index from which elements are still there. */
  #from = 0;
  /** Stored elements that were there and have been taken out. */
  #removed = 0;

  constructor(entries: StateEntries) {
    this.#entries = entries;
  }

  get size(): number {
    return this.#entries.size - this.#removed + this.#appended.length;
  }

  append(value: unknown): void {
    this.#appended.push(this.#entries.stored(value));
  }

  removeFirst(): unknown {
    const { first, next } = this.#entries.bounds;
    for (let index = Math.max(first, this.#from); index < next; index++) {
      if (!this.#entries.has(index)) continue;
      this.#from = index + 1;
      this.#removed++;
      return this.#entries.get(index);
    }
    return this.#appended.shift();
  }

  clear(): void {
    this.#from = this.#entries.bounds.next;
    this.#removed = this.#entries.size;
    this.#appended = [];
  }

  *[Symbol.iterator](): IterableIterator<unknown> {
    const { first, next } = this.#entries.bounds;
    for (let index = first; index < next; index++) {
      if (index < this.#from || !this.#entries.has(index)) continue;
      this.#entries.noteRead(index);
      yield this.#entries.get(index);
    }
    yield* this.#appended;
  }

  apply(): void {
    const { first, next } = this.#entries.bounds;
    for (let index = first; index < this.#from; index++) this.#entries.delete(index);
    for (const [at, value] of this.#appended.entries()) this.#entries.set(next + at, value);
    this.#entries.applyReads();
    this.discard();
  }

  discard(): void {
    if (this.#appended.length > 0) this.#appended = [];
    this.#from = 0;
    this.#removed = 0;
    this.#entries.discardReads();
  }
}
