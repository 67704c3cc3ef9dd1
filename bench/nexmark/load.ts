/** The queries that are measured. */
export const measured = ['q0', 'q1', 'q2', 'q3', 'q4', 'q5', 'q7', 'q8', 'q11'] as const;
export type MeasuredQuery = (typeof measured)[number];

/** Events of one run. */
export const events = 1_000_000;

/** Events in a second of event time. */
export const eventsPerSecond = 10_000;

/** The most by which an event may be older than one before it, and how far the watermark is behind. */
export const disorderMs = 1_000;

/** Events that a source hands over at once, between two turns of the event loop. */
export const batchSize = 500;

/** Events between two looks at the heap. */
export const eventsBetweenLooks = 100_000;
