/** Keys that change between two checkpoints. */
export const changedKeys = 100_000;
/** Records of a batch. */
export const batchSize = 500;
/** From one checkpoint to the next. */
export const secondMs = 1_000;
