/** What flows: made before the clock starts, so that only the chains are measured. */
export interface Payment {
  readonly account: string;
  readonly cents: number;
}

export const accounts = 1_000;

/** Records that a source hands over at once, between two turns of the event loop. */
export const batchSize = 500;

// Few enough to stay in the processor's cache, as records that a source has just decoded are; each with a key string of its own.
const ring: readonly Payment[] = Array.from({ length: 4 * batchSize }, (_, i) => ({
  account: `account-${(i * 7_919) % accounts}`,
  cents: (i % 97) + 1,
}));

/** Payments of 1,000 accounts, which a feed hands over again and again. */
export const batches: readonly (readonly Payment[])[] = Array.from({ length: ring.length / batchSize }, (_, i) =>
  ring.slice(i * batchSize, (i + 1) * batchSize),
);
