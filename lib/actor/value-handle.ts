import type { StagedState, StateEntries } from './state-entries.ts';
import type { ValueState } from './value-state.ts';

/** The one entry of a state that has but one. */
const only = 0;

const unchanged = Symbol('unchanged');
const cleared = Symbol('cleared');

/** A value state as a handler sees it; what it changes is staged. */
export class ValueHandle implements ValueState<unknown>, StagedState {
  readonly #entries: StateEntries;
  #staged: unknown = unchanged;

  constructor(entries: StateEntries) {
    this.#entries = entries;
  }

  get(): unknown {
    if (this.#staged === unchanged) {
      this.#entries.noteRead(only);
      return this.#entries.get(only);
    }
    return this.#staged === cleared ? undefined : this.#staged;
  }

  set(value: unknown): void {
    this.#staged = this.#entries.stored(value);
  }

  clear(): void {
    this.#staged = cleared;
  }

  apply(): void {
    if (this.#staged === cleared) this.#entries.delete(only);
    else if (this.#staged !== unchanged) this.#entries.set(only, this.#staged);
    this.#entries.applyReads();
    this.#staged = unchanged;
  }

  discard(): void {
    this.#staged = unchanged;
    this.#entries.discardReads();
  }
}
