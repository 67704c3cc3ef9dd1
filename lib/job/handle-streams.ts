import { Observable, type SchedulerLike, type Subscription } from 'rxjs';
import type { JobHandle, JobStatus } from './handle.ts';

/** The status as it is, then each change of it; who comes after the end is told how it ended. */
export function statusChanges(changes: Observable<void>, current: () => JobStatus): Observable<JobStatus> {
  return new Observable(subscriber => {
    subscriber.next(current());
    return changes.subscribe({
      next: () => subscriber.next(current()),
      complete: () => subscriber.complete(),
    });
  });
}

/** The same, and between the changes the counters at an interval, for as long as somebody looks. */
export function statusWithCounters(
  changes: Observable<JobStatus>,
  current: () => JobStatus,
  scheduler: SchedulerLike,
  interval: number,
): Observable<JobStatus> {
  return new Observable(subscriber => {
    subscriber.add(changes.subscribe(subscriber));
    const tick = (): void => {
      if (subscriber.closed) return;
      timer = scheduler.schedule(() => {
        subscriber.next(current());
        tick();
      }, interval);
    };
    let timer: Subscription | undefined;
    tick();
    return () => timer?.unsubscribe();
  });
}

/** The text of all metrics, now and at an interval, until `done`. */
export function metricsTexts(
  registry: JobHandle['registry'],
  scheduler: SchedulerLike,
  interval: number,
  done: Promise<unknown>,
): Observable<string> {
  return new Observable<string>(subscriber => {
    const emit = (): void => {
      registry.metrics().then(
        text => {
          subscriber.next(text);
          if (!subscriber.closed) timer = scheduler.schedule(emit, interval);
        },
        error => subscriber.error(error),
      );
    };
    let timer: Subscription | undefined;
    const end = () => {
      timer?.unsubscribe();
      subscriber.complete();
    };
    done.then(end, end);
    emit();
    return () => timer?.unsubscribe();
  });
}
