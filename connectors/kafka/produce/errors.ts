import { ExternalError, type TidemarkErrorOptions } from '../../../lib/index.ts';

/** Nobody can tell whether a transaction was committed: only the commit record does, after a new initialisation. */
export class OutcomeUnknownError extends ExternalError {
  override readonly code = 'OUTCOME_UNKNOWN';
}

/**
 * The broker takes nothing more from this producer: another one was initialised with its transactional id, or its
 * transaction timed out, which looks the same. Who it was is for the fence of the snapshot store to say.
 */
export class ProducerFencedError extends ExternalError {
  override readonly code = 'PRODUCER_FENCED';
  /** Whether the open transaction may have been committed before; else it is aborted. */
  readonly mayHaveCommitted: boolean;

  constructor(message: string, mayHaveCommitted: boolean, options: TidemarkErrorOptions = {}) {
    super(message, options);
    this.mayHaveCommitted = mayHaveCommitted;
  }
}

/** Records did not reach Kafka within the delivery timeout. */
export class DeliveryTimeoutError extends ExternalError {
  override readonly code = 'DELIVERY_TIMEOUT';
}

/** The broker does not go on with what this producer wrote: a new one is needed, and what was not committed is written again. */
export class ProducerBrokenError extends ExternalError {
  override readonly code = 'PRODUCER_BROKEN';
}
