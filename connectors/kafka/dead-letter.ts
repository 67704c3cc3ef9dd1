import { messageOf, TidemarkError } from '../../lib/index.ts';
import type { Header, KafkaRecord, OutgoingRecord } from './record.ts';

/** The headers that say why a record is a dead letter and where it was. */
export const deadLetterHeaders = {
  job: 'tidemark.job',
  topic: 'tidemark.origin.topic',
  partition: 'tidemark.origin.partition',
  offset: 'tidemark.origin.offset',
  timestamp: 'tidemark.origin.timestamp',
  errorClass: 'tidemark.error.class',
  errorCode: 'tidemark.error.code',
  errorMessage: 'tidemark.error.message',
} as const;

export interface DeadLetterOptions {
  /** Where it goes. */
  readonly topic: string;
  readonly job: string;
  /** What made the record poison. */
  readonly error: unknown;
  /** ms since 1970: when it became a dead letter. With the record's own time, retention might remove it at once. */
  readonly now: number;
}

/** Longest message that is kept, in UTF-16 units: a validation may complain at length. */
const longestMessage = 4_000;

/**
 * The record for a dead-letter topic: key, value and headers as they were, and behind them the headers that say where
 * it was and what is wrong, as texts. Of headers with one name the last is the newest. Its bytes are copies.
 */
export function deadLetter(record: KafkaRecord, options: DeadLetterOptions): Omit<OutgoingRecord, 'partition'> {
  const { topic, job, error, now } = options;
  return {
    topic,
    timestamp: now,
    key: copied(record.key),
    value: copied(record.value),
    headers: [
      ...record.headers.map(([name, value]): Header => [name, copied(value)]),
      text(deadLetterHeaders.job, job),
      text(deadLetterHeaders.topic, record.topic),
      text(deadLetterHeaders.partition, String(record.partition)),
      text(deadLetterHeaders.offset, String(record.offset)),
      text(deadLetterHeaders.timestamp, String(record.timestamp)),
      text(deadLetterHeaders.errorClass, error instanceof Error ? error.name : typeof error),
      ...(error instanceof TidemarkError ? [text(deadLetterHeaders.errorCode, error.code)] : []),
      text(deadLetterHeaders.errorMessage, shortened(messageOf(error))),
    ],
  };
}

const copied = (bytes: Uint8Array | null): Buffer | null => bytes && Buffer.copyBytesFrom(bytes);

const text = (name: string, value: string): Header => [name, Buffer.from(value)];

const shortened = (message: string): string =>
  message.length <= longestMessage ? message : `${message.slice(0, longestMessage - 1)}…`;
