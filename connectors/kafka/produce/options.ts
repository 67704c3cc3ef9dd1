import type { Compression } from '../record.ts';

/** How records are gathered and sent. Sizes are in bytes, before compression; times in ms. */
export interface ProducerOptions {
  /** Whose acknowledgement is waited for; with `all` the producer is idempotent. Default `all`. */
  readonly acks?: 'all' | 'leader' | 'none';
  /** Default `none`. */
  readonly compression?: Compression;
  /** A batch of a partition is sent when it has this size. Default 256 KiB. */
  readonly batchBytes?: number;
  /** A batch that is smaller is sent after this time. Default 5. */
  readonly lingerMs?: number;
  /** Requests on one connection that lack their answer, and batches of one partition: 1 to 5. Default 5. */
  readonly maxInFlight?: number;
  /** The producer `isFull` from here on: records that are not acknowledged. Default 32 MiB. */
  readonly bufferBytes?: number;
  /** How long the leader may wait for its replicas. Default 30 s. */
  readonly requestTimeoutMs?: number;
  /** How long a partition, or a coordinator, may fail before the producer does. Default 120 s. */
  readonly deliveryTimeoutMs?: number;
}

/** What a producer tells its owner. */
export interface ProducerListener {
  /** Records that Kafka has, and their bytes: as many as were written, in the end. */
  acknowledged?(records: number, bytes: number): void;
  /** Once, when what is not acknowledged will not be: the producer is of no use any more. */
  failed(error: unknown): void;
}

/** The options, complete. */
export type ProducerSettings = Required<ProducerOptions>;

/** With the defaults for what is left out. A batch must fit into max.message.bytes of a topic: 1 MiB unless it was changed. */
export function producerSettings(options: ProducerOptions): ProducerSettings {
  return {
    acks: 'all',
    compression: 'none',
    batchBytes: 256 * 1024,
    lingerMs: 5,
    bufferBytes: 32 * 1024 * 1024,
    requestTimeoutMs: 30_000,
    deliveryTimeoutMs: 120_000,
    ...options,
    // A broker remembers five batches of a producer in a partition: of more it could not tell the repeats.
    maxInFlight: Math.min(Math.max(options.maxInFlight ?? 5, 1), 5),
  };
}

export const acksNumber = { all: -1, leader: 1, none: 0 } as const;
