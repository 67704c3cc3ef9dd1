import { InternalError, StateLostError } from '../errors.ts';
import type { MapKey } from './key.ts';
import { decodeKey, encodeKey } from './key-codec.ts';
import { Timer, TimerHeap } from './timer-heap.ts';

export type { Timer } from './timer-heap.ts';

/** A timer that is stored, or in a capture, and was taken out since. */
class Deletion {
  readonly timer: Timer;

  constructor(timer: Timer) {
    this.timer = timer;
  }
}

const dead = -1;

/**
 * The timers of an actor on one clock, at most one for each key and time. They fall due in order of time, then of
 * registration, which a restore keeps: snapshots hold them in the order in which they were added.
 *
 * What changed since the last commit is listed in `#changed`: timers, and deletions of others. A timer never changes, so it is
 * listed once, with the epoch in which it was set; those from `#listedFrom` on are in the list. One that is taken out while it is
 * there is dead, and counts no more. A capture takes the list and starts an epoch. Applied in their order, entries give back what
 * there was: a deletion may be followed by a timer of the same key and time.
 */
export class TimerQueue {
  /** By key; most have one timer. */
  readonly #byKey = new Map<MapKey, Timer | Map<number, Timer>>();
  readonly #heap = new TimerHeap();
  #size = 0;
  #added = 0;
  #changed: (Timer | Deletion)[] = [];
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
    const timer = this.#find(key, time + 0);
    if (timer) this.#remove(timer);
  }

  /** Takes out the next timer that is due at `upTo` or before. */
  popDue(upTo: number): Timer | undefined {
    const { first } = this.#heap;
    if (first === undefined || first.time > upTo) return undefined;
    this.#remove(first);
    return first;
  }

  /** The order of the timer that was added last. */
  get lastOrder(): number {
    return this.#added - 1;
  }

  /** When the next timer falls due. */
  nextTime(): number | undefined {
    return this.#heap.first?.time;
  }

  /** All timers, in the order in which they were added. Takes more than a moment where they are many. */
  [Symbol.iterator](): IterableIterator<Timer> {
    const timers: Timer[] = [];
    for (const held of this.#byKey.values()) {
      if (held instanceof Timer) timers.push(held);
      else timers.push(...held.values());
    }
    return timers.sort((a, b) => a.order - b.order).values();
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
    const timer = this.#find(key, time);
    if (timer) this.#takeOut(timer);
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
    for (const change of newer) {
      if (change instanceof Deletion && change.timer.epoch >= capture.listedFrom) this.#bury(change.timer);
      else if (change instanceof Deletion) this.#changed.push(change);
      else if (change.epoch !== dead) this.#list(change);
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
    this.#changed = this.#changed.filter(change => change instanceof Deletion || change.epoch !== dead);
    this.#dead = 0;
  }

  /** Nothing where the key has a timer for this time. */
  #put(key: MapKey, at: number, epoch: number): Timer | undefined {
    const time = at + 0; // -0 becomes 0
    const held = this.#byKey.get(key);
    if (held !== undefined && timeIn(held, time) !== undefined) return undefined;
    const timer = new Timer(key, time, this.#added++, epoch);
    if (held === undefined) this.#byKey.set(key, timer);
    else if (held instanceof Timer) {
      this.#byKey.set(
        key,
        new Map([
          [held.time, held],
          [time, timer],
        ]),
      );
    } else held.set(time, timer);
    this.#heap.add(timer);
    this.#size++;
    return timer;
  }

  #find(key: MapKey, time: number): Timer | undefined {
    const held = this.#byKey.get(key);
    return held && timeIn(held, time);
  }

  #remove(timer: Timer): void {
    this.#takeOut(timer);
    if (timer.epoch < this.#listedFrom) {
      this.#changed.push(new Deletion(timer));
      return;
    }
    this.#bury(timer);
    this.#sweep();
  }

  #takeOut(timer: Timer): void {
    this.#heap.remove(timer);
    this.#size--;
    const held = this.#byKey.get(timer.key);
    if (held instanceof Map && held.size > 1) held.delete(timer.time);
    else this.#byKey.delete(timer.key);
  }
}

function timeIn(held: Timer | Map<number, Timer>, time: number): Timer | undefined {
  if (held instanceof Timer) return held.time === time ? held : undefined;
  return held.get(time);
}

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
  #changes: (Timer | Deletion)[] | undefined;

  constructor(
    changes: (Timer | Deletion)[],
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
  changes(): (Timer | Deletion)[] {
    if (this.#changes === undefined)
      throw new InternalError('A capture was read after it was committed or abandoned. Please report this.');
    return this.#changes;
  }

  /** For the queue. */
  close(): (Timer | Deletion)[] {
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
    const end = Math.min(changes.length, this.#at + maxEntries);
    for (; this.#at < end; this.#at++) {
      const change = changes[this.#at] as Timer | Deletion;
      if (change instanceof Deletion) {
        if (!this.#isFull) visit(encodeKey(timerName(change.timer)), true);
      } else if (change.epoch !== dead) visit(encodeKey(timerName(change)), false);
    }
    return end < changes.length;
  }
}

// The name of a timer is its time as text, a sign for the type of its key, and the key as text: injective, since no number's
// text holds a sign. Snapshots hold it in the encoding of keys.
const signs = { string: '$', number: '#', bigint: '&', boolean: '?' } as const;

function timerName({ key, time }: Timer): string {
  return `${time}${signs[typeof key as keyof typeof signs]}${key}`;
}

function parseName(name: MapKey): { key: MapKey; time: number } {
  const parts = typeof name === 'string' ? /^([^$#&?]+)([$#&?])(.*)$/s.exec(name) : null;
  if (!parts) {
    throw new StateLostError(
      `A snapshot holds a timer in a form that this version of Tidemark does not read (${String(name)}). ` +
        'Run the version that wrote it, or a newer one.',
    );
  }
  const [, time, sign, text] = parts as unknown as [string, string, string, string];
  return { time: Number(time), key: keyFrom(sign, text) };
}

function keyFrom(sign: string, text: string): MapKey {
  if (sign === signs.string) return text;
  if (sign === signs.number) return Number(text);
  return sign === signs.bigint ? BigInt(text) : text === 'true';
}
