import { Stamped } from '../checkpoint/stamped-value.ts';
import type { MapKey } from './key.ts';
import type { KeyedEntries } from './keyed-entries.ts';
import type { Cell, KeyedState } from './keyed-state.ts';
import type { StateClock } from './state-clock.ts';
import type { Lifetime } from './ttl.ts';

/** So that removal keeps up with what comes: then an eighth of what is held has expired, on average. */
const looksPerWrite = 4;

/** What expires: the entries of a state, or the values of all keys. Entries may come and go while `items` is gone through. */
export interface Expiring<T> {
  items(): Iterator<T>;
  stamped(item: T): Stamped;
  remove(item: T): void;
}

export function expiringValues(values: KeyedState<unknown>): Expiring<unknown> {
  const expiring: Expiring<Cell<unknown>> = {
    items: () => values.cells(),
    stamped: ({ value }) => value as Stamped,
    remove: ({ key }) => values.delete(key),
  };
  return expiring as Expiring<unknown>;
}

export function expiringEntries(entries: KeyedEntries, state: string): Expiring<unknown> {
  const expiring: Expiring<readonly [MapKey, MapKey, string]> = {
    items: () => entries.all(state),
    stamped: ([, , name]) => entries.value(name) as Stamped,
    remove: ([key, entry]) => entries.delete(state, key, entry),
  };
  return expiring as Expiring<unknown>;
}

/**
 * When entries of one state expire, and their removal a few at a time: a pass goes through all of them, and begins only when
 * one can have expired. There is no queue of what expires next: nothing but a time is kept for an entry.
 */
export class Expiry {
  readonly lifetime: Lifetime;
  readonly #clock: StateClock;
  readonly #expiring: Expiring<unknown>;
  /** No entry expires before this. */
  #earliest = Number.POSITIVE_INFINITY;
  #pass: Iterator<unknown> | undefined;
  /** The same for what the pass has seen or has come since it began. */
  #earliestSeen = Number.POSITIVE_INFINITY;
  /** Entries that were written since the last look. */
  #written = 0;

  constructor(lifetime: Lifetime, clock: StateClock, expiring: Expiring<unknown>) {
    this.lifetime = lifetime;
    this.#clock = clock;
    this.#expiring = expiring;
  }

  /** Whether any entry can have expired. */
  get canHaveExpired(): boolean {
    return this.#clock.now(this.lifetime.on) >= this.#earliest;
  }

  isOver({ time }: Stamped): boolean {
    return this.#clock.now(this.lifetime.on) >= time + this.lifetime.afterMs;
  }

  /** What is stored, unless it has expired. */
  living(stored: unknown): Stamped | undefined {
    return stored === undefined || this.isOver(stored as Stamped) ? undefined : (stored as Stamped);
  }

  /** Throws a `UserCodeError` when the record has no time by which an entry could expire. */
  verifyTime(): void {
    this.#clock.stamp(this.lifetime.on);
  }

  /** What to store when a value is written in the place of `old`, which has not expired. */
  written(old: Stamped | undefined, value: unknown): Stamped {
    return old !== undefined && this.lifetime.since === 'created'
      ? new Stamped(value, old.at, old.clock)
      : this.#stamped(old, value);
  }

  /** What to store when a value was read; nothing when that does not count, or changes nothing. */
  read(old: Stamped): Stamped | undefined {
    if (this.lifetime.since !== 'read') return undefined;
    const renewed = this.#stamped(old, old.value);
    return renewed.at === old.at ? undefined : renewed;
  }

  /** A restored value, from now on when it has no time of this clock. */
  restored(stored: unknown, value: unknown): Stamped {
    const { on } = this.lifetime;
    const hasTime = stored instanceof Stamped && stored.clock === on && !Number.isNaN(stored.time);
    const at = hasTime ? stored.at : on === 'event' ? this.#clock.beginning : this.#clock.now(on);
    const stamped = new Stamped(value, at, on);
    this.#note(stamped);
    return stamped;
  }

  /** Looks at up to `budget` entries, or more where more were written, and removes those that have expired. */
  sweep(budget: number): void {
    const most = Math.max(budget, this.#written * looksPerWrite);
    this.#written = 0;
    if (!this.canHaveExpired) return;
    const looked = this.#look(most);
    // What the pass saw when it was alive may have expired before the pass was over.
    if (this.#pass === undefined && this.canHaveExpired) this.#look(most - looked);
  }

  /** Goes on with the pass, for so many entries at most; answers how many it looked at. */
  #look(most: number): number {
    if (this.#pass === undefined) {
      this.#pass = this.#expiring.items();
      this.#earliestSeen = Number.POSITIVE_INFINITY;
    }
    for (let looked = 0; looked < most; looked++) {
      const { done, value: item } = this.#pass.next();
      if (done) {
        this.#pass = undefined;
        this.#earliest = this.#earliestSeen;
        return looked;
      }
      const stamped = this.#expiring.stamped(item);
      if (this.isOver(stamped)) this.#expiring.remove(item);
      else this.#earliestSeen = Math.min(this.#earliestSeen, this.#due(stamped));
    }
    return most;
  }

  #stamped(old: Stamped | undefined, value: unknown): Stamped {
    const at = this.#clock.stamp(this.lifetime.on);
    // A record that comes late takes nothing from the life that a later one gave.
    const stamped =
      old !== undefined && typeof at === 'number' && old.time > at
        ? new Stamped(value, old.at, old.clock)
        : new Stamped(value, at, this.lifetime.on);
    this.#written++;
    this.#note(stamped);
    return stamped;
  }

  #note(stamped: Stamped): void {
    const due = this.#due(stamped);
    if (due < this.#earliest) this.#earliest = due;
    if (due < this.#earliestSeen) this.#earliestSeen = due;
  }

  /** When it expires at the earliest. */
  #due({ time }: Stamped): number {
    return Number.isNaN(time) ? Number.NEGATIVE_INFINITY : time + this.lifetime.afterMs;
  }
}
