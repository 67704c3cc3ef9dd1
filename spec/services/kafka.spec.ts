import { randomUUID } from 'node:crypto';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import '../../tools/services/kafka/without-timer-warning.ts';

// The broker that `npm run services` and the tests bring up is a real one: a record goes in and comes out.
const topic = `written-and-read-${randomUUID()}`;
let kafka: Kafka;
let admin: Admin;

beforeAll(async () => {
  const brokers = process.env.KAFKA_BROKERS?.split(',') ?? [];
  expect(brokers, 'KAFKA_BROKERS, from the global set-up').not.toEqual([]);
  kafka = new Kafka({ clientId: 'kafka-spec', brokers, logLevel: logLevel.ERROR });
  admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
});

afterAll(async () => {
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();
});

test('reads the record that it wrote, with key, value, header and offset', { timeout: 30_000 }, async () => {
  const producer = kafka.producer();
  const consumer = kafka.consumer({ groupId: `kafka-spec-${randomUUID()}` });
  const { promise: firstRecord, resolve, reject } = Promise.withResolvers<object>();
  consumer.on('consumer.crash', ({ payload }) => payload.restart || reject(payload.error));
  try {
    await producer.connect();
    await producer.send({ topic, messages: [{ key: 'ATL', value: '17', headers: { unit: 'minutes' } }] });

    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ partition, message: { key, value, headers, offset } }) =>
        resolve({ partition, offset, key: `${key}`, value: `${value}`, unit: `${headers?.unit}` }),
    });

    expect(await firstRecord).toEqual({ partition: 0, offset: '0', key: 'ATL', value: '17', unit: 'minutes' });
  } finally {
    await consumer.disconnect();
    await producer.disconnect();
  }
});
