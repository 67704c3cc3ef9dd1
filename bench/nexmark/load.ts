/** The queries that are measured. */
export const measured = ['q0', 'q1', 'q2', 'q5', 'q7', 'q8', 'q11'] as const;
export type MeasuredQuery = (typeof measured)[number];

/** Events that are made before the clock starts; they are given again and again, each time as much later as they last. */
export const events = 200_000;

/** Events in a second of event time. */
export const eventsPerSecond = 10_000;

/** The most by which an event may be older than one before it, and how far the watermark is behind. */
export const disorderMs = 1_000;

/** Events that a source hands over at once, between two turns of the event loop. */
export const batchSize = 500;

export const warmUpMs = 2_000;
export const timedMs = 6_000;
