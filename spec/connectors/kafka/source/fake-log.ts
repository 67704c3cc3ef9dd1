import { crc32c } from '@node-rs/crc32';
import type {
  AbortedTransaction,
  FetchedPartition,
  Isolation,
  TopicPartition,
} from '../../../../connectors/kafka/client/port.ts';
import { at, attribute, writeInt64 } from '../../../../connectors/kafka/client/wire/record-batch.ts';
import { BatchWriter } from '../../../../connectors/kafka/client/wire/record-batch-writer.ts';

interface StoredBatch {
  readonly base: number;
  readonly last: number;
  readonly bytes: Buffer;
}

export type FakeRecord =
  | string
  | null
  | {
      readonly key: Uint8Array | string | null;
      readonly value: Uint8Array | string | null;
      readonly timestamp?: number;
    };

export interface FakeBatch {
  readonly producerId?: number;
  readonly isTransactional?: boolean;
  /** Offsets at the end of the batch whose records compaction has removed. */
  readonly gapAtEnd?: number;
  readonly timestamp?: number;
}

/** A partition as a broker keeps it: whole batches, markers, and what of it a reader may see. */
export class FakeLog {
  logStart = 0;
  end = 0;
  readonly #batches: StoredBatch[] = [];
  readonly #timestamps: { readonly offset: number; readonly timestamp: number }[] = [];
  /** First offsets of open transactions, by producer. */
  readonly #open = new Map<number, number>();
  /** In the order of their markers. */
  readonly #aborted: (AbortedTransaction & { readonly marker: number })[] = [];

  /** One batch of these records; answers its first offset. */
  append(records: readonly FakeRecord[], options: FakeBatch = {}): number {
    const { producerId = -1, isTransactional = false, gapAtEnd = 0, timestamp = 1_000 } = options;
    const writer = new BatchWriter();
    records.forEach((record, index) => {
      const {
        key,
        value,
        timestamp: time = timestamp,
      } = typeof record === 'object' && record !== null ? record : { key: null, value: record };
      writer.append(time, key, value, []);
      this.#timestamps.push({ offset: this.end + index, timestamp: time });
    });
    writer.close('none');
    const bytes = Buffer.from(writer.encoded({ producerId, producerEpoch: 0, baseSequence: 0, isTransactional }));
    const base = this.end;
    this.#store(bytes, base + records.length - 1 + gapAtEnd);
    if (isTransactional && !this.#open.has(producerId)) this.#open.set(producerId, base);
    return base;
  }

  /** Ends the producer's transaction; answers the marker's offset. */
  marker(producerId: number, type: 'commit' | 'abort'): number {
    const writer = new BatchWriter();
    const key = Buffer.alloc(4);
    key.writeInt16BE(type === 'abort' ? 0 : 1, 2);
    writer.append(1_000, key, Buffer.alloc(6), []);
    writer.close('none');
    const bytes = Buffer.from(
      writer.encoded({ producerId, producerEpoch: 0, baseSequence: -1, isTransactional: true }),
    );
    bytes.writeInt16BE(bytes.readInt16BE(at.attributes) | attribute.control, at.attributes);
    const marker = this.end;
    this.#store(bytes, marker);
    const firstOffset = this.#open.get(producerId);
    this.#open.delete(producerId);
    if (type === 'abort' && firstOffset !== undefined) this.#aborted.push({ producerId, firstOffset, marker });
    return marker;
  }

  /** Offsets whose records compaction has removed, with their batches. */
  gap(offsets: number): void {
    this.end += offsets;
  }

  /** Removes what lies before an offset. */
  purge(offset: number): void {
    this.logStart = offset;
  }

  get lastStable(): number {
    return Math.min(this.end, ...this.#open.values());
  }

  endFor(isolation: Isolation): number {
    return isolation === 'read_committed' ? this.lastStable : this.end;
  }

  offsetAt(when: 'earliest' | 'latest' | number, isolation: Isolation): number {
    const end = this.endFor(isolation);
    if (when === 'earliest') return this.logStart;
    if (when === 'latest') return end;
    const found = this.#timestamps.find(({ offset, timestamp }) => offset >= this.logStart && timestamp >= when);
    return found && found.offset < end ? found.offset : -1;
  }

  /** What a broker answers: whole batches from the one that holds the offset, one at least. */
  fetch(partition: TopicPartition, offset: number, maxBytes: number, isolation: Isolation): FetchedPartition {
    const { logStart, end, lastStable } = this;
    const limits = { ...partition, highWatermark: end, lastStableOffset: lastStable, logStartOffset: logStart };
    if (offset < logStart || offset > end) {
      return { ...limits, error: 'OFFSET_OUT_OF_RANGE', abortedTransactions: [], records: Buffer.alloc(0) };
    }
    const until = this.endFor(isolation);
    const taken: Buffer[] = [];
    let size = 0;
    let behind = offset;
    for (const { base, last, bytes } of this.#batches) {
      if (last < offset || base >= until) continue;
      if (taken.length > 0 && size + bytes.length > maxBytes) {
        taken.push(bytes.subarray(0, Math.max(0, maxBytes - size)));
        break;
      }
      taken.push(bytes);
      size += bytes.length;
      behind = last + 1;
    }
    const abortedTransactions =
      isolation === 'read_committed'
        ? this.#aborted.filter(({ firstOffset, marker }) => marker >= offset && firstOffset < behind)
        : [];
    return { ...limits, error: 'NONE', abortedTransactions, records: Buffer.concat(taken) };
  }

  #store(bytes: Buffer, last: number): void {
    const base = this.end;
    writeInt64(bytes, base, at.baseOffset);
    bytes.writeInt32BE(last - base, at.lastOffsetDelta);
    bytes.writeUInt32BE(crc32c(bytes.subarray(at.attributes)), at.crc);
    this.#batches.push({ base, last, bytes });
    this.end = last + 1;
  }
}
