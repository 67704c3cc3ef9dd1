/**
 * Tells what a job has since it was started from a savepoint (`spread`, a digest) from what it had before, in names that Kafka keeps; nothing
 * for what it had first.
 */
export const lineSuffix = (separator: string, spread: string | undefined): string =>
  spread === undefined ? '' : `${separator}${spread.slice(0, 12)}`;
