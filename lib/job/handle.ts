import type { Registry } from 'prom-client';
import type { Observable } from 'rxjs';
import type { Duration } from '../duration.ts';
import type { TidemarkError } from '../errors.ts';
import type { Savepoint } from '../savepoint/savepoint.ts';
import type { Key } from '../stream/elements.ts';
import type { SourceTime } from '../task/source-clock.ts';

/**
 * `starting` → `recovering` → `running` → one of the ends: `finished` (every branch has completed, with its bounded input or
 * before it, and that is checkpointed), `stopped` (final checkpoint taken on request), `cancelled` (without one), `failed`.
 * `standby`: other processes run the job, or all of its tasks; this one takes over what they leave. `restarting` waits for the restart strategy, then recovers again. `stopping` takes the final checkpoint.
 */
export type JobPhase =
  | 'starting'
  | 'standby'
  | 'recovering'
  | 'running'
  | 'restarting'
  | 'stopping'
  | 'finished'
  | 'stopped'
  | 'cancelled'
  | 'failed';

export interface SourceStatus {
  readonly name: string;
  readonly kind: string;
  readonly records: number;
  /** Whether it ends by itself: a stop before that leaves input unprocessed, which the command line tells. */
  readonly isBounded?: boolean;
  /** 0 to 1 for bounded input. */
  readonly progress?: number;
  readonly isPaused: boolean;
  readonly isFinished: boolean;
  /** Where `assignTimestamps` gives it event time: its watermark, and what holds it back. */
  readonly time?: SourceTime;
}

export interface ActorStatus {
  readonly name: string;
  readonly keys: number;
}

/** One process of several that a supervisor runs on this machine. */
export interface WorkerStatus {
  readonly name: string;
  readonly phase: JobPhase;
  readonly pid?: number;
  readonly tasks: readonly string[];
  /** How often it was started again after it had died. */
  readonly restarts: number;
  readonly records: { readonly in: number; readonly out: number };
  /** What its process holds of the machine's memory, once it has said so. */
  readonly memoryBytes?: number;
}

export interface JobStatus {
  readonly job: string;
  readonly task: string;
  readonly phase: JobPhase;
  /** 1 at first; one more with each restart. */
  readonly attempt: number;
  /** The checkpoint that this incarnation came back from. */
  readonly restoredFrom?: { readonly id: number; readonly createdAt: number };
  /** The tasks that run in this process, where tasks are shared; the other fields are then their sums, and `task` is empty. */
  readonly tasks?: readonly JobStatus[];
  /** How many tasks the job has in all processes, once that is known; where tasks are shared. */
  readonly taskCount?: number;
  /** The workers, where there are some; the other fields are then their sums, and `tasks` those of all workers. */
  readonly workers?: readonly WorkerStatus[];
  readonly records: { readonly in: number; readonly out: number };
  readonly sources: readonly SourceStatus[];
  readonly actors: readonly ActorStatus[];
  readonly lastCheckpoint?: CheckpointEvent;
  /** What failed last: set while `restarting` and when `failed`. */
  readonly error?: TidemarkError;
}

export interface CheckpointEvent {
  readonly id: number;
  /** Whose it is, where tasks are shared. */
  readonly task?: string;
  /** The worker that it was taken by, where there are some. */
  readonly worker?: string;
  readonly outcome: 'committed' | 'abandoned' | 'skipped';
  /** Whether it was the last one of a stop or of the end of input. */
  readonly isFinal: boolean;
  /** Its name, when it is a savepoint. */
  readonly savepoint?: string;
  /** ms from the barrier to the commit, on the monotonic clock. */
  readonly durationMs: number;
  /** ms for which the barrier kept records waiting. */
  readonly stallMs: number;
  /** Bytes and entries written for it. */
  readonly bytes: number;
  readonly entries: number;
  /** Wall clock, ms since 1970. */
  readonly at: number;
  /** Why it was abandoned. */
  readonly reason?: string;
}

/** Names a side output; `side<Alert>('alerts')` gives its type. */
export interface Side<V> {
  readonly name: string;
  readonly __v?: V;
}

export type JobOutcome = 'finished' | 'stopped' | 'cancelled';

export interface SavepointOptions {
  /** Unique among the savepoints of the job; made from the time when left out. */
  readonly name?: string;
  /** The job ends with it. Default: it goes on. */
  readonly stop?: boolean;
  /** Completes the operators first, as at the end of input; only with `stop`. */
  readonly drain?: boolean;
  /** How long it may take. Default `10m`. */
  readonly timeout?: Duration;
}

/** A started job. Nobody who subscribes to one of its Observables, leaves or throws can stop or fail it. */
export interface JobHandle {
  readonly job: string;
  /** The current status at once, then each change of phase at once and counters at most four times a second. */
  readonly status$: Observable<JobStatus>;
  readonly checkpoints$: Observable<CheckpointEvent>;
  /** The Prometheus text of all metrics, every `metricsInterval`. */
  readonly metrics$: Observable<string>;
  /** The same metrics for an existing scrape endpoint. */
  readonly registry: Registry;
  /** The latest status. */
  readonly status: JobStatus;
  /** Resolves when the job has ended and everything is closed; rejects with the error that ended it. */
  readonly done: Promise<JobOutcome>;
  /**
   * A side output of the job that no stream of it reads, or what it gives to `to(tag)`: live, replays included, or with
   * `committed` once each, behind the checkpoint that covers it. A reader is told what comes from then on, and completed when
   * the job ends. Committed values wait in memory for their checkpoint and hold credits. Subscribe before there is input: a
   * job whose store answers at once, as `memoryStore()` does, begins inside `start`.
   */
  output<V>(tag: Side<V>, options?: { readonly committed?: boolean }): Observable<V>;
  /**
   * The live state of a key (`undefined`: of an un-keyed actor), between two records and frozen; dates and typed arrays in it,
   * which cannot be frozen, must not be changed. Rejects while the job does not run, and for actors that it does not have.
   */
  ask<S>(actor: string, key?: Key): Promise<S | undefined>;
  /** Takes a checkpoint now, unless one is under way. */
  checkpoint(): void;
  /**
   * Takes a savepoint of all of the job's tasks, wherever they run, and with `stop` ends the job with it. The job is asked through its
   * store, where it looks every `checkpoint.requestInterval`; one that starts or restarts is waited for. Rejects, and leaves nothing, when
   * it refuses or ends before, where other processes do not share the store, and with `NotRunningError` when the job has ended.
   */
  savepoint(options?: SavepointOptions): Promise<Savepoint>;
  /**
   * Takes a final checkpoint and ends; with `drain` completes the operators first, as at the end of input. Resolves as `done`
   * does; a job that has failed and waits to be restarted can take no final checkpoint, and rejects with its error.
   */
  stop(options?: { readonly drain?: boolean }): Promise<void>;
  /**
   * Ends without a checkpoint; state is kept or deleted as `checkpoint.onCancel` says. Resolves when the job is over, also
   * when it has failed before.
   */
  cancel(): Promise<void>;
}
