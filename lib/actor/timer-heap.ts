import type { MapKey } from './key.ts';

/** A timer of one key. */
export class Timer {
  readonly key: MapKey;
  /** In ms; what the clock is, the queue's owner knows. */
  readonly time: number;
  /** Rises with registration. */
  readonly order: number;
  /** Its name in the table of timers. */
  readonly name: string;
  /** Where it stands in the heap; -1 when it is in none. */
  position = -1;

  constructor(key: MapKey, time: number, order: number, name: string) {
    this.key = key;
    this.time = time;
    this.order = order;
    this.name = name;
  }
}

/** A binary heap of timers, earliest first and in order of registration; each knows its place, so any can be taken out. */
export class TimerHeap {
  readonly #timers: Timer[] = [];

  get first(): Timer | undefined {
    return this.#timers[0];
  }

  add(timer: Timer): void {
    timer.position = this.#timers.length;
    this.#timers.push(timer);
    this.#rise(timer);
  }

  remove(timer: Timer): void {
    const { position } = timer;
    timer.position = -1;
    const last = this.#timers.pop() as Timer;
    if (last === timer) return;
    last.position = position;
    this.#timers[position] = last;
    this.#rise(last);
    this.#sink(last);
  }

  #rise(timer: Timer): void {
    const timers = this.#timers;
    let { position } = timer;
    while (position > 0) {
      const above = (position - 1) >> 1;
      const other = timers[above] as Timer;
      if (!isBefore(timer, other)) break;
      timers[position] = other;
      other.position = position;
      position = above;
    }
    timers[position] = timer;
    timer.position = position;
  }

  #sink(timer: Timer): void {
    const timers = this.#timers;
    let { position } = timer;
    for (;;) {
      let below = 2 * position + 1;
      if (below >= timers.length) break;
      if (below + 1 < timers.length && isBefore(timers[below + 1] as Timer, timers[below] as Timer)) below++;
      const other = timers[below] as Timer;
      if (!isBefore(other, timer)) break;
      timers[position] = other;
      other.position = position;
      position = below;
    }
    timers[position] = timer;
    timer.position = position;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}
