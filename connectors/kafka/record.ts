/** A header of a record: its name, and its value as bytes or `null`. Names may repeat; the order is kept. */
export type Header = readonly [name: string, value: Uint8Array | null];

/** A record as a topic has it, undecoded. Its bytes are views of what was fetched: copy what is kept. */
export interface KafkaRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** ms since 1970. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly Header[];
}

/** A record that is to be written; the partition is chosen already. */
export interface OutgoingRecord {
  readonly topic: string;
  readonly partition: number;
  /** ms since 1970. */
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly Header[];
}

/** How the records of a batch are packed. */
export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
