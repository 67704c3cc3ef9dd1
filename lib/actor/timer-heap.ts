import type { MapKey } from './key.ts';

/** A timer of one key. */
export class Timer {
  readonly key: MapKey;
  /** In ms; what the clock is, the queue's owner knows. */
  readonly time: number;
  /** Rises with registration. */
  readonly order: number;
  /** For its queue: when it was set. */
  epoch: number;
  /** Whether it was taken out of its heap. */
  isGone = false;

  constructor(key: MapKey, time: number, order: number, epoch: number) {
    this.key = key;
    this.time = time;
    this.order = order;
    this.epoch = epoch;
  }
}

/** Timers below one in the heap: their times lie beside one another, so that the earliest is found in one look at the memory. */
const arity = 4;

/**
 * A heap of timers, earliest first and in order of registration. Times and orders lie in arrays of their own: with a million
 * timers, looking into the timers themselves would take most of the time. For the same reason no timer knows its place; one that
 * is taken out stays until its turn comes, or until half of them are gone.
 */
export class TimerHeap {
  #timers: Timer[] = [];
  #times: number[] = [];
  #orders: number[] = [];
  #gone = 0;

  get first(): Timer | undefined {
    while (this.#timers[0]?.isGone) {
      this.#removeFirst();
      this.#gone--;
    }
    return this.#timers[0];
  }

  add(timer: Timer): void {
    this.#rise(this.#timers.length, timer);
  }

  remove(timer: Timer): void {
    timer.isGone = true;
    if (this.#timers[0] === timer) {
      this.#removeFirst();
      return;
    }
    this.#gone++;
    if (this.#gone > 1_024 && this.#gone * 2 > this.#timers.length) this.#rebuild();
  }

  #removeFirst(): void {
    const last = this.#timers.pop() as Timer;
    this.#times.pop();
    this.#orders.pop();
    if (this.#timers.length > 0) this.#sink(0, last);
  }

  #rebuild(): void {
    const timers = this.#timers.filter(timer => !timer.isGone);
    this.#timers = timers;
    this.#times = timers.map(({ time }) => time);
    this.#orders = timers.map(({ order }) => order);
    this.#gone = 0;
    for (let position = (timers.length - 2) >> 2; position >= 0; position--) {
      this.#sink(position, timers[position] as Timer);
    }
  }

  #put(position: number, timer: Timer): void {
    this.#timers[position] = timer;
    this.#times[position] = timer.time;
    this.#orders[position] = timer.order;
  }

  #rise(from: number, timer: Timer): void {
    const [timers, times, orders] = [this.#timers, this.#times, this.#orders];
    const { time, order } = timer;
    let position = from;
    while (position > 0) {
      const above = (position - 1) >> 2;
      const timeAbove = times[above] as number;
      if (timeAbove < time || (timeAbove === time && (orders[above] as number) < order)) break;
      timers[position] = timers[above] as Timer;
      times[position] = timeAbove;
      orders[position] = orders[above] as number;
      position = above;
    }
    this.#put(position, timer);
  }

  #sink(from: number, timer: Timer): void {
    const [timers, times, orders] = [this.#timers, this.#times, this.#orders];
    const { length } = timers;
    const { time, order } = timer;
    let position = from;
    for (;;) {
      let below = arity * position + 1;
      if (below >= length) break;
      let least = times[below] as number;
      const end = Math.min(below + arity, length);
      for (let other = below + 1; other < end; other++) {
        const otherTime = times[other] as number;
        if (otherTime > least || (otherTime === least && (orders[other] as number) > (orders[below] as number)))
          continue;
        below = other;
        least = otherTime;
      }
      if (time < least || (time === least && order < (orders[below] as number))) break;
      timers[position] = timers[below] as Timer;
      times[position] = least;
      orders[position] = orders[below] as number;
      position = below;
    }
    this.#put(position, timer);
  }
}
