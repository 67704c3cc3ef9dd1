import type { KafkaClient, TopicPartition } from '../client/port.ts';
import { KafkaAnswerError } from '../errors.ts';

/** Deletes what lies before these offsets; throws a `KafkaAnswerError` for what a broker refuses. */
export async function deleteBefore(
  client: KafkaClient,
  partitions: readonly (TopicPartition & { readonly before: number })[],
): Promise<void> {
  for (const partition of partitions) {
    const node = await client.leader(partition);
    const [answer] = node ? await node.deleteRecords([partition]) : [];
    const error = answer?.error ?? 'LEADER_NOT_AVAILABLE';
    if (error === 'NONE') continue;
    if (!node || error === 'NOT_LEADER_OR_FOLLOWER') client.forgetLeader(partition);
    throw new KafkaAnswerError(
      error,
      `Records of ${partition.topic}-${partition.partition} before offset ${partition.before} could not be deleted on ${client.location}: ${error}.`,
    );
  }
}
