import { beforeEach, describe, expect, test } from 'vitest';
import { KafkaSecurityError } from '../../../../connectors/kafka/errors.ts';
import type { ProducerOptions } from '../../../../connectors/kafka/produce/options.ts';
import { TransactionalProducer } from '../../../../connectors/kafka/produce/transactional-producer.ts';
import { answered, FakeCluster, noConnection, partitionsOf, turn } from './fake-cluster.ts';

let cluster: FakeCluster;
let failures: unknown[];
const soon = 1_000;

beforeEach(() => {
  cluster = new FakeCluster();
  failures = [];
});

async function initialised(options: ProducerOptions = {}): Promise<TransactionalProducer> {
  const producer = new TransactionalProducer(
    cluster.client,
    { lingerMs: 0, ...options },
    { failed: error => void failures.push(error) },
  );
  await producer.init('id', 60_000);
  return producer;
}

const offsets = [{ topic: 't', partition: 0, offset: 7, metadata: 'seven' }];
const apis = () => cluster.seen.map(({ api }) => api);

/** A transaction that lacks only its end. */
async function readyToEnd(options?: ProducerOptions): Promise<TransactionalProducer> {
  const producer = await initialised(options);
  producer.write('t', 0, 0, null, 'a');
  await producer.flush();
  return producer;
}

describe('the records of a transaction', () => {
  test('wait until their partitions were added, all of them at once', async () => {
    const producer = await initialised();
    const release = cluster.hold('addPartitionsToTxn');
    for (const partition of [0, 1, 2]) producer.write('t', partition, 0, null, `${partition}`);
    const flushed = producer.flush();
    await turn();
    expect(apis()).toEqual(['initProducerId', 'addPartitionsToTxn']);
    release();
    await flushed;

    expect(partitionsOf(cluster.of('addPartitionsToTxn')[0]?.what)).toHaveLength(3);
    expect(cluster.batches.sort()).toEqual(['0: t/0@0 0', '0: t/2@0 2', '1: t/1@0 1']);
    expect(cluster.of('produce')[0]?.what).toMatchObject({ acks: -1, transactionalId: 'id' });
    expect(cluster.of('produce')[0]?.batches[0]).toMatchObject({
      producerId: 7,
      producerEpoch: 0,
      isTransactional: true,
    });
  });

  test('have their partitions added once in each transaction', async () => {
    const producer = await readyToEnd();
    producer.write('t', 0, 0, null, 'b');
    await producer.flush();
    expect(cluster.of('addPartitionsToTxn')).toHaveLength(1);
    await producer.end('commit', soon);
    producer.write('t', 0, 0, null, 'c');
    await producer.flush();
    expect(cluster.of('addPartitionsToTxn')).toHaveLength(2);
    expect(cluster.batches).toEqual(['0: t/0@0 a', '0: t/0@1 b', '0: t/0@2 c']);
  });

  test('wait while an answer leaves out their partition, and while the transaction before is ending', async () => {
    const producer = await initialised();
    cluster.next('addPartitionsToTxn', ({ what }) => answered(partitionsOf(what), 'CONCURRENT_TRANSACTIONS'));
    cluster.next('addPartitionsToTxn', ({ what }) => answered(partitionsOf(what).slice(1), 'NONE'));
    producer.write('t', 0, 0, null, 'a');
    producer.write('t', 1, 0, null, 'b');
    await producer.flush();
    expect(cluster.of('addPartitionsToTxn')).toHaveLength(3);
    expect(cluster.batches).toHaveLength(2);
  });

  test.each([
    ['TOPIC_AUTHORIZATION_FAILED', 'KAFKA_SECURITY'],
    ['PRODUCER_FENCED', 'PRODUCER_FENCED'],
    ['INVALID_TXN_STATE', 'PRODUCER_BROKEN'],
  ])('doom the producer when their partition is refused: %s', async (name, code) => {
    const producer = await initialised();
    cluster.next('addPartitionsToTxn', ({ what }) => answered(partitionsOf(what), name));
    producer.write('t', 0, 0, null, 'a');
    await expect(producer.flush()).rejects.toMatchObject({ code });
    expect(failures).toMatchObject([{ code }]);
    expect(() => producer.write('t', 0, 0, null, 'b')).toThrow(name);
    await expect(producer.sendOffsets('group', offsets)).rejects.toMatchObject({ code });
    await expect(producer.end('commit', soon)).rejects.toMatchObject({ code });
    await expect(producer.end('abort', soon)).rejects.toMatchObject({ code });
    await expect(producer.init('id', 60_000)).rejects.toThrow();
    expect(apis()).toEqual(['initProducerId', 'addPartitionsToTxn']);
  });

  test.each(['OUT_OF_ORDER_SEQUENCE_NUMBER', 'INVALID_TXN_STATE', 'TRANSACTION_ABORTABLE', 'UNKNOWN_4711'])(
    'doom the producer when they are refused: %s',
    async name => {
      const producer = await initialised();
      cluster.next('produce', ({ batches }) => answered(batches, name));
      producer.write('t', 0, 0, null, 'a');
      await expect(producer.flush()).rejects.toThrow(name);
      await expect(producer.end('commit', soon)).rejects.toThrow(name);
      expect(failures).toHaveLength(1);
      expect(apis()).not.toContain('endTxn');
    },
  );

  test.each(['produce', 'addPartitionsToTxn'])(
    'doom the producer, but not the job, when the broker does not say more: %s',
    async api => {
      const producer = await initialised();
      cluster.next(api, ({ batches, what }) =>
        answered(api === 'produce' ? batches : partitionsOf(what), 'UNKNOWN_SERVER_ERROR'),
      );
      producer.write('t', 0, 0, null, 'a');
      await expect(producer.flush()).rejects.toMatchObject({ code: 'PRODUCER_BROKEN', retriable: true });
      expect(failures).toMatchObject([{ retriable: true }]);
    },
  );

  test('are refused to a commit while they are not all there', async () => {
    const producer = await initialised();
    producer.write('t', 0, 0, null, 'a');
    await expect(producer.end('commit', soon)).rejects.toMatchObject({ code: 'INTERNAL' });
    await producer.flush();
    producer.write('t', 0, 0, null, 'b');
    await expect(producer.end('commit', soon)).rejects.toMatchObject({ code: 'INTERNAL' });
  });
});

describe('the offsets of a transaction', () => {
  test('go to the coordinator of their group, after the group was added', async () => {
    cluster.coordinatorOf = kind => (kind === 'group' ? 4 : 6);
    const producer = await initialised();
    await producer.sendOffsets('group', offsets);
    expect(cluster.seen.slice(1)).toMatchObject([
      { node: 6, api: 'addOffsetsToTxn', what: { group: 'group', producer: { transactionalId: 'id', producerId: 7 } } },
      { node: 4, api: 'txnOffsetCommit', what: { group: 'group', partitions: offsets } },
    ]);
    expect(producer.isOpen).toBe(true);
    expect(await producer.end('commit', soon)).toBe('committed');
    expect(producer.isOpen).toBe(false);
  });

  test('follow coordinators that move, and wait for what passes', async () => {
    const producer = await initialised();
    cluster.next('addOffsetsToTxn', () => 'CONCURRENT_TRANSACTIONS');
    cluster.next('addOffsetsToTxn', () => 'NOT_COORDINATOR');
    cluster.next('txnOffsetCommit', ({ what }) => answered(partitionsOf(what), 'COORDINATOR_LOAD_IN_PROGRESS'));
    cluster.next('txnOffsetCommit', ({ what }) => answered(partitionsOf(what), 'NOT_COORDINATOR'));
    cluster.next('txnOffsetCommit', () => []);
    await producer.sendOffsets('group', offsets);
    expect(cluster.forgotten).toEqual(['transaction id', 'group group', 'group group']);
    expect(cluster.of('txnOffsetCommit')).toHaveLength(4);
  });

  test('doom the producer when they are refused', async () => {
    const producer = await initialised();
    cluster.next('txnOffsetCommit', ({ what }) => answered(partitionsOf(what), 'GROUP_AUTHORIZATION_FAILED'));
    await expect(producer.sendOffsets('group', offsets)).rejects.toThrow('The user needs READ on the group');
    await expect(producer.end('commit', soon)).rejects.toThrow('GROUP_AUTHORIZATION_FAILED');
    // Whoever called was told.
    expect(failures).toEqual([]);
  });

  test('that may still arrive are not followed by others in the same transaction, but in the next', async () => {
    const producer = await initialised();
    cluster.next('txnOffsetCommit', noConnection);
    await producer.sendOffsets('group', offsets);
    // The same ones are no others.
    await producer.sendOffsets('group', offsets);
    const others = [{ topic: 't', partition: 0, offset: 8, metadata: 'eight' }];
    await expect(producer.sendOffsets('group', others)).rejects.toMatchObject({
      code: 'PRODUCER_BROKEN',
      message: expect.stringContaining('could still arrive'),
    });

    const other = await initialised();
    cluster.next('txnOffsetCommit', noConnection);
    await other.sendOffsets('group', offsets);
    await other.end('commit', soon);
    await other.init('id', 60_000);
    await other.sendOffsets('group', offsets);
    expect(await other.end('commit', soon)).toBe('committed');
  });

  test('begin no transaction when there are none', async () => {
    const producer = await initialised();
    await producer.sendOffsets('group', []);
    expect(producer.isOpen).toBe(false);
  });
});

describe('the end of a transaction', () => {
  test('is asked of the same producer id and epoch until it is known', async () => {
    const producer = await readyToEnd();
    cluster.next('endTxn', noConnection);
    cluster.next('endTxn', () => 'NOT_COORDINATOR');
    cluster.next('endTxn', () => 'CONCURRENT_TRANSACTIONS');
    expect(await producer.end('commit', soon)).toBe('committed');
    const ends = cluster.of('endTxn').map(({ what }) => what);
    expect(ends).toHaveLength(4);
    expect(ends).toEqual(
      Array(4).fill({ outcome: 'commit', producer: { transactionalId: 'id', producerId: 7, producerEpoch: 0 } }),
    );
    expect(cluster.forgotten).toEqual(['transaction id', 'transaction id']);
  });

  test('needs another initialisation after a lost answer, which numbers batches from 0 under a new epoch', async () => {
    const producer = await readyToEnd();
    cluster.next('endTxn', noConnection);
    await producer.end('commit', soon);
    expect(producer.mustInitialise).toBe(true);
    expect(() => producer.write('t', 0, 0, null, 'b')).toThrow('not initialised');
    await producer.init('id', 60_000);
    producer.write('t', 0, 0, null, 'b');
    await producer.flush();
    expect(cluster.batches).toEqual(['0: t/0@0 a', '0: t/0@0 b']);
    expect(cluster.of('produce')[1]?.batches[0]?.producerEpoch).toBe(1);
    await producer.end('commit', soon);
    expect(producer.mustInitialise).toBe(false);
  });

  test('is an abort, for certain, when the first answer is that the state does not allow a commit', async () => {
    const producer = await readyToEnd();
    cluster.next('endTxn', () => 'INVALID_TXN_STATE');
    expect(await producer.end('commit', soon)).toBe('aborted');
  });

  test('is unknown when that is the answer after a lost one', async () => {
    const producer = await readyToEnd();
    cluster.next('endTxn', noConnection);
    cluster.next('endTxn', () => 'INVALID_TXN_STATE');
    await expect(producer.end('commit', soon)).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN', retriable: true });
    expect(() => producer.write('t', 0, 0, null, 'b')).toThrow('is not known');
  });

  test('is unknown when the time is up, or something else breaks, after a lost answer', async () => {
    const late = await readyToEnd();
    cluster.answers.set('endTxn', noConnection);
    await expect(late.end('commit', 30)).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    cluster.answers.clear();

    const broken = await readyToEnd();
    cluster.next('endTxn', () => {
      throw new KafkaSecurityError('the token has run out');
    });
    await expect(broken.end('commit', soon)).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
      cause: { code: 'KAFKA_SECURITY' },
    });
  });

  test('was never asked for when no coordinator could be found: the transaction is open as before', async () => {
    const producer = await readyToEnd();
    const { coordinatorOf } = cluster;
    cluster.coordinatorOf = noConnection;
    await expect(producer.end('commit', 30)).rejects.toMatchObject({ code: 'DELIVERY_TIMEOUT' });
    expect(producer.isOpen).toBe(true);
    cluster.coordinatorOf = coordinatorOf;
    producer.write('t', 0, 0, null, 'b');
    await producer.flush();
    expect(await producer.end('commit', soon)).toBe('committed');
  });

  test.each([
    [[], false],
    [[noConnection], true],
    [[() => 'NOT_COORDINATOR'], true],
  ])('of a fenced producer may have been a commit only when it was asked before', async (before, mayHaveCommitted) => {
    const producer = await readyToEnd();
    for (const answer of before) cluster.next('endTxn', answer);
    cluster.next('endTxn', () => 'PRODUCER_FENCED');
    await expect(producer.end('commit', soon)).rejects.toMatchObject({ code: 'PRODUCER_FENCED', mayHaveCommitted });
  });

  test('as an abort waits for what is on its way first', async () => {
    const producer = await initialised();
    const release = cluster.hold('produce');
    producer.write('t', 0, 0, null, 'a');
    const ended = producer.end('abort', soon);
    await turn();
    expect(apis()).not.toContain('endTxn');
    release();
    expect(await ended).toBe('aborted');
    expect(cluster.of('endTxn')[0]?.what).toMatchObject({ outcome: 'abort' });
  });
});

describe('a transactional producer', () => {
  test('waits to be initialised while the transaction before is ending, and asks again after a lost answer', async () => {
    cluster.next('initProducerId', () => ({ error: 'CONCURRENT_TRANSACTIONS', producerId: -1, producerEpoch: -1 }));
    cluster.next('initProducerId', noConnection);
    await initialised();
    expect(cluster.of('initProducerId').map(({ what }) => what)).toEqual(
      Array(3).fill({ transactionalId: 'id', timeoutMs: 60_000 }),
    );
  });

  test('says what to do when its timeout is above that of the brokers', async () => {
    cluster.next('initProducerId', () => ({ error: 'INVALID_TRANSACTION_TIMEOUT', producerId: -1, producerEpoch: -1 }));
    await expect(initialised()).rejects.toThrow('transaction.max.timeout.ms');
  });

  test('is not initialised within the delivery timeout when the transaction before never ends', async () => {
    cluster.answers.set('initProducerId', () => ({
      error: 'CONCURRENT_TRANSACTIONS',
      producerId: -1,
      producerEpoch: -1,
    }));
    await expect(initialised({ deliveryTimeoutMs: 40 })).rejects.toMatchObject({
      code: 'DELIVERY_TIMEOUT',
      message: expect.stringContaining('CONCURRENT_TRANSACTIONS'),
    });
  });

  test('is not initialised while its transaction is open', async () => {
    const producer = await readyToEnd();
    await expect(producer.init('id', 60_000)).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  test('takes no record before it is initialised', () => {
    const producer = new TransactionalProducer(cluster.client, {}, { failed: () => {} });
    expect(producer.mustInitialise).toBe(true);
    expect(() => producer.write('t', 0, 0, null, 'a')).toThrow('not initialised');
  });

  test('tells whoever waits that it was closed', async () => {
    const producer = await readyToEnd();
    cluster.answers.set('addOffsetsToTxn', () => 'CONCURRENT_TRANSACTIONS');
    const waiting = producer.sendOffsets('group', offsets);
    await turn();
    producer.close();
    await expect(waiting).rejects.toThrow('was closed');
    expect(failures).toEqual([]);
  });
});
