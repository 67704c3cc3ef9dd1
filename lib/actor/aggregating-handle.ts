import type { AggregatingState, Aggregation } from './aggregating-state.ts';
import type { StagedState, StateEntries } from './state-entries.ts';
import { ValueHandle } from './value-handle.ts';

/** An aggregating state as a handler sees it; what it adds is staged. */
export class AggregatingHandle implements AggregatingState<unknown, unknown>, StagedState {
  readonly #accumulator: ValueHandle;
  readonly #aggregate: Aggregation<unknown, unknown, unknown>;

  constructor(entries: StateEntries, aggregate: Aggregation<unknown, unknown, unknown>) {
    this.#accumulator = new ValueHandle(entries);
    this.#aggregate = aggregate;
  }

  add(value: unknown): void {
    const accumulator = this.#accumulator.get();
    this.#accumulator.set(this.#aggregate.add(accumulator === undefined ? this.#aggregate.init() : accumulator, value));
  }

  get(): unknown {
    const accumulator = this.#accumulator.get();
    return accumulator === undefined ? undefined : this.#aggregate.result(accumulator);
  }

  clear(): void {
    this.#accumulator.clear();
  }

  apply(): void {
    this.#accumulator.apply();
  }

  discard(): void {
    this.#accumulator.discard();
  }
}
