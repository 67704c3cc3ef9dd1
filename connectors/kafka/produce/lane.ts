import type { TopicPartition } from '../client/port.ts';
import type { BatchWriter } from '../client/wire/record-batch-writer.ts';
import type { Header } from '../record.ts';
import { SendWindow } from './send-window.ts';

/** Records that are closed as one batch. */
export interface Batch {
  readonly writer: BatchWriter;
  readonly recordCount: number;
  /** Of its records, before they were packed. */
  readonly byteLength: number;
  /** Its place in the order in which batches were closed. */
  readonly number: number;
}

/** What a lane asks of what it belongs to. */
export interface LaneHost {
  readonly batchBytes: number;
  /** An empty writer. */
  writer(): BatchWriter;
  /** Packs what was written; answers the batch's number. */
  close(writer: BatchWriter): number;
}

/** One partition's records on their way: those in the open batch, and the batches that lack an acknowledgement. */
export class Lane<N> implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly window: SendWindow<Batch>;
  /** Its leader as it was last told; forgotten after a failure. */
  node: N | undefined;
  isFindingLeader = false;
  /** For what keeps the lanes that are not idle. */
  isBusy = false;
  /** Failures in a row, and since when; in ms of the monotonic clock. */
  failures = 0;
  failingSince = 0;
  /** When everything was acknowledged, if it was. */
  idleSince = Number.POSITIVE_INFINITY;
  /** Nothing is sent before this time. */
  notBefore = 0;
  readonly #host: LaneHost;
  #open: BatchWriter | undefined;
  #openBytes = 0;
  #isDue = false;

  constructor(host: LaneHost, topic: string, partition: number, limit: number) {
    this.#host = host;
    this.topic = topic;
    this.partition = partition;
    this.window = new SendWindow(limit);
  }

  /** Whether there is anything that is not acknowledged. */
  get isIdle(): boolean {
    return this.#open === undefined && this.window.isEmpty;
  }

  /**
   * Writes a record into the open batch, in a new one where the old one would get too large; answers the bytes that it
   * took. A record that is larger than a batch gets one of its own.
   */
  append(
    timestamp: number,
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    headers: readonly Header[],
  ): number {
    let open = this.#open;
    if (open !== undefined && open.byteLength + atMost(key, value, headers) > this.#host.batchBytes) {
      this.seal();
      open = undefined;
    }
    if (open === undefined) this.#open = open = this.#host.writer();
    const before = open.byteLength;
    open.append(timestamp, key, value, headers);
    const bytes = open.byteLength - before;
    this.#openBytes += bytes;
    return bytes;
  }

  /** The linger time is over: the open batch goes as soon as the window has room, and grows until then. */
  due(): void {
    this.#isDue = this.#open !== undefined;
  }

  /** Closes the open batch. */
  seal(): void {
    const writer = this.#open;
    if (writer === undefined) return;
    this.#open = undefined;
    this.#isDue = false;
    const { recordCount } = writer;
    const byteLength = this.#openBytes;
    this.#openBytes = 0;
    this.window.add({ writer, recordCount, byteLength, number: this.#host.close(writer) });
  }

  /** Whether the window has a batch to send, after closing the one that is due. */
  makeReady(): boolean {
    if (this.#isDue && this.window.hasRoom) this.seal();
    return this.window.isReady;
  }
}

/** More bytes than the record takes: three for a unit of UTF-16, and what surrounds keys, values and headers. */
function atMost(
  key: Uint8Array | string | null,
  value: Uint8Array | string | null,
  headers: readonly Header[],
): number {
  let bytes = 32 + lengthOf(key) + lengthOf(value);
  for (const [name, content] of headers) bytes += 16 + lengthOf(name) + lengthOf(content);
  return bytes;
}

const lengthOf = (part: Uint8Array | string | null): number =>
  part === null ? 0 : typeof part === 'string' ? part.length * 3 : part.length;
