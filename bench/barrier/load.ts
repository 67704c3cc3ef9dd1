/** Keys with state. */
export const keys = 1_000_000;
/** Keys that change between two checkpoints. */
export const changedKeys = 100_000;
