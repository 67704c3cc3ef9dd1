/** Timers that are set before any fires, each of a key of its own. */
export const manyTimers = 1_000_000;

/** Timers that are set between two checkpoints. */
export const changedTimers = 1_000;

export const batchSize = 1_000;

/** Steps in which event time goes on until all timers have fired. */
export const watermarks = 1_000;
