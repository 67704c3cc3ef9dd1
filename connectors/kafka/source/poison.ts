import { BadRecordError, type Logger, messageOf } from '../../../lib/index.ts';
import type { KafkaRecord } from '../record.ts';
import type { DeadLetters } from './dead-letters.ts';
import { partitionText } from './partitions.ts';

export interface PoisonRules {
  readonly policy: 'fail' | 'skip' | 'dead letter';
  readonly deadLetters: DeadLetters | undefined;
  readonly source: string;
  readonly logger: Logger;
  /** ms on any clock. */
  now(): number;
}

/** So many skipped records are told of in a minute; then only how many there were. */
const toldPerMinute = 10;
const minuteMs = 60_000;

/** What becomes of records that cannot be read. */
export class Poison {
  /** Records that were passed over. */
  skipped = 0;
  /** Records that were given to the dead letters. */
  deadLettered = 0;
  readonly #rules: PoisonRules;
  #minute = Number.NEGATIVE_INFINITY;
  #told = 0;
  #untold = 0;

  constructor(rules: PoisonRules) {
    this.#rules = rules;
  }

  /** Throws a `BadRecordError` that names the record, or passes it over. */
  met(record: KafkaRecord, cause: unknown): void {
    const { policy, deadLetters } = this.#rules;
    if (policy === 'fail') throw badRecord(record, cause, this.#rules.source);
    if (policy === 'dead letter') {
      deadLetters?.give(record, cause);
      this.deadLettered++;
    } else {
      this.skipped++;
    }
    this.#tell(record, cause);
  }

  #tell({ topic, partition, offset }: KafkaRecord, cause: unknown): void {
    const { logger, now, policy } = this.#rules;
    if (now() - this.#minute >= minuteMs) {
      if (this.#untold > 0) logger.warn({ records: this.#untold }, 'further records could not be read');
      this.#minute = now();
      this.#told = 0;
      this.#untold = 0;
    }
    if (this.#told === toldPerMinute) {
      this.#untold++;
      return;
    }
    this.#told++;
    const done = policy === 'skip' ? 'skipped' : 'given to the dead letters';
    const last = this.#told === toldPerMinute ? '; more are only counted for a minute' : '';
    logger.warn({ topic, partition, offset, reason: messageOf(cause) }, `a record cannot be read: ${done}${last}`);
  }
}

function badRecord(record: KafkaRecord, cause: unknown, source: string): BadRecordError {
  const { topic, partition, offset } = record;
  const reason = messageOf(cause).replace(/[.\s]+$/, '');
  return new BadRecordError(
    `The record at offset ${offset} of ${partitionText(record)} cannot be read: ${reason}. Correct the deserializer, or ` +
      "pass such records over with onBadRecord: 'skip' or { deadLetter: topic }.",
    { cause, context: { source, topic, partition, offset } },
  );
}
