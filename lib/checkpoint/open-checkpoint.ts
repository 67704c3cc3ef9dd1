import type { Subscription } from 'rxjs';
import type { CheckpointEvent } from '../job/handle.ts';
import type { ActorEntry, CommitPointIdentity, Json, Manifest, Origin, RestEntry, TaskLayout } from './manifest.ts';
import type { ActorCapture, SourceEntry } from './participants.ts';
import type { TaskRef } from './snapshot-store.ts';

/** How a final checkpoint is marked. */
export interface Final {
  readonly jobFinished: boolean;
  readonly closed: boolean;
  /** Its name, when it is a savepoint. */
  readonly savepoint?: string | undefined;
}

/** The one checkpoint that is under way: what was true at its barrier, and what has been written for it. */
export interface OpenCheckpoint {
  readonly id: number;
  readonly final: Final | undefined;
  /** Its name, when it is a savepoint. */
  readonly savepoint: string | undefined;
  /** How far the task was on its way to rest. */
  readonly rest: RestEntry | undefined;
  /** ms on the monotonic clock. */
  readonly startedAt: number;
  /** Elements that had entered. */
  readonly entered: number;
  readonly sources: Map<string, SourceEntry>;
  readonly captures: Map<string, ActorCapture>;
  /** Nodes that had completed at the barrier: one that completes later has handled records that this checkpoint lacks. */
  readonly finished: readonly string[];
  /** Of the phase that it is in. */
  timeout: Subscription;
  stallMs: number;
  bytes: number;
  entries: number;
  readonly whenOver: ((event: CheckpointEvent) => void) | undefined;
}

/** The manifest of a checkpoint whose segments are written and whose sinks have flushed. */
export function manifestOf(
  open: OpenCheckpoint,
  { job, task }: TaskRef,
  by: {
    readonly token: number;
    readonly commitPoint: CommitPointIdentity;
    readonly tasks: TaskLayout | undefined;
    readonly origin: Origin | undefined;
  },
  actors: ReadonlyMap<string, ActorEntry>,
  handles: readonly (readonly [string, Json])[],
): Manifest {
  return {
    format: 1,
    job,
    task,
    id: open.id,
    token: by.token,
    kind: open.savepoint === undefined ? 'checkpoint' : 'savepoint',
    ...(open.savepoint !== undefined && { savepoint: { name: open.savepoint } }),
    ...(open.rest && { rest: open.rest }),
    ...(by.origin && { origin: by.origin }),
    createdAt: Date.now(),
    sources: Object.fromEntries(open.sources),
    actors: Object.fromEntries(actors),
    sinks: Object.fromEntries(handles),
    finished: [...open.finished],
    jobFinished: open.final?.jobFinished ?? false,
    closed: open.final?.closed ?? false,
    ...(by.tasks ? { tasks: by.tasks } : {}),
    commitPoint: by.commitPoint,
  };
}

/** What is told of a checkpoint that is over at `now` on the monotonic clock. */
export function eventOf(
  open: OpenCheckpoint,
  outcome: CheckpointEvent['outcome'],
  now: number,
  reason: string | undefined,
): CheckpointEvent {
  return {
    id: open.id,
    outcome,
    isFinal: open.final !== undefined,
    ...(open.savepoint !== undefined && { savepoint: open.savepoint }),
    durationMs: now - open.startedAt,
    stallMs: open.stallMs,
    bytes: open.bytes,
    entries: open.entries,
    at: Date.now(),
    ...(reason === undefined ? {} : { reason }),
  };
}

/** What is told of a checkpoint that was left out because nothing had changed since `id`. */
export function skippedEvent(id: number): CheckpointEvent {
  return {
    id,
    outcome: 'skipped',
    isFinal: false,
    durationMs: 0,
    stallMs: 0,
    bytes: 0,
    entries: 0,
    at: Date.now(),
  };
}
