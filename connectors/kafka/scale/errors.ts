import { TidemarkError } from '../../../lib/index.ts';

/** Topics that are read together have numbers of partitions that do not go together. */
export class CoPartitionError extends TidemarkError {
  readonly code = 'KAFKA_CO_PARTITION';
  readonly fault = 'user';
  readonly retriable = false;
}
