import type { Timer } from './timer-heap.ts';
import type { TimersOfTime } from './timers-of-time.ts';

export type Held = Timer | TimersOfTime;

/** Times that are over before the run makes itself shorter. */
const manyOver = 64;

/** Some times with what is due at each. They are in order only once they have to be: to append one costs next to nothing. */
export class TimerRun {
  #times: number[] = [];
  #held: (Held | undefined)[] = [];
  /** Times before it are over: those of a run that is in order, and stays so. */
  #start = 0;
  #isSorted = true;

  get size(): number {
    return this.#times.length - this.#start;
  }

  /** Of a run that is in order; not there when it is empty. */
  get firstTime(): number | undefined {
    return this.#times[this.#start];
  }

  get first(): Held | undefined {
    return this.#held[this.#start];
  }

  /** Where `time` is; -1 where it is not there. */
  indexOf(time: number): number {
    const times = this.#times;
    if (!this.#isSorted) return times.indexOf(time);
    const at = this.#placeOf(time);
    return at < times.length && times[at] === time ? at : -1;
  }

  at(index: number): Held {
    return this.#held[index] as Held;
  }

  replace(index: number, held: Held): void {
    this.#held[index] = held;
  }

  /** Whether `time` is behind all others. */
  isBehind(time: number): boolean {
    const times = this.#times;
    return times.length === this.#start || (this.#isSorted && (times[times.length - 1] as number) < time);
  }

  /** Adds a time that is not there. */
  add(time: number, held: Held): void {
    this.#isSorted &&= this.isBehind(time);
    this.#times.push(time);
    this.#held.push(held);
  }

  /** The same in a run that is in order and stays so. */
  insert(time: number, held: Held): void {
    const times = this.#times;
    const all = this.#held;
    const at = this.#placeOf(time);
    let to = times.length;
    times.push(time);
    all.push(held);
    for (; to > at; to--) {
      times[to] = times[to - 1] as number;
      all[to] = all[to - 1];
    }
    times[at] = time;
    all[at] = held;
  }

  delete(index: number): void {
    this.#times.splice(index, 1);
    this.#held.splice(index, 1);
  }

  /** Of a run that is in order. */
  deleteFirst(): void {
    this.#held[this.#start] = undefined;
    this.#start++;
    if (this.#start < manyOver || this.#start * 2 < this.#times.length) return;
    this.#times.splice(0, this.#start);
    this.#held.splice(0, this.#start);
    this.#start = 0;
  }

  /** Puts the times in order. */
  sort(): void {
    if (this.#isSorted) return;
    const times = this.#times;
    const all = this.#held;
    const sorted = inOrder(times, 0);
    const held = new Array<Held | undefined>(times.length);
    for (let from = 0; from < times.length; from++) {
      held[placeIn(sorted, times[from] as number, 0, times.length)] = all[from];
    }
    for (let at = 0; at < times.length; at++) times[at] = sorted[at] as number;
    this.#held = held;
    this.#isSorted = true;
  }

  /** Cuts off the later half. Answers it, with its first time. */
  split(): readonly [from: number, later: TimerRun] {
    const times = this.#times;
    const all = this.#held;
    const start = this.#start;
    const from = inOrder(times, start)[(times.length - start) >>> 1] as number;
    const later = new TimerRun();
    this.#times = [];
    this.#held = [];
    this.#start = 0;
    this.#isSorted = true;
    for (let index = start; index < times.length; index++) {
      const time = times[index] as number;
      (time < from ? this : later).add(time, all[index] as Held);
    }
    return [from, later];
  }

  *[Symbol.iterator](): IterableIterator<Held> {
    for (const held of this.#held) if (held !== undefined) yield held;
  }

  #placeOf(time: number): number {
    return placeIn(this.#times, time, this.#start, this.#times.length);
  }
}

/** Where `time` is among ascending times, or would be. */
function placeIn(times: ArrayLike<number>, time: number, start: number, end: number): number {
  let low = start;
  let high = end;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] as number) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Used again, since memory of its own for each call would take longer than to put a few times in order. */
let scratch = new Float64Array(256);

/** The times from `start` on in ascending order, until the next call. */
function inOrder(times: readonly number[], start: number): Float64Array {
  const count = times.length - start;
  if (count > scratch.length) scratch = new Float64Array(2 * count);
  for (let at = 0; at < count; at++) scratch[at] = times[start + at] as number;
  return scratch.subarray(0, count).sort();
}
