import type { OffsetQuery, TopicPartition } from '../client/port.ts';
import { PartitionMap } from './partitions.ts';

/** Where a source ends. */
export type StopPosition =
  /** The end of each partition at this start; under `read_committed` its last stable offset. */
  | 'latest'
  /** The first record with this timestamp or a later one, ms since 1970, is not read; the present end where there is none. */
  | { readonly timestamp: number | Date }
  /** The first offset that is not read, by topic and partition; for a partition that is not named its present end. */
  | { readonly offsets: Readonly<Record<string, Readonly<Record<number, number>>>> };

/** What is to be asked to know where each partition ends; nothing for offsets that are named. */
export function stopQueries(partitions: readonly TopicPartition[], stop: StopPosition): OffsetQuery[] {
  return partitions.flatMap(({ topic, partition }): OffsetQuery[] => {
    if (stop === 'latest') return [{ topic, partition, at: 'latest' }];
    if ('timestamp' in stop) return [{ topic, partition, at: Number(stop.timestamp) }];
    return namedStop(stop, { topic, partition }) === undefined ? [{ topic, partition, at: 'latest' }] : [];
  });
}

/** The first offset that is not read, for each partition. `answers` holds -1 where no record has the timestamp or a later one. */
export function stopOffsets(
  partitions: readonly TopicPartition[],
  stop: StopPosition,
  answers: PartitionMap<number>,
  ends: PartitionMap<number>,
): PartitionMap<number> {
  const stops = new PartitionMap<number>();
  for (const partition of partitions) {
    const asked = answers.get(partition) ?? -1;
    const found = asked < 0 ? (ends.get(partition) ?? 0) : asked;
    stops.set(partition, namedStop(stop, partition) ?? found);
  }
  return stops;
}

function namedStop(stop: StopPosition, { topic, partition }: TopicPartition): number | undefined {
  if (typeof stop !== 'object' || !('offsets' in stop)) return undefined;
  return Object.hasOwn(stop.offsets, topic) ? stop.offsets[topic]?.[partition] : undefined;
}
