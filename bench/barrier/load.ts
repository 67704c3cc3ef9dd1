/** Keys that change between two checkpoints. */
export const changedKeys = 100_000;
/** Records of a batch. */
export const batchSize = 500;
/** From one checkpoint to the next. */
export const secondMs = 1_000;
/** About as long as a checkpoint takes: gaps without one are looked for in as much time. */
export const windowMs = 250;
