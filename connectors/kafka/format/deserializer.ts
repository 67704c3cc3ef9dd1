import { BadRecordError, type MaybePromise, TidemarkError } from '../../../lib/index.ts';
import type { Header } from '../record.ts';

/** What is beside a value in its record: read when it is asked for, and only during the call that it was given to. */
export interface RecordView {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** ms since 1970. */
  readonly timestamp: number;
  /** A view of what was fetched. */
  readonly key: Buffer | null;
  /** Their values are views of what was fetched. */
  readonly headers: readonly Header[];
}

/**
 * Makes values of the bytes of records. What it needs from elsewhere first (a schema from a registry) it names with
 * `missing` and gets with `prepare`, once for many records, so that `deserialize` is synchronous.
 */
export interface Deserializer<T> {
  /**
   * The value of a record; `null` and `undefined` pass the record over. The bytes are a view of what was fetched.
   * What it throws makes the record poison (see `isPoison`).
   */
  deserialize(bytes: Buffer | null, record: RecordView): T | null | undefined;
  /**
   * What has to be loaded before `deserialize` may have these bytes: an id, the same one for all that need the same.
   * It is asked again after `load` until nothing is missing: a record may need more than one.
   */
  missing?(bytes: Buffer | null, record: RecordView): number | undefined;
  /**
   * Gets what `missing` named; afterwards it is missing no more. What does not exist is no failure here but poison in
   * `deserialize`. Rejects with a `TidemarkError` when it cannot be asked, or with the signal's reason when aborted.
   */
  load?(missing: ReadonlySet<number>, signal?: AbortSignal): Promise<void>;
  /** Throws when its settings cannot work; asks what it needs to ask (a registry) once. */
  check?(): MaybePromise<void>;
}

/**
 * Whether what `deserialize` threw is about the one record, so that the poison policy decides. Every other
 * `TidemarkError` is about the job (a schema that answers asynchronously) and fails the task as it is.
 */
export function isPoison(error: unknown): boolean {
  return error instanceof BadRecordError || !(error instanceof TidemarkError);
}
