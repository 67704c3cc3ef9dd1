import type { Subscription } from 'rxjs';
import type { Scope } from '../stream/stage.ts';

/** Node's timers hold at most 2^31 - 1 ms. */
const longestDelay = 2_147_483_647;

/** One alarm for the earliest processing-time timer of an actor; it comes in through the gate like everything else. */
export class Alarm {
  private readonly scope: Scope;
  private readonly ring: () => void;
  private set: { readonly time: number; readonly subscription: Subscription } | undefined;

  /** `ring` is called inside the gate; it sets the alarm for the next timer. */
  constructor(scope: Scope, ring: () => void) {
    this.scope = scope;
    this.ring = ring;
  }

  /** Rings at `time`, on the task's clock, or earlier where it was set for an earlier time or cannot wait for so long. */
  setFor(time: number | undefined): void {
    if (time === undefined || this.scope.hasFailed || (this.set && this.set.time <= time)) return;
    this.set?.subscription.unsubscribe();
    const { scope } = this;
    const delay = Math.min(Math.max(0, time - scope.scheduler.now()), longestDelay);
    const subscription = scope.scheduler.schedule(() => {
      this.set = undefined;
      scope.enter(this.ring);
    }, delay);
    this.set = { time, subscription };
  }

  clear(): void {
    this.set?.subscription.unsubscribe();
    this.set = undefined;
  }
}
