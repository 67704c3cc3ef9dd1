import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { kafkaClient } from '../../../connectors/kafka/client/kafkajs/kafka-client.ts';
import type { KafkaClient } from '../../../connectors/kafka/client/port.ts';
import { Producer } from '../../../connectors/kafka/produce/producer.ts';
import { TransactionalProducer } from '../../../connectors/kafka/produce/transactional-producer.ts';
import { KeptLog } from './client/log.ts';
import { byKey, contentOf } from './harness/topic-content.ts';
import { startTwoBrokers, type TwoBrokers } from './harness/two-brokers.ts';

const now = 1_700_000_000_000;
const partitions = 4;
let cluster: TwoBrokers;
let client: KafkaClient;

beforeAll(async () => {
  cluster = await startTwoBrokers();
  client = kafkaClient({ brokers: cluster.brokers }, new KeptLog());
}, 120_000);

afterAll(async () => {
  await client?.close();
  await cluster?.[Symbol.asyncDispose]();
}, 60_000);

/** Writes without a pause until told to stop; answers how many each partition got. */
async function writeWhile(
  producer: Pick<Producer, 'write' | 'isFull'>,
  topic: string,
  work: () => Promise<void>,
): Promise<number> {
  let isDone = false;
  const done = work().then(() => {
    isDone = true;
  });
  let written = 0;
  while (!isDone) {
    for (let i = 0; i < 20; i++, written++) {
      for (let p = 0; p < partitions; p++) producer.write(topic, p, now, `${p}`, `${written}`);
    }
    do await new Promise(resolve => setTimeout(resolve, 1));
    while (producer.isFull);
  }
  await done;
  return written;
}

/** To the other node, back, and in parts. */
async function moveAbout(topic: string): Promise<void> {
  await cluster.move(topic, [0, 1, 2, 3], 2);
  await cluster.move(topic, [0, 2], 1);
  await cluster.move(topic, [2, 1, 3], 1);
}

async function expectAllInOrder(topic: string, count: number): Promise<void> {
  const read = byKey(await contentOf(cluster.brokers, topic));
  const all = Array.from({ length: count }, (_, i) => `${i}`);
  for (let p = 0; p < partitions; p++) expect(read.get(`${p}`)).toEqual(all);
  expect(count).toBeGreaterThan(100);
}

test('an idempotent producer follows leaders that move, nothing lost, doubled or out of order', async () => {
  const topic = `moved-${randomUUID()}`;
  await cluster.newTopic(topic, partitions, 1);
  const producer = new Producer(client, { lingerMs: 1, batchBytes: 1_000 }, { failed: () => {} });
  const count = await writeWhile(producer, topic, () => moveAbout(topic));
  await producer.flush();
  producer.close();

  await expectAllInOrder(topic, count);
});

test('a transaction stays whole while leaders move', async () => {
  const topic = `moved-${randomUUID()}`;
  await cluster.newTopic(topic, partitions, 1);
  const producer = new TransactionalProducer(client, { lingerMs: 1, batchBytes: 1_000 }, { failed: () => {} });
  await producer.init(topic, 60_000);
  const count = await writeWhile(producer, topic, () => moveAbout(topic));
  await producer.flush();
  expect(await contentOf(cluster.brokers, topic)).toEqual([]);
  expect(await producer.end('commit', 10_000)).toBe('committed');
  producer.close();

  // The markers that make it visible are written after its end was answered.
  await vi.waitFor(() => expectAllInOrder(topic, count), 30_000);
});
