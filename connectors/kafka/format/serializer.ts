import type { MaybePromise } from '../../../lib/index.ts';

/** Which part of a record is meant: a registry keeps their schemas under different subjects. */
export type RecordPart = 'key' | 'value';

/** Makes bytes of values, for one part of the records of one or more topics. */
export interface Serializer<T> {
  /**
   * The bytes of a value, or its text, which is written as UTF-8; `null` is a record without value (a tombstone).
   * Throws when the value cannot be written, or when `isPrepared` says so.
   */
  serialize(value: T, topic: string, part: RecordPart): Uint8Array | string | null;
  /** Whether `serialize` may be called for this topic; left out: always. Cheap enough to be asked for every record. */
  isPrepared?(topic: string, part: RecordPart): boolean;
  /** Gets what `serialize` needs for this topic (the id of a registered schema). Rejects with a `TidemarkError`. */
  prepare?(topic: string, part: RecordPart, signal?: AbortSignal): Promise<void>;
  /** Throws when its settings cannot work; asks what it needs to ask (a registry) once. */
  check?(): MaybePromise<void>;
}
