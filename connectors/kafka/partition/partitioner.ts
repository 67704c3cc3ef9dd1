import { UserCodeError } from '../../../lib/index.ts';

/** What a partitioner decides by, besides the value. */
export interface PartitionerRecord {
  readonly topic: string;
  readonly key: Uint8Array | null;
  /** How many partitions the topic has now. */
  readonly partitions: number;
}

/** Chooses the partition of a record, from 0 to `partitions` - 1; at once. */
export type Partitioner<T> = (value: T, record: PartitionerRecord) => number;

/** The partition that the function chose; throws a `UserCodeError` when the topic has no such partition. */
export function chosenPartition<T>(partitioner: Partitioner<T>, value: T, record: PartitionerRecord): number {
  const { topic, partitions } = record;
  const chosen: unknown = partitioner(value, record);
  if (typeof chosen === 'number' && Number.isInteger(chosen) && chosen >= 0 && chosen < partitions) return chosen;
  const said = typeof chosen === 'number' ? String(chosen) : `a value of type ${typeof chosen}`;
  throw new UserCodeError(
    `The partitioner of a sink chose ${said} for a record to topic "${topic}", which has ${partitions} partitions: ` +
      `it must answer a whole number from 0 to ${partitions - 1}, at once`,
    { context: { topic, partitions } },
  );
}
