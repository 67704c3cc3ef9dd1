import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { KafkaClient, KafkaNode, ProducerIdentity } from '../../../../connectors/kafka/client/port.ts';
import { BatchCursor } from '../../../../connectors/kafka/client/wire/record-batch-reader.ts';
import { batchOf, leaderOf, newTopic, sharedCluster } from './cluster.ts';

// What the commit protocol rests on, seen on the real broker.
let client: KafkaClient;
let topic: string;
let group: string;
let transactionalId: string;
let transactions: KafkaNode;
let offsets: KafkaNode;

beforeAll(async () => {
  client = sharedCluster();
  await client.connect();
});
afterAll(() => client.close());

beforeEach(async () => {
  topic = await newTopic(client);
  group = `client-spec-${randomUUID()}`;
  transactionalId = `client-spec-${randomUUID()}`;
  transactions = await client.coordinator('transaction', transactionalId);
  offsets = await client.coordinator('group', group);
});

/** Asks again while the transaction before is being completed. */
async function producer(): Promise<ProducerIdentity> {
  for (;;) {
    const { error, producerId, producerEpoch } = await transactions.initProducerId(transactionalId, 60_000);
    if (error === 'NONE') return { transactionalId, producerId, producerEpoch };
    expect(error).toBe('CONCURRENT_TRANSACTIONS');
  }
}

async function commitOffset(by: ProducerIdentity, offset: number, metadata: string): Promise<void> {
  expect(await transactions.addOffsetsToTxn(by, group)).toBe('NONE');
  expect(await offsets.txnOffsetCommit(by, group, [{ topic, partition: 0, offset, metadata }])).toEqual([
    { topic, partition: 0, error: 'NONE' },
  ]);
}

const stableOffset = () => offsets.offsetFetch(group, [{ topic, partition: 0 }], true);

/** What is answered once it is stable. */
async function committedOffset() {
  for (;;) {
    const [found] = (await stableOffset()).partitions;
    if (found?.error !== 'UNSTABLE_OFFSET_COMMIT') return found;
  }
}

describe('an offset that is committed in a transaction', () => {
  it('is not answered while the transaction is open, by those who ask for stable ones', async () => {
    const me = await producer();
    await commitOffset(me, 17, 'of the first');
    await transactions.endTxn(me, 'commit');
    expect(await committedOffset()).toMatchObject({ error: 'NONE', offset: 17 });

    await commitOffset(me, 42, 'of the second');
    expect((await stableOffset()).partitions).toMatchObject([{ error: 'UNSTABLE_OFFSET_COMMIT', offset: -1 }]);
    const stale = await offsets.offsetFetch(group, [{ topic, partition: 0 }], false);
    expect(stale.partitions).toMatchObject([{ error: 'NONE', offset: 17 }]);
    await transactions.endTxn(me, 'abort');
  });

  it('is there with its metadata after the commit', async () => {
    const me = await producer();
    const metadata = JSON.stringify({ manifest: 'm'.repeat(60), token: 7 });
    await commitOffset(me, 17, metadata);
    expect(await transactions.endTxn(me, 'commit')).toBe('NONE');
    expect(await committedOffset()).toEqual({ topic, partition: 0, error: 'NONE', offset: 17, metadata });
  });

  it('was never there after an abort', async () => {
    const me = await producer();
    await commitOffset(me, 17, 'aborted');
    expect(await transactions.endTxn(me, 'abort')).toBe('NONE');
    expect(await committedOffset()).toEqual({ topic, partition: 0, error: 'NONE', offset: -1, metadata: '' });
  });

  it('is refused for a partition that is not there', async () => {
    const me = await producer();
    expect(await transactions.addOffsetsToTxn(me, group)).toBe('NONE');
    expect(await offsets.txnOffsetCommit(me, group, [{ topic, partition: 8, offset: 1, metadata: '' }])).toEqual([
      { topic, partition: 8, error: 'UNKNOWN_TOPIC_OR_PARTITION' },
    ]);
    await transactions.endTxn(me, 'abort');
  });
});

describe('a transactional id that is taken again', () => {
  it('aborts what was open and fences who had it', async () => {
    const zombie = await producer();
    expect(await transactions.addPartitionsToTxn(zombie, [{ topic, partition: 0 }])).toEqual([
      { topic, partition: 0, error: 'NONE' },
    ]);
    const leader = await leaderOf(client, topic);
    const { producerId, producerEpoch } = zombie;
    const write = (value: string, baseSequence: number) =>
      leader.produce({
        acks: -1,
        timeoutMs: 5_000,
        transactionalId,
        batches: [
          {
            topic,
            partition: 0,
            records: batchOf([value], { producerId, producerEpoch, baseSequence, isTransactional: true }),
          },
        ],
      });
    expect(await write('aborted', 0)).toMatchObject([{ error: 'NONE', baseOffset: 0 }]);
    await commitOffset(zombie, 5, 'aborted');

    const successor = await producer();
    expect(successor.producerEpoch).toBeGreaterThan(zombie.producerEpoch);
    expect(await committedOffset()).toMatchObject({ error: 'NONE', offset: -1 });
    expect(await write('late', 1)).toMatchObject([{ error: 'INVALID_PRODUCER_EPOCH' }]);
    expect(await transactions.endTxn(zombie, 'commit')).toBe('PRODUCER_FENCED');
    expect(await transactions.addOffsetsToTxn(zombie, group)).toBe('PRODUCER_FENCED');
    expect(await transactions.addPartitionsToTxn(zombie, [{ topic, partition: 0 }])).toMatchObject([
      { error: 'PRODUCER_FENCED' },
    ]);
  });

  it('leaves an abort marker, and the list of aborted transactions with what is fetched', async () => {
    const me = await producer();
    await transactions.addPartitionsToTxn(me, [{ topic, partition: 0 }]);
    const leader = await leaderOf(client, topic);
    const { producerId, producerEpoch } = me;
    const records = batchOf(['aborted'], { producerId, producerEpoch, baseSequence: 0, isTransactional: true });
    const batches = [{ topic, partition: 0, records }];
    await leader.produce({ acks: -1, timeoutMs: 5_000, transactionalId, batches });
    expect(
      await leader.listOffsets([{ topic, partition: 0, at: 'latest' }], 'read_committed'),
      'the last stable offset',
    ).toMatchObject([{ offset: 0 }]);
    await producer();
    const limits = { maxWaitMs: 2_000, minBytes: 1, maxBytes: 1_000_000 };
    const batchAt = async (offset: number) => {
      const partitions = [{ topic, partition: 0, offset, maxBytes: 1_000_000 }];
      for (;;) {
        const [fetched] = await leader.fetch({ isolation: 'read_committed', ...limits, partitions });
        const cursor = new BatchCursor(fetched?.records ?? Buffer.alloc(0));
        if (cursor.nextBatch()) return { fetched, cursor };
      }
    };
    const data = await batchAt(0);
    expect(data.fetched).toMatchObject({ logStartOffset: 0, abortedTransactions: [{ producerId, firstOffset: 0 }] });
    expect(data.cursor).toMatchObject({ producerId, isTransactional: true, isControl: false, baseOffset: 0 });
    // The marker may come with the data or with the fetch behind it.
    const marker = await batchAt(1);
    expect(marker.fetched).toMatchObject({ highWatermark: 2, lastStableOffset: 2 });
    expect(marker.cursor).toMatchObject({ producerId, isTransactional: true, isControl: true, baseOffset: 1 });
    expect(marker.cursor.controlType()).toBe('abort');
  });
});
