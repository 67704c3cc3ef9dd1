import { InternalError } from '../errors.ts';
import type { CreditHolder } from './sink.ts';

/** What a task does about its credits; each is called once per change. */
export interface CreditEvents {
  /** All credits are held: pause the sources. */
  readonly onExhausted: () => void;
  /** At most half of them still are: resume. */
  readonly onAvailable: () => void;
}

/**
 * The credits of one task. A holder is never refused (the record is already there), so more than `limit` can be held for a
 * moment; no source gives more until at most half of the limit is held again.
 */
export class Credits {
  readonly limit: number;
  readonly #events: CreditEvents;
  readonly #holders = new Map<string, Holder>();
  #held = 0;
  #full = 0;
  #isExhausted = false;

  constructor(limit: number, events: CreditEvents) {
    this.limit = limit;
    this.#events = events;
  }

  /** How many are held in all. */
  get held(): number {
    return this.#held;
  }

  /** Whether sources are to be paused. */
  get isExhausted(): boolean {
    return this.#isExhausted;
  }

  /** The share of the holder with this name; the same one each time. */
  holder(name: string): CreditHolder {
    let holder = this.#holders.get(name);
    if (!holder) {
      holder = new Holder(name, (change, full) => this.#change(change, full));
      this.#holders.set(name, holder);
    }
    return holder;
  }

  /** Who holds how many, for a metric: holders by name, those with none included. */
  byHolder(): ReadonlyMap<string, number> {
    return new Map([...this.#holders].map(([name, holder]) => [name, holder.held]));
  }

  #change(change: number, full = 0): void {
    this.#held += change;
    this.#full += full;
    if (!this.#isExhausted && (this.#held >= this.limit || this.#full > 0)) {
      this.#isExhausted = true;
      this.#events.onExhausted();
    } else if (this.#isExhausted && this.#full === 0 && this.#held <= this.limit / 2) {
      this.#isExhausted = false;
      this.#events.onAvailable();
    }
  }
}

class Holder implements CreditHolder {
  held = 0;
  readonly #name: string;
  readonly #change: (change: number, full?: number) => void;
  #isFull = false;

  constructor(name: string, change: (change: number, full?: number) => void) {
    this.#name = name;
    this.#change = change;
  }

  acquire(count: number): void {
    this.#verify(count);
    this.held += count;
    this.#change(count);
  }

  release(count: number): void {
    this.#verify(count);
    if (count > this.held) {
      throw new InternalError(`"${this.#name}" released ${count} credits but held ${this.held}. Please report this.`);
    }
    this.held -= count;
    this.#change(-count);
  }

  full(isFull: boolean): void {
    if (isFull === this.#isFull) return;
    this.#isFull = isFull;
    this.#change(0, isFull ? 1 : -1);
  }

  #verify(count: number): void {
    if (Number.isInteger(count) && count >= 0) return;
    throw new InternalError(`"${this.#name}" changed its credits by ${count}. Please report this.`);
  }
}
