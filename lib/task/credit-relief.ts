import type { SchedulerLike, Subscription } from 'rxjs';

/** How long sources stay paused before a checkpoint is asked for; longer each time it did not help, up to `longestMs`. */
const patienceMs = 100;
const longestMs = 10_000;

/**
 * Asks for checkpoints while no credits are left. Committed output holds its credits until a checkpoint: waiting for the next
 * one by the clock would keep the sources paused until then, and for ever with checkpoints by the clock switched off.
 */
export class CreditRelief {
  private readonly scheduler: SchedulerLike;
  private readonly checkpoint: () => void;
  private timer: Subscription | undefined;

  constructor(scheduler: SchedulerLike, checkpoint: () => void) {
    this.scheduler = scheduler;
    this.checkpoint = checkpoint;
  }

  /** All credits are held. */
  begin(): void {
    this.wait(patienceMs);
  }

  /** There are some again, or the task has ended. */
  end(): void {
    this.timer?.unsubscribe();
    this.timer = undefined;
  }

  private wait(ms: number): void {
    this.timer = this.scheduler.schedule(() => {
      this.wait(Math.min(ms * 2, longestMs));
      this.checkpoint();
    }, ms);
  }
}
