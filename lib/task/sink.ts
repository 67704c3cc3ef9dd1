import type { SchedulerLike } from 'rxjs';
import type { CommitPointContext, CommitPointResolver, ExternalCommitPoint } from '../checkpoint/commit-point.ts';
import type { Json } from '../checkpoint/manifest.ts';
import type { MaybePromise } from '../maybe-promise.ts';
import type { Logger } from '../observe/logger.ts';
import type { Key } from '../stream/elements.ts';
import type { Shared } from './shared-services.ts';

/** A connector's sink: a declaration that a task opens. */
export interface Sink<T> {
  readonly kind: string;
  /** Ties handles in manifests to the sink for life; unique in a job. */
  readonly name: string;
  readonly guarantee: 'none' | 'at-least-once' | 'exactly-once';
  check?(): MaybePromise<void>;
  /**
   * Says what its output is committed with, for sinks that decide about checkpoints themselves (`commitsIn`): all of a task
   * must say the same.
   */
  readonly commitsWith?: string;
  /** Makes the commit point of the task, in the place of the store's; asked of one sink, before any is open. */
  commitsIn?(context: CommitPointContext): ExternalCommitPoint;
  /** Finds commit points again that decided earlier. */
  readonly commitPoints?: CommitPointResolver;
  open(context: SinkContext): MaybePromise<SinkWriter<T>>;
}

/**
 * An open sink. Its life: `restore` once, then `write`s; at a barrier `barrier(id)` draws the line, `flush(id)` makes what
 * lies before it durable but not visible and answers a handle for the manifest; then either `commit` (the checkpoint
 * counts: make it visible) or `abandon` (it does not: what was before the line belongs to the next checkpoint).
 * Only one checkpoint is under way at a time, but `write` goes on meanwhile.
 */
export interface SinkWriter<T> {
  /**
   * Before the first record. With the handle of the restored manifest (and its id and token): applies it again, which
   * changes nothing when it was applied before, and takes up the position that it describes. Without one: starts afresh.
   */
  restore(from: { readonly id: number; readonly token: number; readonly handle: Json } | undefined): MaybePromise<void>;
  /** Takes one record; synchronous; what it must wait for is held in a bounded buffer and reported as credits. */
  write(value: T, timestamp: number, key: Key | undefined): void;
  barrier(id: number): void;
  flush(id: number): MaybePromise<Json>;
  /** Makes the handle visible; idempotent; may be called again after a failure. Refuses what is not newer (zombies). */
  commit(id: number, handle: Json): MaybePromise<void>;
  abandon(id: number): void;
  close(): MaybePromise<void>;
}

/** What a task gives to a sink. */
export interface SinkContext {
  readonly job: string;
  readonly task: string;
  /** The fence token of this incarnation. */
  readonly token: number;
  readonly logger: Logger;
  readonly scheduler: SchedulerLike;
  readonly credits: CreditHolder;
  /** As `SourceContext.shared`: the same instances. */
  readonly shared: Shared;
  /** The task fails with this error; for failures outside a call of the task. */
  error(error: unknown): void;
}

/** One holder's share of the task's credits: when all are held, sources pause; at half they resume. */
export interface CreditHolder {
  acquire(count: number): void;
  release(count: number): void;
  /** Whether it holds as much as it should by a measure of its own (bytes): sources pause while one says so. */
  full(isFull: boolean): void;
}
