import type { SchedulerLike } from 'rxjs';
import { isPromise, type MaybePromise } from '../maybe-promise.ts';
import type { Logger } from '../observe/logger.ts';

const closeTimeoutMs = 10_000;

/** Waits until `closed`, but not for ever: a connector that does not close is left behind, so that a stop or restart goes on. */
export function closedInTime(
  closed: MaybePromise<unknown>,
  scheduler: SchedulerLike,
  logger: Logger,
): MaybePromise<void> {
  if (!isPromise(closed)) return;
  return new Promise<void>(resolve => {
    const timer = scheduler.schedule(() => {
      logger.warn({ waitedMs: closeTimeoutMs }, 'a source or sink does not close: the job goes on without it');
      resolve();
    }, closeTimeoutMs);
    const done = () => {
      timer.unsubscribe();
      resolve();
    };
    void closed.then(done, done);
  });
}
