import { ExternalError, TidemarkError, type TidemarkErrorOptions } from '../../../../lib/index.ts';

/** The schema registry cannot be reached, does not answer in time, or has trouble that may pass. */
export class SchemaRegistryUnavailableError extends ExternalError {
  override readonly code = 'SCHEMA_REGISTRY_UNAVAILABLE';
}

/** The schema registry refuses: credentials, a subject or schema that it does not have, one that is not compatible. */
export class SchemaRegistryError extends TidemarkError {
  readonly code = 'SCHEMA_REGISTRY';
  readonly fault = 'user';
  readonly retriable = false;
  /** Of the HTTP answer; 0 where there was none. */
  readonly status: number;
  /** What the registry calls it: 40401 for a subject that does not exist, 409 for an incompatible schema, …; 0 where it names none. */
  readonly errorCode: number;

  constructor(message: string, status: number, errorCode: number, options: TidemarkErrorOptions = {}) {
    super(message, options);
    this.status = status;
    this.errorCode = errorCode;
  }
}
