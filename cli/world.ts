import type { WriteStream } from 'node:tty';
import type { SnapshotStore } from '../lib/checkpoint/snapshot-store.ts';
import type { CheckStateOptions, StateReport } from '../lib/job/check-state.ts';
import type { JobHandle } from '../lib/job/handle.ts';
import type { Job } from '../lib/job/job.ts';
import type { JobSettings } from '../lib/job/settings.ts';
import type { MaybePromise } from '../lib/maybe-promise.ts';
import type { ListenAddress } from '../lib/observe/status-server/listen-address.ts';
import type { StatusServer } from '../lib/observe/status-server/status-server.ts';
import type { Clock } from './reporter.ts';
import type { SignalSource } from './stop-on-signals.ts';
import type { WorkersRequest } from './workers/start-workers.ts';

/** Everything outside that the commands touch; specs put their own in its place. */
export interface World {
  start(job: Job, settings: JobSettings): MaybePromise<JobHandle>;
  /** Wires and validates; opens nothing. Throws what is wrong. */
  check(job: Job, settings: JobSettings): MaybePromise<void>;
  /** Compares the job with what its store holds; reads alone. */
  checkState(job: Job, settings: JobSettings, options: CheckStateOptions): MaybePromise<StateReport>;
  /** Runs a job in child processes; throws what is wrong before there are any. */
  startWorkers(request: WorkersRequest): WorkersHandle;
  openStore(where: string): MaybePromise<SnapshotStore>;
  openStatusServer(at: ListenAddress): MaybePromise<StatusServer>;
  readonly version: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  readonly signals: SignalSource;
  readonly clock: Clock;
}

export type WorkersHandle = JobHandle & { kill(): void };

export type Terminal = Pick<WriteStream, 'write'> & Partial<Pick<WriteStream, 'isTTY' | 'columns' | 'rows'>>;
