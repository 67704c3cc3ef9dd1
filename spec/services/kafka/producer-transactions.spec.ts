import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { KafkaClient } from '../../../connectors/kafka/client/port.ts';
import { TransactionalProducer } from '../../../connectors/kafka/produce/transactional-producer.ts';
import { leaderOf, newTopic, sharedCluster } from './client/cluster.ts';
import { byKey, contentOf } from './harness/topic-content.ts';

const now = 1_700_000_000_000;
const brokers = () => process.env.KAFKA_BROKERS as string;
const soon = 10_000;
let client: KafkaClient;
let topic: string;
let transactionalId: string;
let failures: unknown[];

beforeAll(() => {
  client = sharedCluster();
});

afterAll(() => client.close());

beforeEach(async () => {
  topic = await newTopic(client, 3);
  transactionalId = `producer-spec-${randomUUID()}`;
  failures = [];
});

const listener = { failed: (error: unknown) => void failures.push(error) };

async function initialised(id = transactionalId): Promise<TransactionalProducer> {
  const producer = new TransactionalProducer(client, { lingerMs: 1, batchBytes: 500 }, listener);
  await producer.init(id, 60_000);
  return producer;
}

async function offsetOf(group: string, partition = 0): Promise<{ offset: number; metadata: string } | undefined> {
  const node = await client.coordinator('group', group);
  for (;;) {
    const { error, partitions } = await node.offsetFetch(group, [{ topic, partition }], true);
    const [found] = partitions;
    if (error !== 'NONE') throw new Error(error);
    // Until the markers of the transaction are written.
    if (found?.error === 'UNSTABLE_OFFSET_COMMIT') continue;
    if (found?.error !== 'NONE') throw new Error(found?.error);
    return found.offset < 0 ? undefined : { offset: found.offset, metadata: found.metadata };
  }
}

/** What is committed shows once the markers of its transaction are written, which is after the commit is answered. */
const shows = (values: readonly string[]) =>
  vi.waitFor(async () => expect((await valuesIn()).toSorted()).toEqual(values.toSorted()), 15_000);
const valuesIn = async () => (await contentOf(brokers(), topic)).map(({ value }) => value);

describe('a transaction', () => {
  test('shows all of its records with its commit, none of them before', async () => {
    const producer = await initialised();
    expect(producer.isOpen).toBe(false);
    for (let i = 0; i < 1_000; i++) producer.write(topic, i % 3, now, `${i % 3}`, `${i}`);
    expect(producer.isOpen).toBe(true);
    expect(producer.openedAt).toBeLessThanOrEqual(performance.now());
    await producer.flush();
    expect(await valuesIn()).toEqual([]);

    expect(await producer.end('commit', soon)).toBe('committed');

    expect(producer.isOpen).toBe(false);
    await vi.waitFor(async () => expect(await valuesIn()).toHaveLength(1_000), 15_000);
    const read = byKey(await contentOf(brokers(), topic));
    for (let p = 0; p < 3; p++) {
      const count = p === 0 ? 334 : 333;
      expect(read.get(`${p}`)).toEqual(Array.from({ length: count }, (_, i) => `${i * 3 + p}`));
    }
    producer.close();
  });

  test('shows none of them after an abort, and the next one goes on', async () => {
    const producer = await initialised();
    producer.write(topic, 0, now, null, 'aborted');
    expect(await producer.end('abort', soon)).toBe('aborted');
    producer.write(topic, 0, now, null, 'committed');
    await producer.flush();
    expect(await producer.end('commit', soon)).toBe('committed');

    await shows(['committed']);
    expect(await contentOf(brokers(), topic, 'read_uncommitted')).toHaveLength(2);
    producer.close();
  });

  test('follows the one before at once, many times over', async () => {
    const producer = await initialised();
    for (let i = 0; i < 50; i++) {
      producer.write(topic, i % 3, now, 'k', `${i}`);
      await producer.flush();
      expect(await producer.end('commit', soon)).toBe('committed');
    }

    await shows(Array.from({ length: 50 }, (_, i) => `${i}`));
    producer.close();
  });

  test('has the offsets of several groups, with their metadata, after its commit', async () => {
    const producer = await initialised();
    const [one, other] = [`one-${randomUUID()}`, `other-${randomUUID()}`];
    producer.write(topic, 0, now, null, 'v');
    await producer.flush();
    await Promise.all([
      producer.sendOffsets(one, [
        { topic, partition: 0, offset: 7, metadata: 'checkpoint 7, sum äöü' },
        { topic, partition: 1, offset: 8, metadata: '' },
      ]),
      producer.sendOffsets(other, [{ topic, partition: 0, offset: 9, metadata: 'theirs' }]),
    ]);
    await producer.end('commit', soon);

    expect(await offsetOf(one)).toEqual({ offset: 7, metadata: 'checkpoint 7, sum äöü' });
    expect(await offsetOf(one, 1)).toEqual({ offset: 8, metadata: '' });
    expect(await offsetOf(other)).toEqual({ offset: 9, metadata: 'theirs' });
    producer.close();
  });

  test('has no offsets after an abort', async () => {
    const producer = await initialised();
    const group = `group-${randomUUID()}`;
    await producer.sendOffsets(group, [{ topic, partition: 0, offset: 3, metadata: 'kept' }]);
    await producer.end('commit', soon);
    await producer.sendOffsets(group, [{ topic, partition: 0, offset: 4, metadata: 'dropped' }]);
    await producer.end('abort', soon);

    expect(await offsetOf(group)).toEqual({ offset: 3, metadata: 'kept' });
    producer.close();
  });

  test('takes newer offsets in the place of those whose checkpoint was given up, with the records that came since', async () => {
    const producer = await initialised();
    const group = `group-${randomUUID()}`;
    producer.write(topic, 0, now, null, 'of 1');
    await producer.flush();
    await producer.sendOffsets(group, [{ topic, partition: 0, offset: 1, metadata: '1' }]);
    producer.write(topic, 0, now, null, 'of 2');
    await producer.flush();
    await expect(async () => producer.end('commit', soon)).rejects.toMatchObject({ code: 'INTERNAL' });
    await producer.sendOffsets(group, [{ topic, partition: 0, offset: 2, metadata: '2' }]);
    await producer.end('commit', soon);

    await shows(['of 1', 'of 2']);
    expect(await offsetOf(group)).toEqual({ offset: 2, metadata: '2' });
    producer.close();
  });

  test('without records or offsets is none: an abort of it is done, a commit a mistake', async () => {
    const producer = await initialised();
    expect(await producer.end('abort', soon)).toBe('aborted');
    await expect(producer.end('commit', soon)).rejects.toMatchObject({ code: 'INTERNAL' });
    producer.close();
  });
});

describe('a producer whose transactional id was taken over', () => {
  test('is refused its records, and says so once', async () => {
    const zombie = await initialised();
    zombie.write(topic, 0, now, null, 'before');
    await zombie.flush();
    const successor = await initialised();
    zombie.write(topic, 0, now, null, 'after');

    await expect(zombie.flush()).rejects.toMatchObject({ code: 'PRODUCER_FENCED', mayHaveCommitted: false });
    expect(failures).toHaveLength(1);
    successor.write(topic, 0, now, null, 'successor');
    await successor.flush();
    await successor.end('commit', soon);
    await shows(['successor']);
    expect(() => zombie.write(topic, 0, now, null, 'again')).toThrow(/took over transactional id/);
    successor.close();
  });

  test('is refused its offsets', async () => {
    const zombie = await initialised();
    const successor = await initialised();
    const group = `group-${randomUUID()}`;

    await expect(zombie.sendOffsets(group, [{ topic, partition: 0, offset: 1, metadata: '' }])).rejects.toMatchObject({
      code: 'PRODUCER_FENCED',
    });
    expect(await offsetOf(group)).toBeUndefined();
    successor.close();
  });

  test('is refused its commit: the transaction was aborted', async () => {
    const zombie = await initialised();
    zombie.write(topic, 0, now, null, 'zombie');
    await zombie.flush();
    const successor = await initialised();

    await expect(zombie.end('commit', soon)).rejects.toMatchObject({
      code: 'PRODUCER_FENCED',
      mayHaveCommitted: false,
    });
    await expect(zombie.flush()).rejects.toMatchObject({ code: 'PRODUCER_FENCED' });
    expect(await valuesIn()).toEqual([]);
    successor.close();
  });
});

test('a transaction that lasts longer than its timeout is aborted, and its producer refused like a fenced one', async () => {
  const producer = new TransactionalProducer(client, {}, listener);
  await producer.init(transactionalId, 1_000);
  producer.write(topic, 0, now, null, 'late');
  await producer.flush();
  // The coordinator looks every ten seconds; a reader passes the records once they are aborted.
  const node = await leaderOf(client, topic);
  for (let stable = 0; stable === 0; ) {
    const [end] = await node.listOffsets([{ topic, partition: 0, at: 'latest' }], 'read_committed');
    stable = end?.offset ?? 0;
    await new Promise(resolve => setTimeout(resolve, 50));
  }

  await expect(producer.end('commit', soon)).rejects.toMatchObject({
    code: 'PRODUCER_FENCED',
    mayHaveCommitted: false,
  });
  expect(await valuesIn()).toEqual([]);
});
