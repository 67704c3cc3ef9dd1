import type { CheckpointEvent, JobStatus } from '../../job/handle.ts';
import type { Key } from '../../stream/elements.ts';
import type { WorkerEnd } from './supervision.ts';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

/** What a worker tells. */
export interface WorkerEvents {
  /** At most four times a second. */
  status(status: JobStatus, memoryBytes: number): void;
  checkpoint(event: CheckpointEvent): void;
  log(line: LogLine): void;
  /** Its last word, once, and never before `StartWorker` has returned. */
  ended(end: WorkerEnd): void;
}

/** A process that runs tasks of a job as a member of its group. Nothing here throws. */
export interface Worker {
  /** Its process, for people. */
  readonly pid: number | undefined;
  /** Final checkpoints, then the end. */
  stop(drain: boolean): void;
  cancel(): void;
  /** Ends it at once. */
  kill(): void;
  checkpoint(): void;
  /** The Prometheus text of its metrics; rejects when it gives none in time. */
  metrics(): Promise<string>;
  ask(actor: string, key: Key | undefined): Promise<unknown>;
}

export type StartWorker = (index: number, events: WorkerEvents) => Worker;
