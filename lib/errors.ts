/** Who can mend an error: the job's author, something outside (a broker, a disk), or Tidemark itself. */
export type Fault = 'user' | 'external' | 'internal';

/** Where an error happened; only what applies is set. */
export interface ErrorContext {
  readonly job?: string;
  readonly task?: string;
  readonly operator?: string;
  readonly source?: string;
  readonly sink?: string;
  readonly checkpointId?: number;
  readonly [detail: string]: unknown;
}

export interface TidemarkErrorOptions {
  readonly cause?: unknown;
  readonly context?: ErrorContext;
}

/** The base of every error that Tidemark raises: a stable `code`, whose fault it is, and whether a restart may help. */
export abstract class TidemarkError extends Error {
  abstract readonly code: string;
  abstract readonly fault: Fault;
  /** Whether a restart strategy may try again; `false` stops the job. */
  abstract readonly retriable: boolean;
  readonly context: ErrorContext;

  constructor(message: string, options: TidemarkErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.context = options.context ?? {};
  }
}

/** A package that Tidemark works with is there in a version that it does not work with. */
export class UnsupportedVersionError extends TidemarkError {
  readonly code = 'UNSUPPORTED_VERSION';
  readonly fault = 'user';
  readonly retriable = false;
}

/** A native operator cannot keep its promise between barriers: asynchronous, combining, or late. */
export class LiftError extends TidemarkError {
  readonly code = 'LIFT';
  readonly fault = 'user';
  readonly retriable = false;
}

/** An actor was applied to a plain Observable inside a job, where nothing would checkpoint it. */
export class DetachedActorError extends TidemarkError {
  readonly code = 'DETACHED_ACTOR';
  readonly fault = 'user';
  readonly retriable = false;
}

/** A stream over a connector was subscribed outside a running task. */
export class NotRunningError extends TidemarkError {
  readonly code = 'NOT_RUNNING';
  readonly fault = 'user';
  readonly retriable = false;
}

/** The declaration of a job is wrong: duplicate names, nothing returned, a side output that nobody declares. */
export class JobDefinitionError extends TidemarkError {
  readonly code = 'JOB_DEFINITION';
  readonly fault = 'user';
  readonly retriable = false;
}

/** Settings or parameters that do not validate; `problems` names every one of them. */
export class SettingsError extends TidemarkError {
  readonly code = 'SETTINGS';
  readonly fault = 'user';
  readonly retriable = false;
  readonly problems: readonly string[];

  constructor(what: string, problems: readonly string[], options: TidemarkErrorOptions = {}) {
    super(`${what}:\n${problems.map(p => `  - ${p}`).join('\n')}`, options);
    this.problems = problems;
  }
}

/** User code (an actor's `receive`, a key selector, a native operator) threw while handling a record. */
export class UserCodeError extends TidemarkError {
  readonly code = 'USER_CODE';
  readonly fault = 'user';
  readonly retriable = true;
}

/** A record could not be read as what the source was told it is. */
export class BadRecordError extends TidemarkError {
  readonly code = 'BAD_RECORD';
  readonly fault = 'user';
  readonly retriable = false;
}

/** The input at a checkpointed position is not what it was (replaced, cut, rotated) or cannot be read. */
export class SourcePositionError extends TidemarkError {
  readonly code = 'SOURCE_POSITION';
  readonly fault = 'user';
  readonly retriable = false;
}

/** Something outside failed in a way that may pass: a file that cannot be opened, a disk that is full. */
export class ExternalError extends TidemarkError {
  readonly code: string = 'EXTERNAL';
  readonly fault = 'external';
  readonly retriable: boolean = true;
}

/** The snapshot store did not answer or refused for a reason that may pass. */
export class StoreUnavailableError extends ExternalError {
  override readonly code = 'STORE_UNAVAILABLE';
}

/** The snapshot store refused for a reason that does not pass by itself: permissions, a read-only disk, a wrong password. */
export class StoreRefusedError extends ExternalError {
  override readonly code = 'STORE_REFUSED';
  override readonly retriable = false;
}

/** Another incarnation holds a newer fence token: this one must stop, and is never restarted. */
export class FencedError extends TidemarkError {
  readonly code = 'FENCED';
  readonly fault = 'external';
  readonly retriable = false;
}

/** A committed checkpoint names state that the store no longer has, or has damaged. */
export class StateLostError extends TidemarkError {
  readonly code = 'STATE_LOST';
  readonly fault = 'external';
  readonly retriable = false;
}

/** What decided about checkpoints has lost its record, has an older one than the store, or cannot be asked any more. */
export class CommitPointLostError extends TidemarkError {
  readonly code = 'COMMIT_POINT_LOST';
  readonly fault = 'external';
  readonly retriable = false;
}

/**
 * The commit point takes nothing more from this incarnation: a newer one has fenced it off, or its transaction timed out,
 * which looks the same. Whose it is now is for the fence of the snapshot store to say.
 */
export class CommitPointFencedError extends ExternalError {
  override readonly code = 'COMMIT_POINT_FENCED';
}

/** Stored state does not fit the job: another version without `migrate`, another kind of actor. */
export class StateMismatchError extends TidemarkError {
  readonly code = 'STATE_MISMATCH';
  readonly fault = 'user';
  readonly retriable = false;
}

/** What was asked of a savepoint cannot be done: there is none of the name, it is not whole, or it would take output back. */
export class SavepointError extends TidemarkError {
  readonly code = 'SAVEPOINT';
  readonly fault = 'user';
  readonly retriable = false;
}

/** A state value that the snapshot codec could not bring back unchanged. */
export class UnsupportedStateError extends TidemarkError {
  readonly code = 'UNSUPPORTED_STATE';
  readonly fault = 'user';
  readonly retriable = false;
}

/** A key that cannot be compared by content: an object, a symbol, a nested tuple. */
export class InvalidKeyError extends TidemarkError {
  readonly code = 'INVALID_KEY';
  readonly fault = 'user';
  readonly retriable = false;
}

/** Checkpoints failed more often in a row than `tolerableFailures` allows. */
export class CheckpointError extends TidemarkError {
  readonly code = 'CHECKPOINT';
  readonly fault = 'external';
  readonly retriable = true;
}

/** Stored state is spread over tasks in another way than the job is to run now. */
export class TaskLayoutError extends TidemarkError {
  readonly code: string = 'TASK_LAYOUT';
  readonly fault = 'user';
  readonly retriable = false;
}

/** A topic has another number of partitions than when the state was written: keys would be looked for where they are not. */
export class PartitionCountChangedError extends TaskLayoutError {
  override readonly code = 'PARTITION_COUNT_CHANGED';
}

/** Processes of two groups run one job: this one has lost a task to the other group, and would take it back for ever. */
export class OtherGroupError extends TidemarkError {
  readonly code = 'OTHER_GROUP';
  readonly fault = 'user';
  readonly retriable = false;
}

/** A keyed actor got a key whose records belong to another task: a `repartition` is missing. */
export class MissingRepartitionError extends TidemarkError {
  readonly code = 'MISSING_REPARTITION';
  readonly fault = 'user';
  readonly retriable = false;
}

/** Something took longer than it may. */
export class TimeoutError extends ExternalError {
  override readonly code = 'TIMEOUT';
}

/** A rule of Tidemark's own was broken: please report it. */
export class InternalError extends TidemarkError {
  readonly code = 'INTERNAL';
  readonly fault = 'internal';
  readonly retriable = true;
}

/** Anything that was thrown as an error of ours: what is none of ours is a fault of Tidemark itself. */
export function tidemarkError(error: unknown): TidemarkError {
  return error instanceof TidemarkError ? error : new InternalError(messageOf(error), { cause: error });
}

/** The message of anything that was thrown, on one line. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
