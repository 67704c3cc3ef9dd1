import { TidemarkError } from '../lib/errors.ts';
import type { JobOutcome, JobStatus } from '../lib/job/handle.ts';

/** Exit codes of every command; described in `--help` and docs/cli.md. A signal that forces the end gives 128 + its number. */
export const exitCodes = {
  /** Every branch has come to its end, and that is checkpointed; or the command did what it was asked. */
  done: 0,
  /** A fault of Tidemark's own, or one that nobody has classified. Node itself ends with 1 on such errors. */
  internal: 1,
  /** The command line is wrong: unknown options, no such file, a file that is no job. */
  usage: 2,
  /** Stopped on request, with a final checkpoint, before a bounded source had ended. */
  stopped: 3,
  /** The job's author can mend it: code that throws, bad input, settings that do not validate. */
  user: 4,
  /** Something outside failed: the store, a disk, a broker, another process that has taken the task over. */
  external: 5,
} as const;

/** How a job ended that did not fail. */
export function exitCodeOfEnd(outcome: JobOutcome, status: Pick<JobStatus, 'sources'>): number {
  // Also when every branch ended before its input did (`take(10)`): whatever is left of it, the job would drop.
  if (outcome === 'finished') return exitCodes.done;
  if (outcome === 'cancelled') return exitCodes.stopped;
  // A job without bounded input ends in no other way than by a stop: its final checkpoint covers all that it took.
  const isUnprocessed = status.sources.some(
    source => !source.isFinished && (source.isBounded ?? source.progress !== undefined),
  );
  return isUnprocessed ? exitCodes.stopped : exitCodes.done;
}

/** Whose fault an error is; one that is no `TidemarkError` is ours until the opposite is shown. */
export function exitCodeOfError(error: unknown): number {
  if (error instanceof UsageError) return exitCodes.usage;
  return exitCodes[faultOf(error)];
}

const faults = ['user', 'external', 'internal'] as const;

/** By its field, not its class: a job module may have loaded another copy of the package. */
function faultOf(error: unknown): (typeof faults)[number] {
  const fault = (error as { fault?: unknown } | null | undefined)?.fault;
  return faults.find(known => known === fault) ?? 'internal';
}

/** What was typed cannot be carried out. */
export class UsageError extends TidemarkError {
  readonly code = 'USAGE';
  readonly fault = 'user';
  readonly retriable = false;
}
