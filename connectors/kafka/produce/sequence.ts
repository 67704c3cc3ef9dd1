const cycle = 2 ** 31;

/** The sequence number that follows `count` records from `sequence` on: Kafka's run from 0 to 2^31 - 1, and begin again at 0. */
export function sequenceAfter(sequence: number, count: number): number {
  return (sequence + count) % cycle;
}
