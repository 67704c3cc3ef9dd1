import type { SchedulerLike, Subscription } from 'rxjs';
import { andThen, attempt, type MaybePromise } from '../maybe-promise.ts';

/** ms before a request is repeated: doubled each time, up to the longest. */
const firstDelay = 50;
const longestDelay = 2_000;

/** Makes one request again, a little later each time, until it succeeds or may not be repeated any more. */
export class RepeatedRequest {
  private readonly scheduler: SchedulerLike;
  private readonly whenRepeated: (error: unknown) => void;
  private waiting: Subscription | undefined;
  private isClosed = false;

  constructor(scheduler: SchedulerLike, whenRepeated: (error: unknown) => void) {
    this.scheduler = scheduler;
    this.whenRepeated = whenRepeated;
  }

  /** The result of `work`, or its last error once `mayRepeat` says no. */
  run(work: () => MaybePromise<void>, mayRepeat: (error: unknown) => boolean, delay = firstDelay): MaybePromise<void> {
    return attempt(work, error => {
      if (this.isClosed || !mayRepeat(error)) throw error;
      this.whenRepeated(error);
      return new Promise<void>((resolve, reject) => {
        this.waiting = this.scheduler.schedule(() => {
          attempt(() => andThen(this.run(work, mayRepeat, Math.min(delay * 2, longestDelay)), resolve), reject);
        }, delay);
      });
    });
  }

  /** Repeats nothing any more. */
  close(): void {
    this.isClosed = true;
    this.waiting?.unsubscribe();
  }
}
