/** Keys of each of the deltas that follow the full snapshot. */
export const deltaKeys = 100_000;
export const deltas = 3;
