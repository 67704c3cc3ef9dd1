import { blockBytes } from './fingerprint.ts';

/**
 * The part of a file that is in memory: the last `blockBytes` before the position (for its fingerprint), and what was read
 * ahead of it. Grows only while one record does not fit.
 */
export class ByteWindow {
  /** Index of the position: the first byte that belongs to no record given yet. */
  start: number;
  #store: Buffer;
  #end: number;
  /** Where `#store[0]` is in the file. */
  #base: number;

  /** Begins at byte `offset` of the file, with the bytes before it that are known. */
  constructor(offset: number, before: Uint8Array, readBytes: number) {
    const known = before.subarray(Math.max(0, before.length - blockBytes));
    this.#store = Buffer.allocUnsafe(blockBytes + readBytes);
    this.#store.set(known);
    this.start = known.length;
    this.#end = known.length;
    this.#base = offset - known.length;
  }

  /** Everything that is in memory; valid until `room`. */
  get bytes(): Buffer {
    return this.#store.subarray(0, this.#end);
  }

  /** Byte of the file at `start`. */
  get offset(): number {
    return this.#base + this.start;
  }

  /** Byte of the file behind all that was read. */
  get readTo(): number {
    return this.#base + this.#end;
  }

  /** Bytes read that belong to no record given yet. */
  get ahead(): number {
    return this.#end - this.start;
  }

  /** Byte of the file at an index of `bytes`. */
  offsetOf(index: number): number {
    return this.#base + index;
  }

  /** The last bytes before the position: at most `blockBytes`, fewer near the beginning of the file. */
  before(): Buffer {
    return this.#store.subarray(Math.max(0, this.start - blockBytes), this.start);
  }

  /** The last bytes read. */
  lastRead(): Buffer {
    return this.#store.subarray(Math.max(0, this.#end - blockBytes), this.#end);
  }

  /** Room for at least `readBytes` more; moves or enlarges what is in memory when needed. */
  room(readBytes: number): Buffer {
    if (this.#store.length - this.#end < readBytes) {
      const from = Math.max(0, this.start - blockBytes);
      const kept = this.#end - from;
      const fits = kept + readBytes <= this.#store.length;
      const store = fits ? this.#store : Buffer.allocUnsafe(Math.max(kept + readBytes, this.#store.length * 2));
      this.#store.copy(store, 0, from, this.#end);
      this.#store = store;
      this.#base += from;
      this.start -= from;
      this.#end = kept;
    }
    return this.#store.subarray(this.#end, this.#end + readBytes);
  }

  /** `count` bytes were put into the room. */
  filled(count: number): void {
    this.#end += count;
  }
}
