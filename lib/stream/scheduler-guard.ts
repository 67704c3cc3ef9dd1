import { queueScheduler, Scheduler, Subscription } from 'rxjs';

/** What is running that must not wait for a scheduler. */
export interface SchedulerGuard {
  /** Whether it has refused something before: then it is over anyway, and an operator that tries again must not do so for ever. */
  readonly hasRefused: boolean;
  /** Its own queue, once it has used one. */
  queue: Scheduler | undefined;
  /** Refuses the scheduler, and answers the error. */
  refuseScheduler(): unknown;
}

type Schedule = Scheduler['schedule'];

let isGuarded = false;

/**
 * Makes RxJS's schedulers refuse work while `current` answers something: what they would emit later could fall on the wrong
 * side of a barrier. The queue scheduler works at once unless it is given a delay, and is allowed; each guard has a queue of
 * its own, since work that was put behind what somebody else does would be done when the record has passed.
 */
export function guardSchedulers(current: () => SchedulerGuard | null): void {
  if (isGuarded) return;
  isGuarded = true;
  const { prototype } = Scheduler;
  const schedule: Schedule = prototype.schedule;
  prototype.schedule = function (this: Scheduler, ...args: Parameters<Schedule>) {
    const guard = current();
    const [, delay = 0] = args;
    if (guard === null) return schedule.apply(this, args);
    if (this === queueScheduler && !(delay > 0)) {
      guard.queue ??= emptyQueue();
      return schedule.apply(guard.queue, args);
    }
    if (guard.hasRefused) return Subscription.EMPTY;
    throw guard.refuseScheduler();
  } as Schedule;
}

/** The queue scheduler as it is when nothing waits in it. */
function emptyQueue(): Scheduler {
  return Object.create(queueScheduler, {
    actions: { value: [], writable: true },
    _active: { value: false, writable: true },
  }) as Scheduler;
}
