import { isPromise, JobDefinitionError, type PartitionRun } from '../../../lib/index.ts';
import { BatchCursor } from '../client/wire/record-batch-reader.ts';
import { type Deserializer, isPoison } from '../format/deserializer.ts';
import { AbortedTransactions } from './aborted-transactions.ts';
import type { Chunk } from './chunk.ts';
import { CursorView } from './cursor-view.ts';
import type { PartitionPosition } from './partition-position.ts';
import type { Poison } from './poison.ts';

/** What a source makes of a record. */
export interface RecordRules<T> {
  readonly deserializer: Deserializer<T>;
  /** Event time of a value; `undefined`: the record's own timestamp. */
  readonly timestamp: ((value: T) => number | undefined) | undefined;
  readonly poison: Poison;
}

/** What is given to the task in one call, and counters of what was passed over. */
export class RecordBatch<T> {
  values: T[] = [];
  timestamps: number[] = [];
  /** Which partitions they come from. */
  runs: PartitionRun[] = [];
  /** Records that were looked at since the last `clear`, given or not. */
  handled = 0;
  /** Records whose deserializer answered `null` or `undefined`, ever. */
  nothings = 0;

  clear(): void {
    this.values = [];
    this.timestamps = [];
    this.runs = [];
    this.handled = 0;
  }

  /** What was added since the last call comes from this partition. */
  cameFrom(partition: string): void {
    const end = this.values.length;
    const last = this.runs.at(-1);
    if ((last?.end ?? 0) === end) return;
    if (last?.partition === partition) this.runs.pop();
    this.runs.push({ partition, end });
  }
}

/** Why a run has ended: the batch is full, the chunk is read, the stop offset is reached, or a schema must be loaded first. */
export type RunEnd = 'full' | 'read' | 'stopped' | { readonly missing: ReadonlySet<number> };

/**
 * Reads one fetched chunk into batches. The position moves with each record; what belongs to an aborted transaction, control
 * records and what lies before the position are passed over.
 */
export class RecordRun<T> {
  readonly chunk: Chunk;
  readonly #position: PartitionPosition;
  readonly #rules: RecordRules<T>;
  readonly #cursor: BatchCursor;
  readonly #view: CursorView;
  readonly #aborted: AbortedTransactions;
  #isInBatch = false;
  /** The cursor stands on a record that was not handled. */
  #isOnRecord = false;

  constructor(chunk: Chunk, position: PartitionPosition, rules: RecordRules<T>) {
    this.chunk = chunk;
    this.#position = position;
    this.#rules = rules;
    this.#cursor = new BatchCursor(chunk.fetched.records);
    this.#view = new CursorView(chunk.topic, chunk.partition, this.#cursor);
    this.#aborted = new AbortedTransactions(chunk.fetched.abortedTransactions);
  }

  /** Adds records until the batch has handled `most`. */
  fill(batch: RecordBatch<T>, most: number): RunEnd {
    const cursor = this.#cursor;
    const position = this.#position;
    for (;;) {
      if (!this.#isInBatch) {
        if (position.isReached) return 'stopped';
        if (!cursor.nextBatch()) return 'read';
        const isDropped = this.#aborted.drops(cursor);
        const met = position.meets(cursor.baseOffset, cursor.lastOffset);
        if (met === 'stop') return 'stopped';
        if (met === 'pass over') continue;
        if (isDropped) {
          position.passedBatch(cursor.lastOffset);
          continue;
        }
        this.#isInBatch = true;
      }
      const end = this.#records(batch, most);
      if (end !== undefined) return end;
      this.#isInBatch = false;
      position.passedBatch(cursor.lastOffset);
    }
  }

  /** The records of one batch; `undefined` behind its last. */
  #records(batch: RecordBatch<T>, most: number): RunEnd | undefined {
    const cursor = this.#cursor;
    const position = this.#position;
    const { deserializer } = this.#rules;
    while (this.#isOnRecord || cursor.nextRecord()) {
      if (batch.handled >= most) {
        this.#isOnRecord = true;
        return 'full';
      }
      this.#isOnRecord = false;
      const offset = cursor.offset;
      const met = position.meetsRecord(offset);
      if (met === 'pass over') continue;
      if (met === 'stop') return 'stopped';
      const bytes = cursor.value();
      if (deserializer.missing) {
        const missing = deserializer.missing(bytes, this.#view);
        if (missing !== undefined) {
          this.#isOnRecord = true;
          return { missing: new Set([missing]) };
        }
      }
      batch.handled++;
      this.#add(bytes, batch);
      position.passedRecord(offset);
    }
    return undefined;
  }

  #add(bytes: Buffer | null, batch: RecordBatch<T>): void {
    const { deserializer, timestamp, poison } = this.#rules;
    try {
      const value = deserializer.deserialize(bytes, this.#view);
      if (value === null || value === undefined) {
        batch.nothings++;
        return;
      }
      const time = timestamp ? eventTime(timestamp(value)) : this.#cursor.timestamp;
      batch.values.push(value);
      batch.timestamps.push(time < 0 && !timestamp ? Number.NaN : time);
    } catch (error) {
      if (!isPoison(error)) throw error;
      poison.met(this.#view.record(), error);
    }
  }
}

function eventTime(time: unknown): number {
  if (time === undefined) return Number.NaN;
  if (typeof time === 'number' && Number.isFinite(time)) return time;
  if (isPromise(time)) {
    throw new JobDefinitionError(
      'The function "timestamp" of a Kafka source answers a promise: it must answer the time at once.',
    );
  }
  throw new Error(`its timestamp is ${String(time)}, not a number of milliseconds`);
}
