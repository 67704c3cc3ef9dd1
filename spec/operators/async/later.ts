import type { SchedulerLike } from 'rxjs';

/** What a call answers after so many ms of virtual time: a promise would not wait for it. */
export function later<R>(scheduler: SchedulerLike, ms: number, answer: () => R): PromiseLike<R> {
  return {
    // biome-ignore lint/suspicious/noThenProperty: that is what it is
    then(done, failed) {
      scheduler.schedule(() => {
        let result: R;
        try {
          result = answer();
        } catch (error) {
          failed?.(error);
          return;
        }
        done?.(result);
      }, ms);
      return undefined as never;
    },
  };
}
