import { StateLostError } from '../errors.ts';
import type { MapKey } from './key.ts';
import { decodeKey, encodeKey } from './key-codec.ts';
import { type Capture, CaptureReader, KeyedState } from './keyed-state.ts';
import { Timer, TimerHeap } from './timer-heap.ts';

export type { Timer } from './timer-heap.ts';

/**
 * The timers of an actor on one clock, at most one for each key and time. They fall due in order of time, then of
 * registration, which a restore keeps: snapshots hold them in the order in which they were added.
 */
export class TimerQueue {
  readonly #table = new KeyedState<Timer>();
  readonly #heap = new TimerHeap();
  #added = 0;

  get size(): number {
    return this.#table.size;
  }

  /** Whether anything differs from the last committed capture (or from what was restored). */
  get isChanged(): boolean {
    return this.#table.isChanged;
  }

  /** Sets a timer; nothing happens when the key has one for this time. `time` is not NaN. */
  add(key: MapKey, time: number): void {
    const name = timerName(key, time);
    if (!this.#table.has(name)) this.#table.add(name, this.#timer(key, time, name));
  }

  remove(key: MapKey, time: number): void {
    this.#remove(this.#table.get(timerName(key, time)));
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

  /** All timers, in the order in which they were added. */
  *[Symbol.iterator](): IterableIterator<Timer> {
    for (const cell of this.#table.cells()) yield cell.value;
  }

  /** Puts the timer that an entry of a snapshot names; it does not count as a change. Only before the first change. */
  restore(bytes: Uint8Array, start: number, end: number): void {
    const name = decodeKey(bytes, start, end);
    if (this.#table.has(name)) return;
    const { key, time } = parseName(name);
    this.#table.restore(name, this.#timer(key, time, name as string));
  }

  /** Applies a deletion that a snapshot holds; it does not count as a change. Only before the first change. */
  restoreDeletion(bytes: Uint8Array, start: number, end: number): void {
    const name = decodeKey(bytes, start, end);
    const timer = this.#table.get(name);
    if (timer) this.#heap.remove(timer);
    this.#table.restoreDeletion(name);
  }

  // As in `KeyedState`.
  markAllChanged(): void {
    this.#table.markAllChanged();
  }

  capture(): Capture<Timer> {
    return this.#table.capture();
  }

  commit(capture: Capture<Timer>): void {
    this.#table.commit(capture);
  }

  abandon(capture: Capture<Timer>): void {
    this.#table.abandon(capture);
  }

  /** Reads a capture in slices; in full where it can be and `isFull` says so. */
  reader(capture: Capture<Timer>, isFull = capture.isFull): TimerReader {
    return new TimerReader(capture, isFull);
  }

  #timer(key: MapKey, time: number, name: string): Timer {
    const timer = new Timer(key, time + 0, this.#added++, name);
    this.#heap.add(timer);
    return timer;
  }

  #remove(timer: Timer | undefined): void {
    if (timer === undefined) return;
    this.#heap.remove(timer);
    this.#table.delete(timer.name);
  }
}

/** Reads captured timers in slices, as what `restore` and `restoreDeletion` take; in the order in which to apply them. */
export class TimerReader {
  readonly #reader: CaptureReader<Timer>;

  constructor(capture: Capture<Timer>, isFull: boolean) {
    this.#reader = new CaptureReader(capture, isFull);
  }

  /** Visits up to `maxEntries` more timers and answers whether there may be others. */
  next(maxEntries: number, visit: (timer: Uint8Array, isDeleted: boolean) => void): boolean {
    return this.#reader.next(maxEntries, (name, _, isDeleted) => visit(encodeKey(name), isDeleted));
  }
}

// The name of a timer is its time as text, a sign for the type of its key, and the key as text: injective, since no number's
// text holds a sign. Snapshots hold it in the encoding of keys.
const signs = { string: '$', number: '#', bigint: '&', boolean: '?' } as const;

function timerName(key: MapKey, time: number): string {
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
