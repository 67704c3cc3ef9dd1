import { InternalError } from '../errors.ts';
import type { MapKey } from './key.ts';
import { decodeKey } from './key-codec.ts';
import { SortedTimers } from './sorted-timers.ts';
import { dead, TimerCapture, TimerReader } from './timer-capture.ts';
import type { Timer } from './timer-heap.ts';
import { parseName } from './timer-name.ts';

export type { TimerCapture } from './timer-capture.ts';
export type { Timer } from './timer-heap.ts';

/**
 * The timers of an actor on one clock, at most one for each key and time. They fall due in order of time, then of
 * registration, which a restore keeps: snapshots hold them in the order in which they were added.
 *
 * What changed since the last commit is listed in `#changed`: timers that were set, and timers that were taken out. A timer never
 * changes, so it is listed once as set, with the epoch in which it was; those from `#listedFrom` on are in the list, and one of an
 * earlier epoch there is a deletion. One that is taken out while it is there is dead, and counts no more. A capture takes the list
 * and starts an epoch. Applied in their order, entries give back what there was: a deletion may be followed by a timer of the same
 * key and time.
 */
export class TimerQueue {
  readonly #timers = new SortedTimers();
  #size = 0;
  #added = 0;
  #changed: Timer[] = [];
  #dead = 0;
  /** Timers in the list that are there. */
  #listed = 0;
  #epoch = 1;
  #listedFrom = 1;
  #open: TimerCapture | undefined;
  /** As in `KeyedState`. */
  #needsFull = true;

  get size(): number {
    return this.#size;
  }

  /** Whether anything differs from the last committed capture (or from what was restored). */
  get isChanged(): boolean {
    return this.#changed.length > this.#dead || this.#open !== undefined;
  }

  /** Sets a timer; nothing happens when the key has one for this time. `time` is not NaN. */
  add(key: MapKey, time: number): void {
    const timer = this.#put(key, time, this.#epoch);
    if (timer !== undefined) this.#list(timer);
  }

  remove(key: MapKey, time: number): void {
    const timer = this.#timers.take(key, time + 0);
    if (timer !== undefined) this.#tookOut(timer);
  }

  /** Takes out the next timer that is due at `upTo` or before. */
  popDue(upTo: number): Timer | undefined {
    const timer = this.#timers.takeDue(upTo);
    if (timer !== undefined) this.#tookOut(timer);
    return timer;
  }

  /** The order of the timer that was added last. */
  get lastOrder(): number {
    return this.#added - 1;
  }

  /** When the next timer falls due. */
  nextTime(): number | undefined {
    return this.#timers.firstTime;
  }

  /** All timers, in the order in which they were added. Takes more than a moment where they are many. */
  [Symbol.iterator](): IterableIterator<Timer> {
    return [...this.#timers].sort((a, b) => a.order - b.order).values();
  }

  /** Puts the timer that an entry of a snapshot names; it does not count as a change. Only before the first change. */
  restore(bytes: Uint8Array, start: number, end: number): void {
    const { key, time } = parseName(decodeKey(bytes, start, end));
    this.#put(key, time, 0);
    this.#needsFull = false;
  }

  /** Applies a deletion that a snapshot holds; it does not count as a change. Only before the first change. */
  restoreDeletion(bytes: Uint8Array, start: number, end: number): void {
    const { key, time } = parseName(decodeKey(bytes, start, end));
    if (this.#timers.take(key, time) !== undefined) this.#size--;
    this.#needsFull = false;
  }

  /** Makes the next capture hold every timer, as after a migration: for the time of restore. */
  markAllChanged(): void {
    if (this.#open)
      throw new InternalError('All timers were marked as changed while a capture is open. Please report this.');
    for (const timer of this) {
      if (timer.epoch >= this.#listedFrom) continue;
      timer.epoch = this.#epoch;
      this.#list(timer);
    }
    this.#needsFull = true;
  }

  /** What changed since the last committed capture, as it is now; in O(1). At most one is open at a time. */
  capture(): TimerCapture {
    if (this.#open) throw new InternalError('Timers were captured while a capture is open. Please report this.');
    const capture = new TimerCapture(this.#changed, {
      dead: this.#dead,
      listed: this.#listed,
      listedFrom: this.#listedFrom,
      isFull: this.#needsFull,
      canBeFull: this.#needsFull || this.#listed === this.#size,
    });
    this.#open = capture;
    this.#changed = [];
    this.#dead = 0;
    this.#listed = 0;
    this.#epoch++;
    this.#listedFrom = this.#epoch;
    return capture;
  }

  /** The checkpoint of this capture was committed: the next one is relative to it. */
  commit(capture: TimerCapture): void {
    if (this.#open !== capture)
      throw new InternalError('A capture that is not open was committed. Please report this.');
    capture.close();
    this.#open = undefined;
    if (capture.isFull) this.#needsFull = false;
  }

  /** The checkpoint of this capture does not count: the next one holds its changes too. Does nothing when it is not open. */
  abandon(capture: TimerCapture): void {
    if (this.#open !== capture) return;
    const newer = this.#changed;
    this.#changed = capture.close();
    this.#dead = capture.dead;
    this.#listed = capture.listed;
    for (const timer of newer) {
      if (timer.epoch === dead) continue;
      if (timer.epoch >= this.#listedFrom) this.#list(timer);
      else if (timer.epoch >= capture.listedFrom) this.#bury(timer);
      else this.#changed.push(timer);
    }
    this.#open = undefined;
    this.#listedFrom = capture.listedFrom;
    this.#sweep();
  }

  /** Reads a capture in slices; in full where it can be and `isFull` says so. */
  reader(capture: TimerCapture, isFull = capture.isFull): TimerReader {
    return new TimerReader(capture, isFull);
  }

  #list(timer: Timer): void {
    this.#changed.push(timer);
    this.#listed++;
  }

  /** A timer in the list that is no longer there. */
  #bury(timer: Timer): void {
    timer.epoch = dead;
    this.#dead++;
    this.#listed--;
  }

  /** Keeps the list in proportion to what changed, however often timers come and go. */
  #sweep(): void {
    if (this.#dead < 1_024 || this.#dead * 2 < this.#changed.length) return;
    this.#changed = this.#changed.filter(({ epoch }) => epoch !== dead);
    this.#dead = 0;
  }

  /** Nothing where the key has a timer for this time. */
  #put(key: MapKey, at: number, epoch: number): Timer | undefined {
    const timer = this.#timers.add(key, at + 0, this.#added, epoch); // -0 becomes 0
    if (timer === undefined) return undefined;
    this.#added++;
    this.#size++;
    return timer;
  }

  #tookOut(timer: Timer): void {
    this.#size--;
    if (timer.epoch < this.#listedFrom) {
      this.#changed.push(timer);
      return;
    }
    this.#bury(timer);
    this.#sweep();
  }
}
