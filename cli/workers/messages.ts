import type { CheckpointEvent, JobOutcome, JobStatus } from '../../lib/job/handle.ts';
import type { JobSettings } from '../../lib/job/settings.ts';
import type { LogLevel } from '../../lib/observe/create-logger.ts';
import type { PlainError } from '../../lib/scale/workers/errors.ts';
import type { LogLine } from '../../lib/scale/workers/worker.ts';
import type { Key } from '../../lib/stream/elements.ts';

// What parent and workers say to each other, over the channel that Node gives to child processes.

/** What a worker is to run. */
export interface WorkerOrder {
  readonly name: string;
  /** The job module, as it was given, and the folder that it was given in. */
  readonly module: string;
  readonly cwd: string;
  readonly store: string | undefined;
  /** Plain data: what the command line says over the settings of the job. */
  readonly settings: JobSettings;
  readonly log: LogLevel;
  /** How long it may take to end when its parent is gone. */
  readonly endWithinMs: number;
}

export type ToWorker =
  | { readonly do: 'begin'; readonly order: WorkerOrder }
  | { readonly do: 'stop'; readonly drain: boolean }
  | { readonly do: 'cancel' }
  | { readonly do: 'checkpoint' }
  | { readonly do: 'metrics'; readonly id: number }
  | { readonly do: 'ask'; readonly id: number; readonly actor: string; readonly key: Key | undefined };

/** A `JobStatus` whose errors are data. */
export type PlainStatus = Omit<JobStatus, 'error' | 'tasks'> & {
  readonly error?: PlainError;
  readonly tasks?: readonly PlainStatus[];
};

export type FromWorker =
  | {
      readonly is: 'news';
      readonly status?: PlainStatus;
      readonly memoryBytes?: number;
      readonly checkpoints: readonly CheckpointEvent[];
      readonly lines: readonly LogLine[];
    }
  | { readonly is: 'answer'; readonly id: number; readonly value?: unknown; readonly error?: PlainError }
  | {
      readonly is: 'ended';
      readonly outcome?: JobOutcome;
      readonly error?: PlainError;
      /** Of an error: whether the job ran, and its restart strategy has had its say. */
      readonly isDecided?: boolean;
    };
