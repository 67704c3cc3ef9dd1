import type { JobHandle, JobStatus } from '../lib/job/handle.ts';
import { attempt, type MaybePromise } from '../lib/maybe-promise.ts';
import { endText } from './end-report.ts';
import { errorLines } from './error-report.ts';
import { exitCodeOfEnd, exitCodeOfError } from './exit-code.ts';
import type { Clock, Reporter } from './reporter.ts';
import { type SignalSource, stopOnSignals } from './stop-on-signals.ts';

export interface RunJobOptions {
  readonly reporter: Reporter;
  readonly signals: SignalSource;
  readonly clock: Clock;
  /** Whether errors come with all of their stacks. */
  readonly isVerbose?: boolean;
  /** Ends at once what runs outside this process, when a second signal comes. */
  readonly abort?: () => void;
  /** Gives back what was opened for the job, after it has ended. */
  readonly close: () => MaybePromise<void>;
}

/** Starts a job, shows what it does until it ends or a second signal comes, and answers the exit code. Never rejects. */
export async function runJob(start: () => MaybePromise<JobHandle>, options: RunJobOptions): Promise<number> {
  const { reporter, signals, clock, close } = options;
  const begun = clock.monotonic();
  let last: JobStatus | undefined;
  let hasRun = false;
  let handle: JobHandle | undefined;
  let isStopRequested = false;

  const forced = Promise.withResolvers<number>();
  const release = stopOnSignals(signals, {
    first(signal) {
      isStopRequested = true;
      reporter.notice(`${signal}: stopping with a final checkpoint. A second one ends the process at once, without.`);
      void handle?.stop().catch(() => {}); // `done` tells
    },
    second(exitCode) {
      options.abort?.();
      forced.resolve(exitCode);
    },
  });

  const run = async (): Promise<number> => {
    try {
      handle = await start();
      handle.status$.subscribe(status => {
        last = status;
        hasRun ||= status.phase === 'running';
        reporter.status(status);
      });
      handle.checkpoints$.subscribe(event => reporter.checkpoint(event));
      if (isStopRequested) void handle.stop().catch(() => {});
      const outcome = await handle.done;
      const status = last ?? handle.status;
      const exitCode = exitCodeOfEnd(outcome, status);
      const text = endText(outcome, status, clock.monotonic() - begun, hasRun);
      reporter.end([text], false, { event: 'end', outcome, exitCode });
      return exitCode;
    } catch (error) {
      const exitCode = exitCodeOfError(error);
      const { code } = (error ?? {}) as { code?: unknown };
      reporter.end(errorLines(error, options.isVerbose), true, { event: 'end', outcome: 'failed', exitCode, code });
      return exitCode;
    } finally {
      await attempt<void>(close, error => reporter.logger.warn({ error }, 'closing the store failed'));
    }
  };

  const aborted = forced.promise.then(exitCode => {
    const text =
      'Ended at once on the second signal: what came after the last checkpoint is processed again at the next start.';
    reporter.end([text], true, { event: 'end', outcome: 'aborted', exitCode });
    return exitCode;
  });
  try {
    return await Promise.race([run(), aborted]);
  } finally {
    release();
  }
}
