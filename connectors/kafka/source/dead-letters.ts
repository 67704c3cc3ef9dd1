import type { MaybePromise, SourceContext } from '../../../lib/index.ts';
import type { KafkaConnectionOptions } from '../options.ts';
import type { KafkaRecord } from '../record.ts';

/**
 * Where records go that cannot be read. `give` is called while the record is passed over, before the position moves behind
 * it: what it writes belongs to the same checkpoint as that position. It takes the record's bytes before it returns.
 */
export interface DeadLetters {
  give(record: KafkaRecord, cause: unknown): void;
  /** Whether so much waits for its acknowledgement that nothing more should be read; left out: never. */
  readonly isFull?: boolean;
  /** Calls once when there is room again. */
  whenRoom?(tell: () => void): void;
  /** Resolves when Kafka has what was given; asked behind each barrier, before its checkpoint counts. */
  flush?(): MaybePromise<void>;
}

export interface DeadLetterRequest {
  /** The topic that takes them. */
  readonly topic: string;
  /** Of the cluster that the source reads. */
  readonly connection: KafkaConnectionOptions;
  /** Name of the source, for headers and errors. */
  readonly source: string;
}

/** Opens the dead letters of a source, before its first record. */
export type OpenDeadLetters = (
  request: DeadLetterRequest,
  context: SourceContext<unknown>,
) => MaybePromise<DeadLetters>;

/** What to do with a record that cannot be read. */
export type PoisonPolicy = 'fail' | 'skip' | { readonly deadLetter: string };
