import type { Json } from '../checkpoint/manifest.ts';
import type { WatermarkStrategy } from './strategy.ts';

/** The event time of one partition. */
export interface PartitionClock {
  readonly name: string;
  /** What the strategy remembers; of a bound, the highest timestamp (`-Infinity` before the first). */
  state: Json;
  watermark: number;
  isIdle: boolean;
  hasEnded: boolean;
}

/** The event times of a source's partitions as one watermark: the lowest of those that still say something. */
export class PartitionClocks<T> {
  readonly #strategy: WatermarkStrategy<T>;
  readonly #clocks = new Map<string, PartitionClock>();
  readonly #restored: Map<string, Json>;
  #watermark: number;

  /** `restored`: what `stored` gave, and the watermark that was reached then. */
  constructor(strategy: WatermarkStrategy<T>, restored?: Json, watermark = Number.NEGATIVE_INFINITY) {
    this.#strategy = strategy;
    this.#watermark = watermark;
    this.#restored = statesOf(strategy, restored);
    if (this.#restored.has('')) this.of('');
  }

  get all(): Iterable<PartitionClock> {
    return this.#clocks.values();
  }

  get isEmpty(): boolean {
    return this.#clocks.size === 0;
  }

  get watermark(): number {
    return this.#watermark;
  }

  /** Whether no partition is expected to say anything: each is idle, and there is one. */
  get areIdle(): boolean {
    let isAnyIdle = false;
    for (const { isIdle, hasEnded } of this.#clocks.values()) {
      if (!isIdle && !hasEnded) return false;
      isAnyIdle ||= isIdle;
    }
    return isAnyIdle;
  }

  /** The partition whose watermark is the lowest, when there are several. */
  get heldBackBy(): string | undefined {
    let lowest: PartitionClock | undefined;
    for (const clock of this.#clocks.values()) {
      if (!clock.isIdle && !clock.hasEnded && (!lowest || clock.watermark < lowest.watermark)) lowest = clock;
    }
    return lowest?.name || undefined;
  }

  /** The clock of a partition, which from now on holds the watermark back. */
  of(name: string): PartitionClock {
    const known = this.#clocks.get(name);
    if (known) return known;
    const { bound } = this.#strategy;
    const state = this.#restored.get(name) ?? (bound === undefined ? this.#strategy.init() : Number.NEGATIVE_INFINITY);
    const clock = { name, state, watermark: this.#watermarkOf(state), isIdle: false, hasEnded: false };
    this.#clocks.set(name, clock);
    this.#restored.delete(name);
    return clock;
  }

  remove(name: string): void {
    this.#clocks.delete(name);
  }

  /** The records of one partition from `from` to before `until`; those without a time (`NaN`) say nothing. */
  saw(name: string, values: readonly T[], timestamps: readonly number[], from: number, until: number): void {
    const clock = this.of(name);
    clock.isIdle = false;
    const { bound } = this.#strategy;
    if (bound === undefined) {
      for (let i = from; i < until; i++) {
        const timestamp = timestamps[i] as number;
        if (!Number.isNaN(timestamp)) clock.state = this.#strategy.next(clock.state, timestamp, values[i] as T);
      }
    } else {
      let highest = clock.state as number;
      for (let i = from; i < until; i++) {
        const timestamp = timestamps[i] as number;
        if (timestamp > highest) highest = timestamp;
      }
      clock.state = highest;
    }
    clock.watermark = Math.max(clock.watermark, this.#watermarkOf(clock.state));
  }

  /**
   * Works out the watermark anew; it never goes back. Where all partitions are idle it is the highest of theirs: as if the one
   * that is furthest had become idle last.
   */
  advance(): number {
    let lowest = Number.POSITIVE_INFINITY;
    let highest = Number.NEGATIVE_INFINITY;
    for (const { watermark, isIdle, hasEnded } of this.#clocks.values()) {
      if (hasEnded) continue;
      if (!isIdle && watermark < lowest) lowest = watermark;
      if (watermark > highest) highest = watermark;
    }
    if (this.areIdle) lowest = highest;
    if (lowest !== Number.POSITIVE_INFINITY && lowest > this.#watermark) this.#watermark = lowest;
    return this.#watermark;
  }

  /** What a checkpoint keeps: the states of all partitions that have one. */
  stored(): Json {
    const partitions: Record<string, Json> = {};
    for (const { name, state } of this.#clocks.values()) {
      if (state !== Number.NEGATIVE_INFINITY) partitions[name] = state;
    }
    return { by: kindOf(this.#strategy), partitions };
  }

  #watermarkOf(state: Json): number {
    const { bound } = this.#strategy;
    return bound === undefined ? this.#strategy.watermark(state) : (state as number) - bound - 1;
  }
}

const kindOf = (strategy: WatermarkStrategy<never>): string => (strategy.bound === undefined ? 'custom' : 'bound');

/** Nothing where another kind of strategy wrote it: the watermark that was reached holds all the same. */
function statesOf(strategy: WatermarkStrategy<never>, restored: Json | undefined): Map<string, Json> {
  const stored = restored as { by?: string; partitions?: Record<string, Json> } | null | undefined;
  return new Map(stored?.by === kindOf(strategy) ? Object.entries(stored.partitions ?? {}) : []);
}
