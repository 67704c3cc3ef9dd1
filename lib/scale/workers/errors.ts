import { ExternalError, type Fault, TidemarkError, type TidemarkErrorOptions } from '../../errors.ts';

/** A worker is gone that was to run on: it was killed, its process crashed, or somebody stopped it. */
export class WorkerDiedError extends ExternalError {
  override readonly code = 'WORKER_DIED';
}

/** An error as data, on its way from a worker. */
export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: string;
  readonly fault: Fault;
  readonly retriable: boolean;
  readonly context: Readonly<Record<string, string | number>>;
  readonly cause: Pick<PlainError, 'name' | 'message' | 'stack'> | undefined;
}

export function plainError(error: unknown): PlainError {
  const { code, fault, retriable, context, cause } = (error ?? {}) as Partial<Record<keyof PlainError, unknown>>;
  const details = Object.entries(context ?? {}).filter(([, value]) => ['string', 'number'].includes(typeof value));
  return {
    ...textsOf(error),
    code: typeof code === 'string' ? code : 'INTERNAL',
    fault: fault === 'user' || fault === 'external' ? fault : 'internal',
    retriable: retriable !== false,
    context: Object.fromEntries(details),
    cause: cause === undefined ? undefined : textsOf(rootOf(cause)),
  };
}

/** What a worker said went wrong, with code, fault, stack and cause as they were there. */
export class WorkerError extends TidemarkError {
  readonly code: string;
  readonly fault: Fault;
  readonly retriable: boolean;

  constructor(plain: PlainError, worker: string) {
    super(plain.message, {
      ...(plain.cause ? { cause: revived(plain.cause) } : {}),
      context: { ...plain.context, worker },
    } satisfies TidemarkErrorOptions);
    this.name = plain.name;
    this.code = plain.code;
    this.fault = plain.fault;
    this.retriable = plain.retriable;
    if (plain.stack !== undefined) this.stack = plain.stack;
  }
}

function textsOf(error: unknown): Pick<PlainError, 'name' | 'message' | 'stack'> {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), stack: undefined };
  return { name: error.name, message: error.message, stack: error.stack };
}

/** The first cause of all says most, and the errors above have mostly taken over its message. */
function rootOf(error: unknown, depth = 0): unknown {
  const { cause } = (error ?? {}) as { cause?: unknown };
  return cause === undefined || depth > 5 ? error : rootOf(cause, depth + 1);
}

function revived({ name, message, stack }: Pick<PlainError, 'name' | 'message' | 'stack'>): Error {
  const error = new Error(message);
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  return error;
}
