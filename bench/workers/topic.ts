import { Kafka, logLevel, type Message, type Producer } from 'kafkajs';

const messagesOfSend = 5_000;

export function kafkaOf(brokers: string): Kafka {
  return new Kafka({ brokers: [brokers], logLevel: logLevel.ERROR });
}

export async function newTopic(brokers: string, topic: string, partitions: number): Promise<void> {
  const admin = kafkaOf(brokers).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: true });
  await admin.disconnect();
}

/** Writes `count` records to each partition: the n-th of a partition as `value` makes it. */
export async function fill(
  brokers: string,
  topic: string,
  partitions: number,
  count: number,
  value: (partition: number, n: number) => string,
): Promise<void> {
  const producer: Producer = kafkaOf(brokers).producer();
  await producer.connect();
  for (let at = 0; at < count; at += messagesOfSend) {
    for (let partition = 0; partition < partitions; partition++) {
      const messages: Message[] = Array.from({ length: Math.min(messagesOfSend, count - at) }, (_, i) => ({
        partition,
        value: value(partition, at + i),
      }));
      await producer.send({ topic, messages, acks: 1 });
    }
  }
  await producer.disconnect();
}
