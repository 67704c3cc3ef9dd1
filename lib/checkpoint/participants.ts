import type { MaybePromise } from '../maybe-promise.ts';
import type { Json } from './manifest.ts';
import type { SegmentWriter } from './segment.ts';

/** A source as the coordinator sees it. */
export interface CheckpointSource {
  readonly name: string;
  /** What the manifest says of it if the barrier came now. */
  entry(): SourceEntry;
  /** Sends the barrier down its stage; inside the gate. */
  barrier(id: number): void;
  /** Makes durable what the source itself has written before the barrier (dead letters). */
  flush?(id: number): MaybePromise<void>;
  /** The checkpoint with this position was committed. */
  committed(id: number, position: Json): void;
}

export interface SourceEntry {
  readonly position: Json;
  readonly finished: boolean;
  readonly watermark: number | null;
  /** Where its watermark comes from: what is known of each partition. */
  readonly clocks?: Json;
}

/** A sink as the coordinator sees it; see `SinkWriter` for what each step means. */
export interface CheckpointSink {
  readonly name: string;
  flush(id: number): MaybePromise<Json>;
  commit(id: number, handle: Json): MaybePromise<void>;
  abandon(id: number): void;
}

/** An actor's state at one barrier, taken in O(1) and encoded later, in slices. */
export interface ActorCapture {
  readonly version: number;
  /** Keys with state at the barrier. */
  readonly keys: number;
  /** Whether it is the whole state, so that the chain of segments begins anew. */
  readonly isFull: boolean;
  /** Whether there is anything to write. */
  readonly isEmpty: boolean;
  /** Encodes up to `maxEntries` more entries; false when there are no others. */
  encode(writer: SegmentWriter, maxEntries: number): boolean;
  /** The checkpoint counts: the next capture is relative to this one. */
  commit(): void;
  /** It does not: the next capture holds these changes too. */
  abandon(): void;
}
