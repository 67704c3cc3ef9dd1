import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KafkaClient } from '../../../connectors/kafka/client/port.ts';
import { Producer } from '../../../connectors/kafka/produce/producer.ts';
import type { Compression } from '../../../connectors/kafka/record.ts';
import { newTopic, sharedCluster } from './client/cluster.ts';
import { byKey, contentOf } from './harness/topic-content.ts';

const now = 1_700_000_000_000;
const brokers = () => process.env.KAFKA_BROKERS as string;
let client: KafkaClient;

beforeAll(() => {
  client = sharedCluster();
});

afterAll(() => client.close());

/** Fails the spec by its `flush`; what a listener is told is kept. */
const listening = () => {
  const told = { records: 0, bytes: 0, failures: [] as unknown[] };
  return {
    told,
    acknowledged: (records: number, bytes: number) => {
      told.records += records;
      told.bytes += bytes;
    },
    failed: (error: unknown) => void told.failures.push(error),
  };
};

describe('a producer without a transaction', () => {
  test.each(['all', 'leader', 'none'] as const)('writes what it was given, in order, with acks of %s', async acks => {
    const topic = await newTopic(client, 3);
    const listener = listening();
    const producer = new Producer(client, { acks, batchBytes: 2_000 }, listener);
    const keys = ['a', 'b', 'c', 'd'];
    for (let i = 0; i < 4_000; i++) producer.write(topic, i % 4 === 3 ? 0 : i % 4, now + i, keys[i % 4] ?? '', `${i}`);
    expect(producer.bufferedRecords).toBe(4_000);

    await producer.flush();

    expect(producer.bufferedRecords).toBe(0);
    expect(producer.bufferedBytes).toBe(0);
    expect(listener.told).toMatchObject({ records: 4_000, failures: [] });
    let content = await contentOf(brokers(), topic);
    // Nobody says when the broker has what it does not acknowledge.
    while (acks === 'none' && content.length < 4_000) content = await contentOf(brokers(), topic);
    const read = byKey(content);
    for (const [n, key] of keys.entries()) {
      expect(read.get(key)).toEqual(Array.from({ length: 1_000 }, (_, i) => `${i * 4 + n}`));
    }
    producer.close();
  });

  test.each<Compression>(['gzip', 'snappy', 'lz4', 'zstd'])('packs batches with %s', async compression => {
    const topic = await newTopic(client);
    const producer = new Producer(client, { compression }, listening());
    const values = Array.from({ length: 500 }, (_, i) => `value ${i}`);
    for (const value of values) producer.write(topic, 0, now, null, value);
    await producer.flush();
    producer.close();

    expect((await contentOf(brokers(), topic)).map(({ value }) => value)).toEqual(values);
  });

  test('sends after the linger time without being asked', async () => {
    const topic = await newTopic(client);
    const { promise: acknowledged, resolve } = Promise.withResolvers<number>();
    const producer = new Producer(client, { lingerMs: 1 }, { acknowledged: resolve, failed: () => {} });
    producer.write(topic, 0, now, 'k', 'v', [['unit', Buffer.from('minutes')]]);

    expect(await acknowledged).toBe(1);
    producer.close();
  });

  test('fails once, with what to do, when a record is larger than the topic takes', async () => {
    const topic = await newTopic(client, 1, { 'max.message.bytes': '2000' });
    const listener = listening();
    const producer = new Producer(client, {}, listener);
    producer.write(topic, 0, now, null, 'x'.repeat(3_000));

    await expect(producer.flush()).rejects.toThrow(
      /refused to write to partition 0 of topic ".*": MESSAGE_TOO_LARGE.*Raise max\.message\.bytes/,
    );
    await expect(producer.flush()).rejects.toMatchObject({ code: 'KAFKA_ANSWER', errorName: 'MESSAGE_TOO_LARGE' });
    expect(() => producer.write(topic, 0, now, null, 'y')).toThrow('MESSAGE_TOO_LARGE');
    expect(listener.told.failures).toHaveLength(1);
  });

  test('fails after the delivery timeout when there is no such topic', async () => {
    const producer = new Producer(client, { deliveryTimeoutMs: 300 }, listening());
    producer.write('client-spec-not-there', 0, now, null, 'v');

    await expect(producer.flush()).rejects.toMatchObject({
      code: 'DELIVERY_TIMEOUT',
      message: expect.stringMatching(/partition 0 of topic "client-spec-not-there".*no leader, or is not there/),
    });
  });
});
