import type { CheckpointEvent, JobStatus } from '../lib/job/handle.ts';
import type { Logger } from '../lib/observe/logger.ts';

/** Shows a person, or a log, what a running job does. */
export interface Reporter {
  /** For the job, and for what the command itself has to say. */
  readonly logger: Logger;
  status(status: JobStatus): void;
  checkpoint(event: CheckpointEvent): void;
  /** What is under way on request: 'stopping …'. */
  notice(text: string): void;
  /** The last words, after the last status; everything is written and given back when it returns. */
  end(lines: readonly string[], isError: boolean, fields: object): void;
}

/** Clocks in ms. */
export interface Clock {
  /** Since 1970. */
  now(): number;
  monotonic(): number;
}
