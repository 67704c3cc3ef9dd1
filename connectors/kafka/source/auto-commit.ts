import type { SchedulerLike, Subscription } from 'rxjs';

/** Where no checkpoint says how far a job is, the group's offsets do: what the task has handled, at intervals. */
export class AutoCommit {
  readonly #scheduler: SchedulerLike;
  readonly #intervalMs: number;
  readonly #commit: () => void;
  #timer: Subscription | undefined;

  constructor(scheduler: SchedulerLike, intervalMs: number, commit: () => void) {
    this.#scheduler = scheduler;
    this.#intervalMs = intervalMs;
    this.#commit = commit;
  }

  /** Commits for the first time after one interval. */
  begin(): void {
    this.#timer = this.#scheduler.schedule(() => {
      this.#commit();
      this.begin();
    }, this.#intervalMs);
  }

  close(): void {
    this.#timer?.unsubscribe();
  }
}
