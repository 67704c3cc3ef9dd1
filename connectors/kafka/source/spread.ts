import type { Key, SharingRequest, SourceSpread } from '../../../lib/index.ts';
import { keyPartition } from '../partition/key-partition.ts';
import { backlogBehind } from '../scale/backlog.ts';
import { kafkaChannel } from '../scale/channel.ts';
import { joinedPosition, partitionCounts, slicePosition } from '../scale/joined-position.ts';
import { kafkaTaskSharing } from '../scale/task-sharing.ts';
import { clusterKey } from '../shared-client.ts';
import { keyText } from '../sink/record-encoder.ts';
import type { KafkaSourceSettings } from './options.ts';

/** How the partitions of a source are spread over tasks, and those over the members of a group. */
export function sourceSpread<T>({ connection, topics, partitionOf, isolation }: KafkaSourceSettings<T>): SourceSpread {
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
  const at = partitionOf === 'key' || partitionOf === 'unknown' ? byText : partitionOf;
  // Topics whose counts differ have counts that are multiples of the number of tasks: which is taken makes no difference.
  const taskOf = (key: Key, count: number, partitions: Readonly<Record<string, number>>) =>
    at(key, Math.min(...Object.values(partitions))) % count;
  return {
    ...spread,
    ...(partitionOf === 'unknown' ? {} : { taskOf }),
    respread: (positions, source) => {
      const joined = joinedPosition(positions, source);
      return {
        partitions: partitionCounts(joined),
        of: slice => slicePosition(joined, slice),
        backlog: () => backlogBehind(joined, connection, isolation),
      };
    },
    // Where a topic's own partitions tell where keys are, channels put them there, too.
    channel: request => kafkaChannel(connection, request, key => taskOf(key, request.tasks, request.partitions)),
  };
}

const byText = (key: Key, partitions: number): number => keyPartition(keyText(key) ?? '', partitions);
