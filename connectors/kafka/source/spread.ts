import type { Key, SharingRequest, SourceSpread } from '../../../lib/index.ts';
import { keyPartition } from '../partition/key-partition.ts';
import { kafkaTaskSharing } from '../scale/task-sharing.ts';
import { clusterKey } from '../shared-client.ts';
import { keyText } from '../sink/record-encoder.ts';
import type { KafkaSourceSettings } from './options.ts';

/** How the partitions of a source are spread over tasks, and those over the members of a group. */
export function sourceSpread<T>({ connection, topics, partitionOf }: KafkaSourceSettings<T>): SourceSpread {
  const spread = {
    where: `kafka:${clusterKey(connection)}`,
    topics: topics instanceof RegExp ? undefined : topics,
    sharing: ({ sessionTimeoutMs, rebalanceTimeoutMs, instanceId, ...request }: SharingRequest) =>
      kafkaTaskSharing({
        ...connection,
        ...request,
        ...(instanceId === undefined ? {} : { instanceId }),
        sessionTimeout: sessionTimeoutMs,
        rebalanceTimeout: rebalanceTimeoutMs,
      }),
  };
  if (partitionOf === 'unknown') return spread;
  const at = partitionOf === 'key' ? byText : partitionOf;
  return {
    ...spread,
    // Topics whose counts differ have counts that are multiples of the number of tasks: which is taken makes no difference.
    taskOf: (key, count, partitions) => at(key, Math.min(...Object.values(partitions))) % count,
  };
}

const byText = (key: Key, partitions: number): number => keyPartition(keyText(key) ?? '', partitions);
