import type { BatchWriter } from '../client/wire/record-batch-writer.ts';
import type { Compression, Header } from '../record.ts';
import { Alarm } from './alarm.ts';
import { FlushLines } from './flush-lines.ts';
import { type Batch, Lane, type LaneHost } from './lane.ts';
import type { Slot } from './send-window.ts';
import { WriterPool } from './writer-pool.ts';

export interface LaneSettings {
  readonly compression: Compression;
  readonly batchBytes: number;
  readonly lingerMs: number;
  /** Batches of one partition that are sent without an acknowledgement. */
  readonly maxInFlight: number;
}

const mostIdleWriters = 64;
/** Brokers forget producers that rest: after a day, unless producer.id.expiration.ms says otherwise. */
const forgottenAfterMs = 5 * 60_000;

/** All partitions that a producer writes to, and what of their records is not acknowledged. `wake` is called when a batch may be sent. */
export class Lanes<N> implements LaneHost {
  /** Those with something that is not acknowledged; in the order in which they are to be served. */
  readonly busy = new Set<Lane<N>>();
  /** Written and not acknowledged. */
  bufferedRecords = 0;
  bufferedBytes = 0;
  readonly batchBytes: number;
  readonly #settings: LaneSettings;
  readonly #wake: () => void;
  readonly #byTopic = new Map<string, (Lane<N> | undefined)[]>();
  readonly #lines = new FlushLines();
  readonly #writers = new WriterPool(mostIdleWriters);
  readonly #linger = new Alarm(() => this.#lingerOver());
  #isLingering = false;
  #lastTopic: string | undefined;
  #lastLanes: (Lane<N> | undefined)[] = [];

  constructor(settings: LaneSettings, wake: () => void) {
    this.#settings = settings;
    this.#wake = wake;
    this.batchBytes = settings.batchBytes;
  }

  write(
    topic: string,
    partition: number,
    timestamp: number,
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    headers: readonly Header[],
  ): void {
    if (topic !== this.#lastTopic) this.#toTopic(topic);
    const lane = this.#lastLanes[partition] ?? this.#newLane(topic, partition);
    if (!lane.isBusy) this.#rouse(lane);
    this.bufferedBytes += lane.append(timestamp, key, value, headers);
    this.bufferedRecords++;
    if (!this.#isLingering) this.#beginLinger();
  }

  /** Closes every open batch; resolves when all batches that are closed are acknowledged. */
  flush(): Promise<void> {
    for (const lane of this.busy) lane.seal();
    return this.#lines.draw();
  }

  /** It was served: the others come first now. */
  toEnd(lane: Lane<N>): void {
    this.busy.delete(lane);
    this.busy.add(lane);
  }

  /** Everything of it is acknowledged. */
  rest(lane: Lane<N>): void {
    lane.isBusy = false;
    lane.idleSince = performance.now();
    this.busy.delete(lane);
  }

  /** `isOut`: nothing can read its bytes any more. */
  acknowledged({ batch: { writer, recordCount, byteLength, number } }: Slot<Batch>, isOut: boolean): void {
    if (isOut) this.#writers.give(writer);
    this.bufferedRecords -= recordCount;
    this.bufferedBytes -= byteLength;
    this.#lines.acknowledged(number);
  }

  /** Sequence numbers begin again. Only while nothing is on its way. */
  restart(): void {
    for (const lanes of this.#byTopic.values()) for (const lane of lanes) lane?.window.restart();
  }

  /** Gives everything up; whoever waits is told `error`. */
  end(error: unknown): void {
    this.#linger.off();
    this.#isLingering = true;
    this.#lines.fail(error);
    this.busy.clear();
    this.#byTopic.clear();
  }

  // For its lanes.

  writer(): BatchWriter {
    return this.#writers.take();
  }

  close(writer: BatchWriter): number {
    writer.close(this.#settings.compression);
    this.#wake();
    return this.#lines.closed();
  }

  #rouse(lane: Lane<N>): void {
    lane.isBusy = true;
    this.busy.add(lane);
    if (performance.now() - lane.idleSince > forgottenAfterMs) lane.window.doubt();
  }

  #toTopic(topic: string): void {
    const lanes = this.#byTopic.get(topic) ?? [];
    this.#byTopic.set(topic, lanes);
    this.#lastLanes = lanes;
    this.#lastTopic = topic;
  }

  #newLane(topic: string, partition: number): Lane<N> {
    const lane = new Lane<N>(this, topic, partition, this.#settings.maxInFlight);
    this.#lastLanes[partition] = lane;
    return lane;
  }

  #beginLinger(): void {
    this.#isLingering = true;
    if (this.#settings.lingerMs > 0) this.#linger.at(performance.now() + this.#settings.lingerMs);
    else queueMicrotask(() => this.#lingerOver());
  }

  #lingerOver(): void {
    this.#isLingering = false;
    for (const lane of this.busy) lane.due();
    this.#wake();
  }
}
