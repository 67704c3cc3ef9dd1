import { randomUUID } from 'node:crypto';
import { kafkaClient } from '../../../../connectors/kafka/client/kafkajs/kafka-client.ts';
import type { KafkaClient, KafkaNode } from '../../../../connectors/kafka/client/port.ts';
import { type BatchIdentity, BatchWriter } from '../../../../connectors/kafka/client/wire/record-batch-writer.ts';
import { KeptLog } from './log.ts';

/** A client of the cluster that the specs share. */
export function sharedCluster(): KafkaClient {
  return kafkaClient({ clientId: 'client-spec' }, new KeptLog());
}

/** Answers when the topic is there and each of its partitions has a leader that knows of it. */
export async function newTopic(client: KafkaClient, partitions = 1, settings: Record<string, string> = {}) {
  const topic = `client-spec-${randomUUID()}`;
  await client.createTopics([{ topic, partitions, settings }]);
  for (;;) {
    const [found] = await client.topics([topic]);
    if (found?.partitions.length !== partitions) continue;
    const ready = await Promise.all(found.partitions.map(({ partition }) => isLed(client, topic, partition)));
    if (ready.every(isLed => isLed)) return topic;
  }
}

/** A broker may name itself as the leader before it is: then it hangs up on what is sent without acknowledgement. */
async function isLed(client: KafkaClient, topic: string, partition: number): Promise<boolean> {
  const node = await client.leader({ topic, partition });
  const [answer] = (await node?.listOffsets([{ topic, partition, at: 'latest' }], 'read_committed')) ?? [];
  return answer?.error === 'NONE';
}

export async function leaderOf(client: KafkaClient, topic: string, partition = 0): Promise<KafkaNode> {
  const node = await client.leader({ topic, partition });
  if (node === undefined) throw new Error(`${topic}/${partition} has no leader`);
  return node;
}

/** One batch with these values, of a producer without identity or with it. */
export function batchOf(values: readonly string[], identity?: BatchIdentity): Buffer {
  const writer = new BatchWriter();
  for (const value of values) writer.append(1_700_000_000_000, null, value, []);
  writer.close('none');
  return writer.encoded(identity);
}
