import type { MapKey } from './key.ts';
import type { Timer } from './timer-heap.ts';

/** Timers that are looked through one by one to find that of a key. */
const few = 8;

/** The timers of one time, each of another key, in order of registration. */
export class TimersOfTime {
  #timers: Timer[];
  /** Where the first is, or one before it that was taken out. */
  #start = 0;
  #size: number;
  /** Timers that fired stay in it until the last has: nothing looks for most of them again. */
  #byKey: Map<MapKey, Timer> | undefined;

  constructor(timers: Timer[]) {
    this.#timers = timers;
    this.#size = timers.length;
  }

  get size(): number {
    return this.#size;
  }

  find(key: MapKey): Timer | undefined {
    if (this.#byKey !== undefined) {
      const timer = this.#byKey.get(key);
      return timer?.isGone ? undefined : timer;
    }
    for (let at = this.#start; at < this.#timers.length; at++) {
      const timer = this.#timers[at] as Timer;
      if (!timer.isGone && Object.is(timer.key, key)) return timer;
    }
    return undefined;
  }

  /** Its key has none. */
  add(timer: Timer): void {
    this.#timers.push(timer);
    this.#size++;
    if (this.#byKey !== undefined) this.#byKey.set(timer.key, timer);
    else if (this.#size > few) this.#byKey = new Map(Array.from(this, each => [each.key, each]));
  }

  /** There is one. */
  takeFirst(): Timer {
    let timer = this.#timers[this.#start++] as Timer;
    while (timer.isGone) timer = this.#timers[this.#start++] as Timer;
    timer.isGone = true;
    this.#size--;
    return timer;
  }

  remove(timer: Timer): void {
    timer.isGone = true;
    this.#size--;
    this.#byKey?.delete(timer.key);
    if (this.#timers.length <= 2 * (this.#size + few)) return;
    this.#timers = [...this];
    this.#start = 0;
  }

  *[Symbol.iterator](): IterableIterator<Timer> {
    for (let at = this.#start; at < this.#timers.length; at++) {
      const timer = this.#timers[at] as Timer;
      if (!timer.isGone) yield timer;
    }
  }
}
