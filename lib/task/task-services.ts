import type { SchedulerLike } from 'rxjs';
import type { ChainCompactor } from '../checkpoint/chain-compactor.ts';
import type { CommitPoint } from '../checkpoint/commit-point.ts';
import type { RestEntry, TaskLayout } from '../checkpoint/manifest.ts';
import type { SegmentEncoder } from '../checkpoint/segment-encoder.ts';
import type { TaskRef, TaskStore } from '../checkpoint/snapshot-store.ts';
import type { Outputs } from '../job/outputs.ts';
import type { ResolvedSettings } from '../job/settings.ts';
import type { MaybePromise } from '../maybe-promise.ts';
import type { Logger } from '../observe/logger.ts';
import type { Shared } from './shared-services.ts';

/** What one incarnation of a task is made of; put together in `composition.ts`. */
export interface TaskServices {
  readonly ref: TaskRef;
  /** Which of several tasks it is; left out: the job is one task. */
  readonly layout?: TaskLayout | undefined;
  readonly settings: ResolvedSettings;
  readonly logger: Logger;
  readonly scheduler: SchedulerLike;
  readonly store: TaskStore;
  /** Throws when the job has state, but not of this task. */
  readonly verifyAlone?: (() => MaybePromise<void>) | undefined;
  /** Of several tasks: whether all are at rest for a savepoint. */
  readonly areAllAtRest?: ((entry: RestEntry) => MaybePromise<boolean>) | undefined;
  /** What decides unless the sinks bring their own commit point. */
  readonly commitPoint?: CommitPoint | undefined;
  readonly encoder: SegmentEncoder;
  readonly compactor: ChainCompactor;
  readonly outputs: Outputs;
  readonly shared: Shared;
  /** ms on the monotonic clock. */
  monotonicNow(): number;
  /** From 0 up to 1. */
  random(): number;
}
