import { ExternalError, TidemarkError, type TidemarkErrorOptions } from '../../lib/index.ts';
import { isRetriable } from './client/wire/error-codes.ts';

/** No connection, or no answer in time. What the request was to change may have happened or not. */
export class KafkaConnectionError extends ExternalError {
  override readonly code = 'KAFKA_CONNECTION';
}

/** Kafka does not let this client in: a wrong password, an unknown mechanism, a certificate that does not fit. */
export class KafkaSecurityError extends TidemarkError {
  readonly code = 'KAFKA_SECURITY';
  readonly fault = 'user';
  readonly retriable = false;
}

/** Kafka answered with an error code; `errorName` is what Kafka calls it. */
export class KafkaAnswerError extends ExternalError {
  override readonly code = 'KAFKA_ANSWER';
  override readonly retriable: boolean;
  readonly errorName: string;

  constructor(errorName: string, message: string, options: TidemarkErrorOptions = {}) {
    super(message, options);
    this.errorName = errorName;
    this.retriable = isRetriable(errorName);
  }
}

/** Record batches that cannot be read: a checksum that does not fit, a broken or oversized payload, an old format. */
export class CorruptRecordsError extends ExternalError {
  override readonly code = 'CORRUPT_RECORDS';
  override readonly retriable = false;
}

/** A record is larger than its topic takes. */
export class RecordTooLargeError extends TidemarkError {
  readonly code = 'RECORD_TOO_LARGE';
  readonly fault = 'user';
  readonly retriable = false;
}

/** A topic that is written to is not there, and may not be made. */
export class MissingTopicError extends TidemarkError {
  readonly code = 'MISSING_TOPIC';
  readonly fault = 'user';
  readonly retriable = false;
}
