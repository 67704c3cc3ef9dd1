import type { Pause } from './protocol.ts';

/** ms: shorter ones are not looked at one by one. */
const notable = 2;

/** The times between records of each partition. */
export class PauseMeter {
  readonly #now: () => number;
  readonly #last = new Map<number, number>();
  #pauses: Pause[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  handled(partition: number): void {
    const to = this.#now();
    const from = this.#last.get(partition);
    if (from !== undefined && to - from >= notable) this.#pauses.push({ partition, from, to });
    this.#last.set(partition, to);
  }

  /** What there was since the last call. */
  taken(): readonly Pause[] {
    const pauses = this.#pauses;
    this.#pauses = [];
    return pauses;
  }
}
