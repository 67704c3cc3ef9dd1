import { StateLostError } from '../errors.ts';

// One entry: a byte of kind (low four bits) and flags, the key's length as a varint and its bytes; then, unless it is a
// tombstone, the value's length and bytes. Varints are base 128, lowest group first.
const deleted = 0x10;

/** The content of one segment, before compression. */
export interface RawSegment {
  /** Owns its memory, so that it can be transferred to a thread. */
  readonly raw: Uint8Array;
  /** Tombstones included. */
  readonly entries: number;
}

export interface SegmentWriterOptions {
  /** A segment is closed when it has this many bytes before compression; default 4 MiB. */
  readonly maxBytes?: number;
}

/** Bytes that lie in somebody else's memory. */
export interface ByteRange {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** Writes entries into segments of bounded size, in the order in which they are given. */
export class SegmentWriter {
  readonly #maxBytes: number;
  #buffer = Buffer.allocUnsafeSlow(0);
  #length = 0;
  #entries = 0;
  #closed: RawSegment[] = [];
  #closedBytes = 0;

  constructor({ maxBytes = 4 * 1024 * 1024 }: SegmentWriterOptions = {}) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes written so far, in all segments. */
  get rawBytes(): number {
    return this.#closedBytes + this.#length;
  }

  put(kind: number, key: Uint8Array, value: Uint8Array): void {
    this.#reserve(11 + key.length + value.length);
    this.#buffer[this.#length++] = kind;
    this.#append(key);
    this.#append(value);
    this.#entryWritten();
  }

  /** The same with a key and a value that are copied from where they lie: nothing is made for an entry. */
  putRange(kind: number, key: ByteRange, value: ByteRange): void {
    this.#reserve(11 + key.end - key.start + value.end - value.start);
    this.#buffer[this.#length++] = kind;
    this.#append(key.bytes, key.start, key.end);
    this.#append(value.bytes, value.start, value.end);
    this.#entryWritten();
  }

  /** Writes a tombstone: the key has no state from here on. */
  remove(kind: number, key: Uint8Array): void {
    this.#reserve(6 + key.length);
    this.#buffer[this.#length++] = kind | deleted;
    this.#append(key);
    this.#entryWritten();
  }

  /** Writes an entry as it lies in another segment. */
  copy(raw: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start);
    this.#buffer.set(raw.subarray(start, end), this.#length);
    this.#length += end - start;
    this.#entryWritten();
  }

  /** The segments that are closed and were not taken yet; for sealing them while others are written. */
  takeClosed(): RawSegment[] {
    const closed = this.#closed;
    this.#closed = [];
    return closed;
  }

  /** Closes the last segment; all that were not taken yet. */
  finish(): RawSegment[] {
    if (this.#entries > 0) this.#close();
    return this.takeClosed();
  }

  #append(bytes: Uint8Array, start = 0, end = bytes.length): void {
    const buffer = this.#buffer;
    const size = end - start;
    let at = this.#length;
    for (let rest = size; ; rest >>>= 7) {
      if (rest < 0x80) {
        buffer[at++] = rest;
        break;
      }
      buffer[at++] = (rest & 0x7f) | 0x80;
    }
    if (size < 80) {
      // A call of `set` costs more than this loop.
      for (let i = 0; i < size; i++) buffer[at + i] = bytes[start + i] as number;
    } else {
      buffer.set(size === bytes.length ? bytes : bytes.subarray(start, end), at);
    }
    this.#length = at + size;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    // Doubled while it is small, then the whole size at once: what lies above is unused in every full segment.
    const grown = Math.min(Math.max(this.#buffer.length * 2, 4_096), this.#maxBytes + 4_096);
    const buffer = Buffer.allocUnsafeSlow(Math.max(grown, needed));
    this.#buffer.copy(buffer, 0, 0, this.#length);
    this.#buffer = buffer;
  }

  #entryWritten(): void {
    this.#entries++;
    if (this.#length >= this.#maxBytes) this.#close();
  }

  #close(): void {
    this.#closed.push({ raw: this.#buffer.subarray(0, this.#length), entries: this.#entries });
    this.#closedBytes += this.#length;
    this.#buffer = Buffer.allocUnsafeSlow(0);
    this.#length = 0;
    this.#entries = 0;
  }
}

/**
 * Sees one entry: its key lies in `buffer` from `keyStart` to `keyEnd` and its value from `valueStart` to `valueEnd`, which
 * is -1 for a tombstone. The entry as a whole ends where its value, or a tombstone's key, does.
 */
export type VisitEntry = (
  kind: number,
  buffer: Uint8Array,
  keyStart: number,
  keyEnd: number,
  valueStart: number,
  valueEnd: number,
) => void;

/** Reads the entries of a raw segment in slices. */
export class EntryReader {
  readonly #raw: Uint8Array;
  #at = 0;

  constructor(raw: Uint8Array) {
    this.#raw = raw;
  }

  /** Where the next entry begins. */
  get position(): number {
    return this.#at;
  }

  /** Visits up to `maxEntries` more entries and answers whether there are others. */
  next(maxEntries: number, visit: VisitEntry): boolean {
    const raw = this.#raw;
    for (let count = 0; count < maxEntries && this.#at < raw.length; count++) {
      const head = raw[this.#at++] as number;
      const keyLength = this.#varint();
      const keyStart = this.#at;
      const keyEnd = keyStart + keyLength;
      this.#at = keyEnd;
      let valueStart = keyEnd;
      let valueEnd = -1;
      if ((head & deleted) === 0) {
        const valueLength = this.#varint();
        valueStart = this.#at;
        valueEnd = valueStart + valueLength;
        this.#at = valueEnd;
      }
      if (this.#at > raw.length || head >= 2 * deleted) {
        throw new StateLostError('A segment holds an entry that cannot be read. Restore an older checkpoint.');
      }
      visit(head & 0x0f, raw, keyStart, keyEnd, valueStart, valueEnd);
    }
    return this.#at < raw.length;
  }

  #varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.#raw[this.#at++];
      if (byte === undefined) return Number.POSITIVE_INFINITY; // refused by the caller: past the end
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }
}

/** Visits all entries of a raw segment. */
export function readEntries(raw: Uint8Array, visit: VisitEntry): void {
  new EntryReader(raw).next(Number.POSITIVE_INFINITY, visit);
}
