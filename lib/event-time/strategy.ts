import type { Json } from '../checkpoint/manifest.ts';

/**
 * Tells from the records of one source partition up to which time they are there. `S` is what it remembers of a partition:
 * part of each checkpoint, so JSON; a new one for each record, never changed in place.
 */
export interface WatermarkStrategy<T, S extends Json = Json> {
  /** Set where only the highest timestamp counts: the watermark stays so many ms behind it. `init` and `next` are not called. */
  readonly bound?: number;
  /** Before the first record of a partition. */
  init(): S;
  /** After a record with event time `timestamp`, in ms. */
  next(state: S, timestamp: number, value: T): S;
  /** No record with this time or an earlier one is expected any more; ms, `-Infinity` while that is not known. */
  watermark(state: S): number;
}

/** How the records of a source get their event times, and how its watermark comes about. */
export interface EventTime<T> {
  readonly timestamp: ((value: T, given: number) => number | undefined) | undefined;
  readonly strategy: WatermarkStrategy<T>;
  /** ms without a record after which a partition that is at its end holds nothing back. */
  readonly idleAfterMs: number | undefined;
  readonly alignment: { readonly group: string; readonly maxDriftMs: number } | undefined;
}
