import type { Key } from '../stream/elements.ts';
import type { Sink } from '../task/sink.ts';
import type { Source } from '../task/source.ts';

/** What travels through a channel, on its way to task `to`. */
export interface Packed {
  readonly to: number;
  readonly bytes: Uint8Array;
}

/** What is asked of `SourceSpread.channel`. */
export interface ChannelRequest {
  readonly job: string;
  /** The name that `repartition` was given. */
  readonly name: string;
  /** How many tasks read and write it. */
  readonly tasks: number;
  /** How many partitions the topics of the job have. */
  readonly partitions: Readonly<Record<string, number>>;
  /** Tells a new incarnation of the channel from those before it; left out for the first. */
  readonly spread?: string | undefined;
}

/** The way of records from every task of a job to every task, exactly once. */
export interface Channel {
  /** Shown to people: the topic. */
  readonly location: string;
  /** What each task writes into: in the transaction that is its checkpoint. */
  readonly sink: Sink<Packed>;
  /** What each task reads: what was written `to` it, in the order of each task that wrote it, and only what is committed. */
  readonly source: Source<Uint8Array>;
  /** The task, of `tasks`, that a key goes to. */
  taskOf(key: Key): number;
  /** Makes what is not there yet; throws what is wrong with what is. */
  prepare(): Promise<void>;
  /** Where what is committed ends now. */
  ends(): Promise<readonly number[]>;
  /** Deletes what lies before these ends: no state of the job knows of it. */
  forget(ends: readonly number[]): Promise<void>;
}
