import { crc32c } from '@node-rs/crc32';
import { CorruptRecordsError } from '../../errors.ts';
import type { Compression, Header } from '../../record.ts';
import { compressions, decompress } from './compression.ts';
import { at, attribute, beforeLength, magic2, readInt64 } from './record-batch.ts';

const nothing = Buffer.alloc(0);

/**
 * Walks the record batches of a fetched partition, and the records in each, as they are asked for; there is no object
 * for a batch or a record: what the cursor stands on is in its fields, which the next step overwrites.
 */
export class BatchCursor {
  // Of the batch.
  baseOffset = -1;
  /** Of the last record the batch ever had: compaction may have removed it. The batch behind begins later. */
  lastOffset = -1;
  /** -1 when it was not written by an idempotent producer. */
  producerId = -1;
  producerEpoch = -1;
  baseSequence = -1;
  isTransactional = false;
  isControl = false;
  /** The broker's clock gave all records the time `maxTimestamp`. */
  isLogAppendTime = false;
  compression: Compression = 'none';
  recordCount = 0;
  maxTimestamp = -1;
  /** As fetched: packed, with its header. */
  batchBytes = 0;

  // Of the record.
  offset = -1;
  /** ms since 1970; -1 when it has none. */
  timestamp = -1;
  /** Where the key is in `bytes`; -1 when it is null. */
  keyStart = -1;
  keyEnd = -1;
  valueStart = -1;
  valueEnd = -1;
  /** What the positions of the record point into; another one in each batch. */
  bytes: Buffer = nothing;

  readonly #fetched: Buffer;
  #batchStart = 0;
  #batchEnd = 0;
  #baseTimestamp = -1;
  #recordsLeft = 0;
  #isOpen = false;
  /** Behind the record. */
  #position = 0;
  #end = 0;
  #headersStart = -1;
  #controlType: 'abort' | 'commit' | 'other' | undefined;

  constructor(records: Buffer) {
    this.#fetched = records;
  }

  /**
   * Goes on to the next batch, whether all records of this one were read or not; `false` at the end or where the last
   * batch is cut off. Throws a `CorruptRecordsError` when the checksum does not fit.
   */
  nextBatch(): boolean {
    const fetched = this.#fetched;
    const start = this.#batchEnd;
    if (start + at.magic + 1 > fetched.length) return false;
    const length = fetched.readInt32BE(start + at.batchLength);
    const magic = fetched[start + at.magic];
    if (magic !== magic2) throw unknownFormat(magic, readInt64(fetched, start));
    if (length < at.records - beforeLength) throw broken(readInt64(fetched, start), 'its length cannot be');
    const end = start + beforeLength + length;
    if (end > fetched.length) return false;
    this.#batchStart = start;
    this.#batchEnd = end;
    this.#readHeader(start);
    if (crc32c(fetched.subarray(start + at.attributes, end)) !== fetched.readUInt32BE(start + at.crc)) {
      throw broken(this.baseOffset, 'its checksum does not fit');
    }
    return true;
  }

  /** Of a control batch: what its marker says about the transaction. */
  controlType(): 'abort' | 'commit' | 'other' {
    if (this.#controlType === undefined) {
      const hasMarker = this.isControl && !this.#isOpen && this.nextRecord() && this.keyEnd - this.keyStart >= 4;
      const type = hasMarker ? this.bytes.readInt16BE(this.keyStart + 2) : -1;
      this.#controlType = type === 0 ? 'abort' : type === 1 ? 'commit' : 'other';
    }
    return this.#controlType;
  }

  /** Goes on to the next record of the batch; `false` behind the last. Unpacks a packed batch when first called. */
  nextRecord(): boolean {
    if (!this.#isOpen) this.#open();
    if (this.#recordsLeft === 0) {
      if (this.#position !== this.#end) throw broken(this.baseOffset, 'it holds more than its records');
      return false;
    }
    this.#recordsLeft--;
    const bytes = this.bytes;
    this.#at = this.#position;
    const length = this.#varint(bytes);
    const recordEnd = this.#at + length;
    if (length < 0 || recordEnd > this.#end) throw broken(this.baseOffset, 'a record ends behind the batch');
    this.#at++; // attributes: none are defined
    const timestampDelta = this.#varint(bytes);
    this.timestamp = this.isLogAppendTime ? this.maxTimestamp : this.#baseTimestamp + timestampDelta;
    this.offset = this.baseOffset + this.#varint(bytes);
    const keyLength = this.#varint(bytes);
    this.keyStart = keyLength < 0 ? -1 : this.#at;
    if (keyLength > 0) this.#at += keyLength;
    this.keyEnd = keyLength < 0 ? -1 : this.#at;
    const valueLength = this.#varint(bytes);
    this.valueStart = valueLength < 0 ? -1 : this.#at;
    if (valueLength > 0) this.#at += valueLength;
    this.valueEnd = valueLength < 0 ? -1 : this.#at;
    if (this.#at >= recordEnd) throw broken(this.baseOffset, 'a field ends behind its record');
    this.#headersStart = this.#at;
    this.#position = recordEnd;
    return true;
  }

  /** A view of `bytes`. */
  key(): Buffer | null {
    return this.keyStart < 0 ? null : this.bytes.subarray(this.keyStart, this.keyEnd);
  }

  /** A view of `bytes`. */
  value(): Buffer | null {
    return this.valueStart < 0 ? null : this.bytes.subarray(this.valueStart, this.valueEnd);
  }

  /** In their order; the values are views of `bytes`. */
  headers(): Header[] {
    const bytes = this.bytes;
    this.#at = this.#headersStart;
    const count = this.#varint(bytes);
    if (count < 0 || count > this.#position - this.#at) throw broken(this.baseOffset, 'its headers cannot be');
    const headers: Header[] = [];
    for (let i = 0; i < count; i++) {
      const name = this.#slice(bytes);
      headers.push([name === null ? '' : name.toString('utf8'), this.#slice(bytes)]);
    }
    return headers;
  }

  /** Where a varint is read next. */
  #at = 0;

  #readHeader(start: number): void {
    const fetched = this.#fetched;
    const attributes = fetched.readInt16BE(start + at.attributes);
    this.baseOffset = readInt64(fetched, start + at.baseOffset);
    this.lastOffset = this.baseOffset + fetched.readInt32BE(start + at.lastOffsetDelta);
    this.producerId = readInt64(fetched, start + at.producerId);
    this.producerEpoch = fetched.readInt16BE(start + at.producerEpoch);
    this.baseSequence = fetched.readInt32BE(start + at.baseSequence);
    this.isTransactional = (attributes & attribute.transactional) !== 0;
    this.isControl = (attributes & attribute.control) !== 0;
    this.isLogAppendTime = (attributes & attribute.logAppendTime) !== 0;
    const compression = compressions[attributes & attribute.compression];
    if (compression === undefined) throw broken(this.baseOffset, 'its compression is not known');
    this.compression = compression;
    this.recordCount = fetched.readInt32BE(start + at.recordCount);
    if (this.recordCount < 0) throw broken(this.baseOffset, 'its number of records cannot be');
    this.maxTimestamp = readInt64(fetched, start + at.maxTimestamp);
    this.batchBytes = this.#batchEnd - start;
    this.#baseTimestamp = readInt64(fetched, start + at.baseTimestamp);
    this.#recordsLeft = this.recordCount;
    this.#isOpen = false;
    this.#controlType = undefined;
  }

  #open(): void {
    this.#isOpen = true;
    if (this.compression === 'none') {
      this.bytes = this.#fetched;
      this.#position = this.#batchStart + at.records;
      this.#end = this.#batchEnd;
      return;
    }
    this.bytes = decompress(this.compression, this.#fetched.subarray(this.#batchStart + at.records, this.#batchEnd));
    this.#position = 0;
    this.#end = this.bytes.length;
  }

  #slice(bytes: Buffer): Buffer | null {
    const length = this.#varint(bytes);
    if (length < 0) return null;
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.#position) throw broken(this.baseOffset, 'a header ends behind its record');
    return bytes.subarray(start, this.#at);
  }

  /** Beyond the bytes it reads zeros: the record's end is checked behind its fields. */
  #varint(bytes: Buffer): number {
    let byte = bytes[this.#at++] as number;
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1);
    let coded = byte & 0x7f;
    for (let shift = 7; shift < 28; shift += 7) {
      byte = bytes[this.#at++] as number;
      coded |= (byte & 0x7f) << shift;
      if (!(byte >= 0x80)) return (coded >>> 1) ^ -(coded & 1);
    }
    // Beyond 28 bits as a float: timestamps may be far apart.
    for (let scale = 2 ** 28; scale < 2 ** 70; scale *= 0x80) {
      byte = bytes[this.#at++] as number;
      coded += (byte & 0x7f) * scale;
      if (!(byte >= 0x80)) return coded % 2 === 0 ? coded / 2 : -(coded + 1) / 2;
    }
    throw broken(this.baseOffset, 'a number in it has no end');
  }
}

function broken(baseOffset: number, what: string): CorruptRecordsError {
  return new CorruptRecordsError(
    `The record batch at offset ${baseOffset} cannot be read: ${what}. Its replica or the way from it is damaged; if fetching it again shows the same, begin behind it.`,
    { context: { offset: baseOffset } },
  );
}

function unknownFormat(magic: number | undefined, offset: number): CorruptRecordsError {
  return new CorruptRecordsError(
    `The records at offset ${offset} have format ${magic}; format 2 is read, which Kafka has written since 0.11. Write the topic anew with a current producer, or begin behind them.`,
    { context: { offset } },
  );
}
