import { InternalError } from '../errors.ts';
import { encodeKey } from './key-codec.ts';
import type { Timer } from './timer-heap.ts';
import { timerName } from './timer-name.ts';

/** The epoch of a timer in a list of changes that counts no more. */
export const dead = -1;

/** The changes of a queue at a barrier; they cannot change any more until the capture is committed or abandoned. */
export class TimerCapture {
  /** Whether it holds every timer, rather than what changed since the last committed capture. */
  readonly isFull: boolean;
  /** Whether it can be read in full, because it must be or because every timer has come since the last committed capture. */
  readonly canBeFull: boolean;
  /** For the queue: what it needs to take the capture back. */
  readonly dead: number;
  readonly listed: number;
  readonly listedFrom: number;
  #changes: Timer[] | undefined;

  constructor(
    changes: Timer[],
    {
      dead,
      listed,
      listedFrom,
      isFull,
      canBeFull,
    }: Pick<TimerCapture, 'dead' | 'listed' | 'listedFrom' | 'isFull' | 'canBeFull'>,
  ) {
    this.#changes = changes;
    this.dead = dead;
    this.listed = listed;
    this.listedFrom = listedFrom;
    this.isFull = isFull;
    this.canBeFull = canBeFull;
  }

  /** Entries at most. */
  get size(): number {
    return this.changes().length - this.dead;
  }

  /** For the reader. */
  changes(): Timer[] {
    if (this.#changes === undefined)
      throw new InternalError('A capture was read after it was committed or abandoned. Please report this.');
    return this.#changes;
  }

  /** For the queue. */
  close(): Timer[] {
    const changes = this.changes();
    this.#changes = undefined;
    return changes;
  }
}

/** Reads captured timers in slices, as what `restore` and `restoreDeletion` take; in the order in which to apply them. */
export class TimerReader {
  readonly #capture: TimerCapture;
  readonly #isFull: boolean;
  #at = 0;

  constructor(capture: TimerCapture, isFull: boolean) {
    this.#capture = capture;
    this.#isFull = isFull;
  }

  /** Visits up to `maxEntries` more timers and answers whether there may be others. */
  next(maxEntries: number, visit: (timer: Uint8Array, isDeleted: boolean) => void): boolean {
    const changes = this.#capture.changes();
    const { listedFrom } = this.#capture;
    const end = Math.min(changes.length, this.#at + maxEntries);
    for (; this.#at < end; this.#at++) {
      const change = changes[this.#at] as Timer;
      if (change.epoch === dead) continue;
      const isDeleted = change.epoch < listedFrom;
      if (!isDeleted || !this.#isFull) visit(encodeKey(timerName(change)), isDeleted);
    }
    return end < changes.length;
  }
}
