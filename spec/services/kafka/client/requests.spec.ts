import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FetchRequest, KafkaClient, KafkaNode } from '../../../../connectors/kafka/client/port.ts';
import { BatchCursor } from '../../../../connectors/kafka/client/wire/record-batch-reader.ts';
import { BatchWriter } from '../../../../connectors/kafka/client/wire/record-batch-writer.ts';
import { batchOf, leaderOf, newTopic, sharedCluster } from './cluster.ts';

let client: KafkaClient;

beforeAll(async () => {
  client = sharedCluster();
  await client.connect();
});
afterAll(() => client.close());

const fetchOf = (topic: string, offset: number, more: Partial<FetchRequest> = {}): FetchRequest => ({
  isolation: 'read_committed',
  maxWaitMs: 2_000,
  minBytes: 1,
  maxBytes: 1_000_000,
  partitions: [{ topic, partition: 0, offset, maxBytes: 1_000_000 }],
  ...more,
});

function valuesOf(records: Buffer): string[] {
  const values: string[] = [];
  const cursor = new BatchCursor(records);
  while (cursor.nextBatch()) while (cursor.nextRecord()) values.push(`${cursor.offset}:${cursor.value()}`);
  return values;
}

/** A fetch may be answered early, with nothing yet. */
async function firstValues(node: KafkaNode, topic: string): Promise<string[]> {
  for (;;) {
    const [fetched] = await node.fetch(fetchOf(topic, 0));
    if (fetched && fetched.records.length > 0) return valuesOf(fetched.records);
  }
}

describe('a cluster', () => {
  it('says which it is, and which topics and partitions it has', async () => {
    const topic = await newTopic(client, 3);
    expect(await client.clusterId()).toMatch(/^[\w-]{22}$/);
    const topics = await client.topics([topic, `not-there-${randomUUID()}`]);
    expect(topics).toEqual([
      {
        topic,
        id: expect.stringMatching(/^[0-9a-f]{32}$/),
        isInternal: false,
        partitions: [0, 1, 2].map(partition => ({ topic, partition, leader: expect.any(Number), leaderEpoch: 0 })),
      },
    ]);
    expect((await client.topics('all')).map(({ topic }) => topic)).toContain(topic);
    expect(await client.topics([])).toEqual([]);
  });

  it('creates nothing when it is asked about what is not there', async () => {
    const topic = `not-there-${randomUUID()}`;
    await client.topics([topic]);
    expect(await client.leader({ topic, partition: 0 })).toBeUndefined();
    expect(await client.topics([topic])).toEqual([]);
  });

  it('tells of each topic what became of its creation', async () => {
    const topic = await newTopic(client);
    const answers = await client.createTopics([
      { topic, partitions: 1 },
      { topic: `client-spec-${randomUUID()}`, partitions: 1, replicationFactor: 9 },
    ]);
    expect(answers.map(({ error }) => error).sort()).toEqual(['INVALID_REPLICATION_FACTOR', 'TOPIC_ALREADY_EXISTS']);
  });

  it('tells settings of a topic and of a broker, and what is not set', async () => {
    const topic = await newTopic(client, 1, { 'retention.ms': '3600000' });
    expect(await client.setting({ topic }, 'retention.ms')).toBe('3600000');
    expect(await client.setting({ broker: 'any' }, 'transaction.max.timeout.ms')).toBe('900000');
    expect(await client.setting({ topic }, 'no.such.setting')).toBeUndefined();
    await expect(client.setting({ topic: `not-there-${randomUUID()}` }, 'retention.ms')).rejects.toMatchObject({
      errorName: 'UNKNOWN_TOPIC_OR_PARTITION',
    });
  });

  it('tells which requests it understands', async () => {
    expect(await client.supports('OffsetFetch')).toBeGreaterThanOrEqual(7);
    expect(await client.supports('NoSuchRequest')).toBeUndefined();
  });

  it('refuses the name of a topic that cannot be', async () => {
    await expect(client.topics(['a/b'])).rejects.toMatchObject({ errorName: 'INVALID_TOPIC_EXCEPTION' });
  });
});

describe('a node', () => {
  it('appends batches in the order in which it was asked, several on the way at once', async () => {
    const topic = await newTopic(client);
    const node = await leaderOf(client, topic);
    const { producerId, producerEpoch } = await node.initProducerId(undefined, 60_000);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => {
        const identity = { producerId, producerEpoch, baseSequence: i * 2, isTransactional: false };
        const records = batchOf([`${i}a`, `${i}b`], identity);
        return node.produce({
          acks: -1,
          timeoutMs: 5_000,
          transactionalId: undefined,
          batches: [{ topic, partition: 0, records }],
        });
      }),
    );
    expect(answers.flat()).toEqual(answers.map((_, i) => ({ topic, partition: 0, error: 'NONE', baseOffset: i * 2 })));
    expect(await firstValues(node, topic)).toEqual(answers.flatMap((_, i) => [`${i * 2}:${i}a`, `${i * 2 + 1}:${i}b`]));
  });

  it.each([
    ['none', 'gzip'],
    ['gzip', 'snappy'],
    ['snappy', 'lz4'],
    ['lz4', 'zstd'],
    ['zstd', 'gzip'],
  ] as const)('appends batches packed with %s, which the broker packs anew with %s', async (ours, theirs) => {
    const topic = await newTopic(client, 1, { 'compression.type': theirs });
    const node = await leaderOf(client, topic);
    const writer = new BatchWriter();
    // More than one block of snappy and of lz4.
    const values = Array.from({ length: 2_000 }, (_, i) => `value ${i} ${'x'.repeat(i % 90)}`);
    for (const [i, value] of values.entries()) writer.append(1_700_000_000_000 + i, `k${i}`, value, [['h', null]]);
    writer.close(ours);
    const batches = [{ topic, partition: 0, records: writer.encoded(undefined) }];
    const produced = await node.produce({ acks: -1, timeoutMs: 5_000, transactionalId: undefined, batches });
    expect(produced).toMatchObject([{ error: 'NONE' }]);
    expect(await firstValues(node, topic)).toEqual(values.map((value, i) => `${i}:${value}`));
  });

  it('answers at once when nothing is to be acknowledged', async () => {
    const topic = await newTopic(client);
    const node = await leaderOf(client, topic);
    const batches = [{ topic, partition: 0, records: batchOf(['v']) }];
    expect(await node.produce({ acks: 0, timeoutMs: 5_000, transactionalId: undefined, batches })).toEqual([]);
    expect(await firstValues(node, topic)).toEqual(['0:v']);
  });

  it('answers with the error of each partition', async () => {
    const topic = await newTopic(client);
    const node = await leaderOf(client, topic);
    const damaged = batchOf(['v']);
    damaged[damaged.length - 2] = 0;
    const batches = [
      { topic, partition: 0, records: damaged },
      { topic, partition: 7, records: batchOf(['v']) },
    ];
    const produced = await node.produce({ acks: -1, timeoutMs: 5_000, transactionalId: undefined, batches });
    expect(produced).toMatchObject([
      { partition: 0, error: 'CORRUPT_MESSAGE', baseOffset: -1 },
      { partition: 7, error: 'UNKNOWN_TOPIC_OR_PARTITION', baseOffset: -1 },
    ]);
    const [fetched] = await node.fetch(fetchOf(topic, 99));
    expect(fetched).toMatchObject({ topic, partition: 0, error: 'OFFSET_OUT_OF_RANGE' });
  });

  it('passes on what the broker says of a record that it does not want', async () => {
    const topic = await newTopic(client, 1, { 'cleanup.policy': 'compact' });
    const node = await leaderOf(client, topic);
    const batches = [{ topic, partition: 0, records: batchOf(['no key']) }];
    const [produced] = await node.produce({ acks: -1, timeoutMs: 5_000, transactionalId: undefined, batches });
    expect(produced).toMatchObject({ error: 'INVALID_RECORD', message: expect.stringMatching(/compact/i) });
  });

  it('finds offsets by place and by time', async () => {
    const topic = await newTopic(client);
    const node = await leaderOf(client, topic);
    const batches = [{ topic, partition: 0, records: batchOf(['a', 'b']) }];
    await node.produce({ acks: -1, timeoutMs: 5_000, transactionalId: undefined, batches });
    const offset = async (at: 'earliest' | 'latest' | number) =>
      (await node.listOffsets([{ topic, partition: 0, at }], 'read_committed')).map(({ error, offset }) => [
        error,
        offset,
      ]);
    expect(await offset('earliest')).toEqual([['NONE', 0]]);
    expect(await offset('latest')).toEqual([['NONE', 2]]);
    expect(await offset(1_700_000_000_000)).toEqual([['NONE', 0]]);
    expect(await offset(1_700_000_000_001)).toEqual([['NONE', -1]]);
    expect(await node.listOffsets([{ topic, partition: 5, at: 'latest' }], 'read_committed')).toMatchObject([
      { partition: 5, error: 'UNKNOWN_TOPIC_OR_PARTITION', offset: -1 },
    ]);
  });

  it('is not held up by fetches that wait for records, however many', { timeout: 20_000 }, async () => {
    const topic = await newTopic(client);
    const node = await leaderOf(client, topic);
    const startedAt = performance.now();
    const waiting = Array.from({ length: 3 }, () => node.fetch(fetchOf(topic, 0, { maxWaitMs: 15_000 })));
    await node.listOffsets([{ topic, partition: 0, at: 'latest' }], 'read_committed');
    const batches = [{ topic, partition: 0, records: batchOf(['v']) }];
    await node.produce({ acks: -1, timeoutMs: 5_000, transactionalId: undefined, batches });
    await Promise.all(waiting);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  it('keeps the offsets of a group that nobody joins, with their metadata', async () => {
    const topic = await newTopic(client, 2);
    const group = `client-spec-${randomUUID()}`;
    const node = await client.coordinator('group', group);
    const offsets = [
      { topic, partition: 0, offset: 2 ** 40, metadata: 'é' },
      { topic, partition: 9, offset: 1, metadata: '' },
    ];
    const answers = await node.offsetCommit({ group, offsets });
    expect(answers.toSorted((a, b) => a.partition - b.partition)).toEqual([
      { topic, partition: 0, error: 'NONE' },
      { topic, partition: 9, error: 'UNKNOWN_TOPIC_OR_PARTITION' },
    ]);
    expect(await node.offsetFetch(group, [{ topic, partition: 1 }], true)).toEqual({
      error: 'NONE',
      partitions: [{ topic, partition: 1, error: 'NONE', offset: -1, metadata: '' }],
    });
    expect(await node.offsetFetch(group, undefined, true)).toEqual({
      error: 'NONE',
      partitions: [{ topic, partition: 0, error: 'NONE', offset: 2 ** 40, metadata: 'é' }],
    });
    const member = { memberId: 'nobody', generation: 3 };
    expect(await node.offsetCommit({ group, member, offsets: offsets.slice(0, 1) })).toEqual([
      { topic, partition: 0, error: 'UNKNOWN_MEMBER_ID' },
    ]);
  });
});
