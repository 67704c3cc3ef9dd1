import type { TopicPartition } from '../../port.ts';

/** Requests name a topic once and its partitions under it; the order is kept. */
export function byTopic<P extends TopicPartition>(partitions: readonly P[]): [topic: string, partitions: P[]][] {
  const topics = new Map<string, P[]>();
  for (const partition of partitions) {
    const known = topics.get(partition.topic);
    if (known) known.push(partition);
    else topics.set(partition.topic, [partition]);
  }
  return [...topics];
}
