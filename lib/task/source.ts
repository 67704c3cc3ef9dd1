import type { SchedulerLike } from 'rxjs';
import type { CommitPointResolver } from '../checkpoint/commit-point.ts';
import type { Json } from '../checkpoint/manifest.ts';
import type { EventTime } from '../event-time/strategy.ts';
import type { MaybePromise } from '../maybe-promise.ts';
import type { Logger } from '../observe/logger.ts';
import type { Channel, ChannelRequest } from '../scale/channel.ts';
import type { TaskSharing } from '../scale/task-share.ts';
import type { Key } from '../stream/elements.ts';
import type { Shared } from './shared-services.ts';

/** A connector's source: a declaration that a task opens. */
export interface Source<T> {
  /** 'file', 'kafka', … */
  readonly kind: string;
  /** Ties the position to the source for life; unique in a job (for a file its path, for Kafka its topics). */
  readonly name: string;
  /** Whether it ends by itself. */
  readonly bounded: boolean;
  /** Embedded sources may be subscribed outside a job; for others that is a `NotRunningError`. */
  readonly embedded?: boolean;
  /** Opens nothing yet, only validates; called by `tidemark run --check` and before `open`. */
  check?(): MaybePromise<void>;
  /** As `Sink.commitPoints`. */
  readonly commitPoints?: CommitPointResolver;
  /** How its records get their event times and watermarks, where `assignTimestamps` says so. */
  readonly eventTime?: EventTime<T>;
  /** How its partitions are spread over the tasks of a job; left out: one task reads all of it. */
  readonly spread?: SourceSpread;
  /**
   * Gets ready to read from `position` (`undefined`: from the start that its options name), but reads nothing before
   * `start`. Throws `SourcePositionError` when the position no longer fits the input.
   */
  open(position: Json | undefined, context: SourceContext<T>): MaybePromise<SourceReader>;
}

/** A source like `source`, but for what `over` has; by delegation, so that the source may keep private fields. */
export function wrapSource<T>(source: Source<T>, over: Partial<Source<T>>): Source<T> {
  return {
    kind: source.kind,
    name: source.name,
    bounded: source.bounded,
    ...(source.embedded === undefined ? {} : { embedded: source.embedded }),
    ...(source.commitPoints === undefined ? {} : { commitPoints: source.commitPoints }),
    ...(source.eventTime === undefined ? {} : { eventTime: source.eventTime }),
    ...(source.spread === undefined ? {} : { spread: source.spread }),
    check: () => source.check?.(),
    open: (position, context) => source.open(position, context),
    ...over,
  };
}

/** The share of a source that one of several tasks reads: its partitions p with p mod `count` = `index`. */
export interface TaskSlice {
  readonly index: number;
  readonly count: number;
  /** Whether partitions may come later; where keyed state is spread by them they may not: keys would move to other tasks. */
  readonly mayGrow: boolean;
  /** How many partitions each topic had when its job began. */
  readonly partitions: Readonly<Record<string, number>>;
}

/** How the input of a source is spread over tasks, and those over processes. */
export interface SourceSpread {
  /** Where it is: the sources of a job whose tasks are spread must be in one place. */
  readonly where: string;
  /** What its partitions are partitions of (Kafka's topics); `undefined` where that is not known beforehand. */
  readonly topics: readonly string[] | undefined;
  /** Finds out how the processes of a job share its tasks. */
  sharing(request: SharingRequest): TaskSharing;
  /** A way for records from every task of a job to every task; left out: there is none. */
  channel?(request: ChannelRequest): Channel;
  /** The task, of `count`, that has the records of a key, where the key says so; `undefined`: it cannot be told. */
  taskOf?(key: Key, count: number, partitions: Readonly<Record<string, number>>): number | undefined;
  /**
   * The positions of all tasks of a job, to be given to other tasks. Pure; throws a `SourcePositionError` when they do not go together.
   * Left out: they cannot be.
   */
  respread?(positions: readonly Json[], source: string): SpreadPositions;
}

/** Positions that were taken in one spread and are given to the tasks of another. */
export interface SpreadPositions {
  /** How many partitions each topic had, as far as they are known. */
  readonly partitions: Readonly<Record<string, number>>;
  /** That of one of `count` tasks. */
  of(slice: Pick<TaskSlice, 'index' | 'count'>): Json;
  /** How many records lie behind the positions now, in the partitions that these know; those without any are left out. */
  backlog(): Promise<readonly { readonly partition: string; readonly records: number }[]>;
}

/** What is asked of `SourceSpread.sharing`. */
export interface SharingRequest {
  /** Processes with the same group share the tasks. */
  readonly group: string;
  /** The topics of all sources of the job. */
  readonly topics: readonly string[];
  /** A name that stays the same when the process starts again. */
  readonly instanceId: string | undefined;
  /** A process that is not heard of for so long loses its tasks. */
  readonly sessionTimeoutMs: number;
  /** How long tasks may take to end when they are wanted elsewhere. */
  readonly rebalanceTimeoutMs: number;
  readonly logger: Logger;
}

/** An open source. All methods but `close` are called inside the task's gate, never while a batch is being handled. */
export interface SourceReader {
  /** Begins to read; called once, after every stage is wired and every actor restored. */
  start(): void;
  /** The position behind the last record given to the context: synchronous, O(1), JSON. */
  position(): Json;
  /** No more records until `resume`; marks still pass. */
  pause(): void;
  resume(): void;
  /** Gives no more of one partition, or gives of it again; only where a source has partitions that it can halt alone. */
  holdPartition?(partition: string, isHeld: boolean): void;
  /** Makes durable what the reader itself has written (dead letters) up to the barrier of checkpoint `id`, which has passed. */
  flush?(id: number): MaybePromise<void>;
  /** The checkpoint with this position of ours was committed. */
  committed?(id: number, position: Json): void;
  /** For a progress display: what part of a bounded input was read, 0 to 1. */
  progress?(): number | undefined;
  /** For metrics: called when somebody looks, never per record. */
  measures?(): SourceMeasures;
  /** Gives back every handle; idempotent; after it nothing is given to the context. */
  close(): MaybePromise<void>;
}

/** A reader like `reader`, but for what `over` has; by delegation, and without what `reader` has not. */
export function wrapReader(reader: SourceReader, over: Partial<SourceReader>): SourceReader {
  return {
    start: () => reader.start(),
    position: () => reader.position(),
    pause: () => reader.pause(),
    resume: () => reader.resume(),
    ...(reader.holdPartition && { holdPartition: (partition, isHeld) => reader.holdPartition?.(partition, isHeld) }),
    ...(reader.flush && { flush: id => reader.flush?.(id) }),
    ...(reader.committed && { committed: (id, position) => reader.committed?.(id, position) }),
    ...(reader.progress && { progress: () => reader.progress?.() }),
    ...(reader.measures && { measures: reader.measures.bind(reader) }),
    close: () => reader.close(),
    ...over,
  };
}

/** What a source can tell about itself, beside what the task counts. */
export interface SourceMeasures {
  readonly partitions: readonly PartitionMeasures[];
  /** Records that were read and not given to the task, ever, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
  /** What failed beside the records, ever, and was mended later or not, by what it was. */
  readonly failures?: Readonly<Record<string, number>>;
}

/** One partition of a source's input. */
export interface PartitionMeasures {
  readonly name: string;
  /** The next offset to read. */
  readonly position: number;
  /** Offsets from the position to the end of what may be read; left out while the end is not known. */
  readonly lag?: number;
  /** Records given to the task since the source was opened. */
  readonly records: number;
}

/** Consecutive records of a batch that come from one partition. */
export interface PartitionRun {
  /** As in `PartitionMeasures`. */
  readonly partition: string;
  /** Index in the batch behind the last of them. */
  readonly end: number;
}

/** `reading`: its records are expected, and hold the watermark back. `ended`: it has given its last. `gone`: it is not read any more. */
export type PartitionPhase = 'reading' | 'ended' | 'gone';

/** What a task gives to a source. Records enter the task's gate here and nowhere else. */
export interface SourceContext<T> {
  readonly job: string;
  readonly task: string;
  /** What of the source this task reads; left out: all of it. */
  readonly slice?: TaskSlice | undefined;
  readonly logger: Logger;
  /** The task's scheduler: virtual in tests. */
  readonly scheduler: SchedulerLike;
  /**
   * One instance for all sources and sinks of this incarnation of the task: made by the first who asks for `key`, closed at
   * the end, after sources and sinks. Throws `NotRunningError` when the task has ended.
   */
  readonly shared: Shared;
  /** Whether the job takes checkpoints by the clock; left out: it does. */
  readonly takesCheckpoints?: boolean;
  /**
   * Whether the commit point has itself put this position where others look for it (Kafka's group offsets, inside its
   * transaction): then the source need not. Left out: it has not.
   */
  hasPublished?(position: Json): boolean;
  /**
   * Handles `values[i]` with event time `timestamps[i]` (`NaN` where there is none) one after another. Advance the position
   * before the call: no barrier falls inside a batch. Keep a batch below some 1,000 records or 10 ms of work. A source
   * gives nothing while it is paused; it may give one record or batch at a time only, from its own asynchronous steps.
   * `runs` says which partitions the records come from; left out: the source is one partition.
   */
  batch(values: readonly T[], timestamps?: readonly number[], runs?: readonly PartitionRun[]): void;
  next(value: T, timestamp?: number): void;
  /**
   * Says of each partition that it is read, before its first record; and when that changes, after its last one. Not needed
   * where a source is one partition.
   */
  partition?(name: string, phase: PartitionPhase): void;
  watermark(timestamp: number): void;
  /** Asks for a checkpoint here, behind the last record given. */
  checkpoint(): void;
  /** The end of bounded input. */
  complete(): void;
  /** The task fails with this error. */
  error(error: unknown): void;
  /** The input itself ended with an error notification: native operators such as catchError see it before the task does. */
  failed(error: unknown): void;
}
