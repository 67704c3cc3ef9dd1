/** A value, or a promise of it: what a port answers that may be synchronous, so that whole checkpoints run in virtual time. */
export type MaybePromise<T> = T | PromiseLike<T>;

export function isPromise<T>(value: MaybePromise<T>): value is PromiseLike<T> {
  return typeof (value as { then?: unknown } | undefined)?.then === 'function';
}

/**
 * Continues with `next` at once when `value` is there, else when its promise resolves; errors go through unchanged.
 * Not named `then`: a module that exports that name is itself a thenable, and cannot be loaded with `import()`.
 */
export function andThen<T, R>(value: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return isPromise(value) ? value.then(next) : next(value);
}

/** Runs `work` and hands what it throws or rejects with to `recover`. */
export function attempt<T>(work: () => MaybePromise<T>, recover: (error: unknown) => MaybePromise<T>): MaybePromise<T> {
  let value: MaybePromise<T>;
  try {
    value = work();
  } catch (error) {
    return recover(error);
  }
  return isPromise(value) ? value.then(undefined, recover) : value;
}

/** Runs `work` on each item in order, one after another; synchronous as long as each step is. */
export function eachInOrder<T>(items: Iterable<T>, work: (item: T) => MaybePromise<unknown>): MaybePromise<void> {
  const iterator = items[Symbol.iterator]();
  for (let step = iterator.next(); !step.done; step = iterator.next()) {
    const done = work(step.value);
    if (isPromise(done)) {
      return (async () => {
        await done;
        for (let rest = iterator.next(); !rest.done; rest = iterator.next()) await work(rest.value);
      })();
    }
  }
}

/** All results in order; synchronous when every one is. */
export function all<T>(values: readonly MaybePromise<T>[]): MaybePromise<T[]> {
  return values.some(isPromise) ? Promise.all(values) : (values as T[]);
}

/** Starts all before it waits for any, and answers as `all`; when one fails, what becomes of the others is nobody's concern. */
export function allStarted<T>(works: readonly (() => MaybePromise<T>)[]): MaybePromise<T[]> {
  const values: MaybePromise<T>[] = [];
  try {
    for (const work of works) values.push(work());
  } catch (error) {
    for (const value of values) if (isPromise(value)) void value.then(undefined, () => {});
    throw error;
  }
  return all(values);
}
