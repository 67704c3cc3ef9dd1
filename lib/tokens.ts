import type { Registry } from 'prom-client';
import type { SchedulerLike } from 'rxjs';
import type { InjectionToken } from 'tsyringe';
import type { ChainCompactor } from './checkpoint/chain-compactor.ts';
import type { CommitPoint } from './checkpoint/commit-point.ts';
import type { SegmentEncoder } from './checkpoint/segment-encoder.ts';
import type { SnapshotStore, TaskRef, TaskStore } from './checkpoint/snapshot-store.ts';
import type { Outputs } from './job/outputs.ts';
import type { ResolvedSettings } from './job/settings.ts';
import type { Logger } from './observe/logger.ts';
import type { SharedServices } from './task/shared-services.ts';

export type { DependencyContainer } from 'tsyringe';

function token<T>(name: string): InjectionToken<T> {
  return Symbol.for(`tidemark.${name}`) as InjectionToken<T>;
}

// Of a job; register another under the token in `settings.overrides` to replace it.
export const SETTINGS = token<ResolvedSettings>('settings');
export const LOGGER = token<Logger>('logger');
export const SCHEDULER = token<SchedulerLike>('scheduler');
/** ms on a clock that never goes back. */
export const MONOTONIC_CLOCK = token<() => number>('monotonic-clock');
/** Numbers from 0 up to 1, for the jitter of restarts. */
export const RANDOM = token<() => number>('random');
export const REGISTRY = token<Registry>('registry');
export const SNAPSHOT_STORE = token<SnapshotStore>('snapshot-store');
export const OUTPUTS = token<Outputs>('outputs');

// Of one incarnation of a task.
export const TASK_REF = token<TaskRef>('task-ref');
export const TASK_STORE = token<TaskStore>('task-store');
/** Nothing is registered unless by an override: sinks may bring their own commit point, else the store decides. */
export const COMMIT_POINT = token<CommitPoint>('commit-point');
export const SEGMENT_ENCODER = token<SegmentEncoder>('segment-encoder');
/** What sources and sinks share. */
export const SHARED_SERVICES = token<SharedServices>('shared-services');
/** What the tasks of a job share that run in this process; nothing is registered where the job is one task. */
export const SHARED_BY_TASKS = token<SharedServices>('shared-by-tasks');
export const CHAIN_COMPACTOR = token<ChainCompactor>('chain-compactor');
