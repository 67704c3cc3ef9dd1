import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { kafkaClient } from '../../../connectors/kafka/client/kafkajs/kafka-client.ts';
import type { KafkaClient } from '../../../connectors/kafka/client/port.ts';
import { Producer } from '../../../connectors/kafka/produce/producer.ts';
import { newTopic } from './client/cluster.ts';
import { KeptLog } from './client/log.ts';
import { type Fate, TcpProxy } from './harness/tcp-proxy.ts';
import { byKey, contentOf } from './harness/topic-content.ts';

const now = 1_700_000_000_000;
const brokers = () => process.env.KAFKA_BROKERS as string;
const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const partitions = 3;
let proxy: TcpProxy;
let client: KafkaClient;

beforeEach(async () => {
  proxy = await TcpProxy.to(brokers());
  client = kafkaClient({ brokers: proxy.brokers, requestTimeout: '2s' }, new KeptLog());
});

afterEach(async () => {
  await client.close();
  await proxy[Symbol.asyncDispose]();
});

/** Writes numbered records of several keys in small batches, giving way to the network now and then; resolves when all are acknowledged. */
async function writeMany(topic: string, count: number): Promise<void> {
  let acknowledged = 0;
  const producer = new Producer(
    client,
    { batchBytes: 600, lingerMs: 1 },
    {
      acknowledged: records => {
        acknowledged += records;
      },
      failed: () => {},
    },
  );
  for (let i = 0; i < count; i++) {
    const key = keys[i % keys.length] as string;
    producer.write(topic, (i % keys.length) % partitions, now, key, `${i}`);
    if (i % 50 === 0) await new Promise(resolve => setImmediate(resolve));
  }
  await producer.flush();
  producer.close();
  expect(acknowledged).toBe(count);
}

async function expectEachOnceInOrder(topic: string, count: number): Promise<void> {
  const read = byKey(await contentOf(brokers(), topic));
  const expected = new Map<string, string[]>(keys.map(key => [key, []]));
  for (let i = 0; i < count; i++) expected.get(keys[i % keys.length] as string)?.push(`${i}`);
  expect(read).toEqual(expected);
}

describe('an idempotent producer has each record once and in order', () => {
  const count = 10_000;

  // Every third, fifth, … request of those that carry records is hit.
  const faults: readonly [string, Fate, number][] = [
    ['answers are lost with their connection', 'lose answer', 5],
    ['requests are lost with their connection', 'lose request', 5],
    ['answers come late', 20, 7],
  ];

  test.each(faults)('when %s', async (_, fate, every) => {
    const topic = await newTopic(client, partitions);
    let produced = 0;
    let hit = 0;
    proxy.fate = api => {
      if (api !== 'Produce' || ++produced % every > 0) return 'pass';
      hit++;
      return fate;
    };
    await writeMany(topic, count);

    expect(hit).toBeGreaterThan(10);
    await expectEachOnceInOrder(topic, count);
  });

  test('when an answer never comes, and the request timeout passes', async () => {
    const topic = await newTopic(client, partitions);
    const producer = new Producer(client, { requestTimeoutMs: 100 }, { failed: () => {} });
    const swallowed = proxy.next('Produce', 'swallow answer');
    keys.forEach((key, i) => {
      producer.write(topic, i % partitions, now, key, `${i}`);
    });
    await producer.flush();
    await swallowed;
    producer.close();

    await expectEachOnceInOrder(topic, keys.length);
  });

  test('when all connections are cut at moments of nobody’s choice', async () => {
    const topic = await newTopic(client, partitions);
    let produced = 0;
    proxy.fate = api => {
      // In the middle of the requests that are on their way.
      if (api === 'Produce' && ++produced % 9 === 0) setImmediate(() => proxy.cut());
      return 'pass';
    };
    await writeMany(topic, count);

    await expectEachOnceInOrder(topic, count);
  });

  test('when no broker can be reached for a while', async () => {
    const topic = await newTopic(client, partitions);
    const producer = new Producer(client, {}, { failed: () => {} });
    producer.write(topic, 0, now, 'a', '0');
    await producer.flush();
    proxy.refuse();
    keys.slice(1).forEach((key, i) => {
      producer.write(topic, (i + 1) % partitions, now, key, `${i + 1}`);
    });
    const flushed = producer.flush();
    setTimeout(() => proxy.accept(), 300);
    await flushed;
    producer.close();

    await expectEachOnceInOrder(topic, keys.length);
  });
});
