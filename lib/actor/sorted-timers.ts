import type { MapKey } from './key.ts';
import { Timer } from './timer-heap.ts';
import { TimerRun } from './timer-run.ts';
import { TimersOfTime } from './timers-of-time.ts';

/** Times in a run at most: few enough to be looked through. */
const timesInRun = 128;

/**
 * Timers in order of time, then of registration; at most one for each key and time. The times lie in runs, and a list tells from
 * which time each run is. Only the first run is kept in order; another comes into order when the one before it is over. With a
 * million timers, what is looked at to find a place among them is in the processor's cache, as it is in no heap of them and in no
 * map of their keys.
 */
export class SortedTimers {
  readonly #runs = [new TimerRun()];
  /** By run: times from this one up to that of the next run are in it. */
  readonly #from = [Number.NEGATIVE_INFINITY];
  readonly #longestRun: number;

  /** `longestRun`: times in a run at most, from 2. */
  constructor(longestRun = timesInRun) {
    this.#longestRun = longestRun;
  }

  /** When the first falls due. */
  get firstTime(): number | undefined {
    return this.#run(0).firstTime;
  }

  /** Nothing happens, and nothing is answered, where the key has a timer for this time. `time` is neither NaN nor -0. */
  add(key: MapKey, time: number, order: number, epoch: number): Timer | undefined {
    const index = this.#indexOf(time);
    const run = this.#run(index);
    const at = run.indexOf(time);
    if (at < 0) {
      const timer = new Timer(key, time, order, epoch);
      this.#addTime(index, timer);
      return timer;
    }
    const held = run.at(at);
    if (held instanceof TimersOfTime) {
      if (held.find(key) !== undefined) return undefined;
      const timer = new Timer(key, time, order, epoch);
      held.add(timer);
      return timer;
    }
    if (Object.is(held.key, key)) return undefined;
    const timer = new Timer(key, time, order, epoch);
    run.replace(at, new TimersOfTime([held, timer]));
    return timer;
  }

  /** Takes out the first timer, if it is due at `upTo` or before. */
  takeDue(upTo: number): Timer | undefined {
    const run = this.#run(0);
    const { firstTime } = run;
    if (firstTime === undefined || firstTime > upTo) return undefined;
    const held = run.first as Timer | TimersOfTime;
    if (held instanceof TimersOfTime) {
      const timer = held.takeFirst();
      if (held.size === 0) this.#deleteFirst(run);
      return timer;
    }
    held.isGone = true;
    this.#deleteFirst(run);
    return held;
  }

  /** Takes out the timer of a key for a time. */
  take(key: MapKey, time: number): Timer | undefined {
    const index = this.#indexOf(time);
    const run = this.#run(index);
    const at = run.indexOf(time);
    if (at < 0) return undefined;
    const held = run.at(at);
    if (held instanceof TimersOfTime) {
      const timer = held.find(key);
      if (timer === undefined) return undefined;
      held.remove(timer);
      if (held.size === 0) this.#delete(index, at);
      return timer;
    }
    if (!Object.is(held.key, key)) return undefined;
    held.isGone = true;
    this.#delete(index, at);
    return held;
  }

  *[Symbol.iterator](): IterableIterator<Timer> {
    for (const run of this.#runs) {
      for (const held of run) {
        if (held instanceof TimersOfTime) yield* held;
        else yield held;
      }
    }
  }

  #run(index: number): TimerRun {
    return this.#runs[index] as TimerRun;
  }

  /** Of the run for a time. */
  #indexOf(time: number): number {
    const from = this.#from;
    let low = 0;
    let high = from.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((from[middle] as number) <= time) low = middle;
      else high = middle;
    }
    return low;
  }

  #addTime(index: number, timer: Timer): void {
    const { time } = timer;
    const run = this.#run(index);
    if (run.size < this.#longestRun) {
      if (index > 0 || run.isBehind(time)) run.add(time, timer);
      else run.insert(time, timer);
    } else if (index === this.#runs.length - 1 && run.isBehind(time)) {
      // In ascending order: the next run, rather than two that are half full.
      this.#insertRun(index + 1, time, new TimerRun());
      this.#addTime(index + 1, timer);
    } else {
      const [from, later] = run.split();
      this.#insertRun(index + 1, from, later);
      this.#addTime(time < from ? index : index + 1, timer);
    }
  }

  #insertRun(index: number, from: number, run: TimerRun): void {
    this.#runs.splice(index, 0, run);
    this.#from.splice(index, 0, from);
  }

  #deleteFirst(run: TimerRun): void {
    run.deleteFirst();
    if (run.size === 0) this.#deleteRun(0);
  }

  #delete(index: number, at: number): void {
    const run = this.#run(index);
    run.delete(at);
    if (run.size === 0) this.#deleteRun(index);
  }

  #deleteRun(index: number): void {
    if (this.#runs.length === 1) {
      this.#runs[0] = new TimerRun();
      return;
    }
    if (index > 0) {
      this.#runs.splice(index, 1);
      this.#from.splice(index, 1);
      return;
    }
    this.#runs.shift();
    this.#from.shift();
    this.#from[0] = Number.NEGATIVE_INFINITY;
    this.#run(0).sort();
  }
}
