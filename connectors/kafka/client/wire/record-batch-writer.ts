import { crc32c } from '@node-rs/crc32';
import { InternalError } from '../../../../lib/index.ts';
import type { Compression, Header } from '../../record.ts';
import { compress, compressions } from './compression.ts';
import { at, attribute, beforeLength, magic2, writeInt64 } from './record-batch.ts';

/** Who writes a batch, and where in the sequence of the partition it stands. */
export interface BatchIdentity {
  readonly producerId: number;
  readonly producerEpoch: number;
  /** Of the first record. */
  readonly baseSequence: number;
  readonly isTransactional: boolean;
}

type Bytes = Uint8Array | string | null;
const none: readonly Header[] = [];

/** Writes one record batch straight into a buffer that it keeps and reuses: no object and no copy per record. */
export class BatchWriter {
  recordCount = 0;
  #bytes: Buffer;
  #end: number = at.records;
  #baseTimestamp = 0;
  #maxTimestamp = 0;
  #compression: Compression | undefined;
  /** Header and packed records, once closed with a compression. */
  #packed: Buffer | undefined;

  constructor(initialBytes = 16 * 1024) {
    this.#bytes = Buffer.allocUnsafe(Math.max(initialBytes, at.records + 64));
  }

  /** Of the batch, uncompressed, its header included. */
  get byteLength(): number {
    return this.#end;
  }

  /** Adds a record; `timestamp` in ms since 1970. Texts are written as UTF-8. */
  append(timestamp: number, key: Bytes, value: Bytes, headers: readonly Header[] = none): void {
    if (this.#compression !== undefined) throw new InternalError('A record was added to a batch that is closed.');
    const index = this.recordCount;
    if (index === 0) {
      this.#baseTimestamp = timestamp;
      this.#maxTimestamp = timestamp;
    } else if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp;
    const delta = timestamp - this.#baseTimestamp;
    this.#end =
      this.#record(delta, key, unitsOf(key), value, unitsOf(value), headers) ??
      (this.#record(delta, key, lengthOf(key), value, lengthOf(value), headers) as number);
    this.recordCount = index + 1;
  }

  /** Answers where it ends; `undefined` when key or value is a text that takes another number of bytes. */
  #record(
    delta: number,
    key: Bytes,
    keyBytes: number,
    value: Bytes,
    valueBytes: number,
    headers: readonly Header[],
  ): number | undefined {
    const index = this.recordCount;
    let length =
      1 +
      varintBytes(delta) +
      varintBytes(index) +
      varintBytes(keyBytes) +
      Math.max(keyBytes, 0) +
      varintBytes(valueBytes) +
      Math.max(valueBytes, 0) +
      1;
    if (headers.length > 0) length += headersBytes(headers) - 1;
    this.#ensure(length + 5 + unitBytes);
    const bytes = this.#bytes;
    let end = writeVarint(bytes, length, this.#end);
    bytes[end++] = 0; // attributes: none are defined
    end = writeVarint(bytes, delta, end);
    end = writeVarint(bytes, index, end);
    end = writeVarint(bytes, keyBytes, end);
    if (!writeBytes(bytes, key, keyBytes, end)) return undefined;
    end = writeVarint(bytes, valueBytes, end + Math.max(keyBytes, 0));
    if (!writeBytes(bytes, value, valueBytes, end)) return undefined;
    end += Math.max(valueBytes, 0);
    if (headers.length > 0) return writeHeaders(bytes, headers, end);
    bytes[end] = 0;
    return end + 1;
  }

  /** Packs the records; nothing can be added any more. */
  close(compression: Compression): void {
    this.#compression = compression;
    if (compression === 'none') return;
    const records = compress(compression, this.#bytes.subarray(at.records, this.#end));
    this.#packed = Buffer.allocUnsafe(at.records + records.length);
    records.copy(this.#packed, at.records);
  }

  /**
   * The batch with this identity (none for a producer that is not idempotent) and its checksum. It is a view of what
   * the writer keeps: valid until it is asked for again or cleared.
   */
  encoded(identity: BatchIdentity | undefined): Buffer {
    if (this.#compression === undefined || this.recordCount === 0) {
      throw new InternalError('A batch was asked for before it was closed, or holds no record.');
    }
    const batch = this.#packed ?? this.#bytes.subarray(0, this.#end);
    const { producerId = -1, producerEpoch = -1, baseSequence = -1, isTransactional = false } = identity ?? {};
    writeInt64(batch, 0, at.baseOffset);
    batch.writeInt32BE(batch.length - beforeLength, at.batchLength);
    batch.writeInt32BE(-1, at.partitionLeaderEpoch);
    batch.writeInt8(magic2, at.magic);
    const attributes = compressions.indexOf(this.#compression) | (isTransactional ? attribute.transactional : 0);
    batch.writeInt16BE(attributes, at.attributes);
    batch.writeInt32BE(this.recordCount - 1, at.lastOffsetDelta);
    writeInt64(batch, this.#baseTimestamp, at.baseTimestamp);
    writeInt64(batch, this.#maxTimestamp, at.maxTimestamp);
    writeInt64(batch, producerId, at.producerId);
    batch.writeInt16BE(producerEpoch, at.producerEpoch);
    batch.writeInt32BE(baseSequence, at.baseSequence);
    batch.writeInt32BE(this.recordCount, at.recordCount);
    batch.writeUInt32BE(crc32c(batch.subarray(at.attributes)), at.crc);
    return batch;
  }

  /** Begins a new batch in the same memory. */
  clear(): void {
    this.recordCount = 0;
    this.#end = at.records;
    this.#compression = undefined;
    this.#packed = undefined;
  }

  #ensure(more: number): void {
    const needed = this.#end + more;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#end);
    this.#bytes = larger;
  }
}

/** As `lengthOf` where a text is ASCII, which most are: nobody needs to look at it before it is written. */
function unitsOf(bytes: Bytes): number {
  return bytes === null ? -1 : bytes.length;
}

/** -1 for `null`, as Kafka writes it. */
function lengthOf(bytes: Bytes): number {
  if (bytes === null) return -1;
  return typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length;
}

function headersBytes(headers: readonly Header[]): number {
  let length = varintBytes(headers.length);
  for (const [name, value] of headers) {
    const nameBytes = Buffer.byteLength(name);
    length += varintBytes(nameBytes) + nameBytes + varintBytes(lengthOf(value)) + (value?.length ?? 0);
  }
  return length;
}

function writeHeaders(into: Buffer, headers: readonly Header[], position: number): number {
  let end = writeVarint(into, headers.length, position);
  for (const [name, value] of headers) {
    end = writeWithLength(into, name, end);
    end = writeWithLength(into, value, end);
  }
  return end;
}

function writeWithLength(into: Buffer, bytes: Bytes, position: number): number {
  const length = lengthOf(bytes);
  const start = writeVarint(into, length, position);
  writeBytes(into, bytes, length, start);
  return start + Math.max(length, 0);
}

/** False when a text takes another number of bytes than `length`. */
function writeBytes(into: Buffer, bytes: Bytes, length: number, position: number): boolean {
  if (length <= 0) return true;
  // With room for one unit more, what is written of a text that is longer is longer, too.
  if (typeof bytes === 'string') return into.write(bytes, position, length + unitBytes, 'utf8') === length;
  if (length <= shortBytes) {
    const from = bytes as Uint8Array;
    for (let i = 0; i < length; i++) into[position + i] = from[i] as number;
  } else into.set(bytes as Uint8Array, position);
  return true;
}

/** A character takes at most so many bytes of UTF-8. */
const unitBytes = 4;

/** Up to here a loop is quicker than a call of `set`. */
const shortBytes = 24;

// Numbers are zigzag-encoded: 0, -1, 1, -2, … become 0, 1, 2, 3, …

function varintBytes(value: number): number {
  let rest = value >= 0 ? value * 2 : -value * 2 - 1;
  let length = 1;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++;
  return length;
}

function writeVarint(into: Buffer, value: number, position: number): number {
  let end = position;
  if (value >= -0x40000000 && value < 0x40000000) {
    let rest = (value << 1) ^ (value >> 31);
    for (; rest >= 0x80; rest >>>= 7) into[end++] = (rest & 0x7f) | 0x80;
    into[end++] = rest;
    return end;
  }
  let rest = value >= 0 ? value * 2 : -value * 2 - 1;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) into[end++] = (rest % 0x80) | 0x80;
  into[end++] = rest;
  return end;
}
