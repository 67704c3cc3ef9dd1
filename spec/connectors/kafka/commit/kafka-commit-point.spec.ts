import { describe, expect, test } from 'vitest';
import { KafkaCommitPoint } from '../../../../connectors/kafka/commit/kafka-commit-point.ts';
import { type CommitPointContext, CommitPointFencedError, type Json, type Manifest } from '../../../../lib/index.ts';
import { ManualScheduler } from '../../../contract/manual-scheduler.ts';
import { manifestOf } from '../../../contract/snapshot-store.manifests.ts';
import { quiet } from '../../../job/quiet.ts';
import { FakeCluster, noConnection, partitionsOf, type Seen, until } from '../produce/fake-cluster.ts';

const ref = { job: 'totals', task: 'main' };
const record = { id: 3, token: 2, checksum: 'abc' };
const here = 'here';

/** A commit point on a scripted cluster that says so well as a real one. */
function pointOn(cluster: FakeCluster) {
  const errors: unknown[] = [];
  const client = {
    ...cluster.client,
    connect: async () => {},
    supports: async () => 8,
    clusterId: async () => here,
    setting: async () => '900000',
    topics: async () => [{ topic: 'tidemark.commits', isInternal: false, partitions: [{ leader: 1 }] }],
  } as unknown as FakeCluster['client'];
  const context = {
    ...ref,
    logger: quiet,
    scheduler: new ManualScheduler(),
    settings: { interval: 500, minPause: 0, timeout: 10_000, tolerableFailures: 0, commitTimeout: 200 },
    shared: () => {
      throw new Error('it has a client');
    },
    monotonicNow: () => performance.now(),
    error: (error: unknown) => errors.push(error),
  } as unknown as CommitPointContext;
  return { point: new KafkaCommitPoint({ connection: {}, producer: { lingerMs: 0 } }, context, client), errors };
}

async function opened(cluster = new FakeCluster()) {
  const { point, errors } = pointOn(cluster);
  await point.open();
  await point.fence();
  const { transaction } = point;
  if (!transaction) throw new Error('there is no transaction');
  return { cluster, point, transaction, errors };
}

const kafkaPosition = (offsets: Record<string, number>, more: Record<string, Json> = {}): Json => ({
  cluster: here,
  group: 'totals',
  partitions: { payments: offsets },
  ...more,
});

/** A manifest with these positions of sources. */
const manifestAt = (...positions: readonly Json[]): Manifest => ({
  ...manifestOf(ref, record.token, record.id),
  sources: Object.fromEntries(
    positions.map((position, i) => [`source-${i}`, { position, finished: false, watermark: null }]),
  ),
});

/** What was asked of the coordinators, in order, with the offsets of each group. */
function asked(cluster: FakeCluster): string[] {
  return cluster.seen.map(({ api, what }: Seen) => {
    if (api === 'addOffsetsToTxn') return `add group ${(what as { group: string }).group}`;
    if (api === 'endTxn') return `end: ${(what as { outcome: string }).outcome}`;
    if (api !== 'txnOffsetCommit') return api;
    const offsets = partitionsOf(what) as readonly { topic: string; partition: number; offset?: number }[];
    return `${(what as { group: string }).group}: ${offsets.map(({ topic, partition, offset }) => `${topic}/${partition}@${offset}`).join(' ')}`;
  });
}

describe('the transaction that is a checkpoint', () => {
  test('holds the output, the offsets of its sources and the commit record, before it ends', async () => {
    const { cluster, point, transaction } = await opened();
    transaction.write('totals', 1, 0, 'card', '7');
    await point.commit(manifestAt(kafkaPosition({ 0: 12, 1: 7 })), record);
    expect(asked(cluster)).toEqual([
      'initProducerId',
      'addPartitionsToTxn',
      'produce',
      'add group totals',
      'totals: payments/0@12 payments/1@7',
      'add group tidemark.totals.main',
      'tidemark.totals.main: tidemark.commits/0@3',
      'end: commit',
    ]);
    const [written] = cluster.of('txnOffsetCommit').slice(-1);
    const [offset] = partitionsOf(written?.what) as unknown as readonly { metadata: string }[];
    expect(JSON.parse(offset?.metadata ?? '')).toEqual({ tidemark: 1, manifest: '3-2', token: 2, checksum: 'abc' });
  });

  test('has the offsets of this cluster only, of sources that want them, and begins with them when there was no output', async () => {
    const { cluster, point } = await opened();
    const elsewhere = kafkaPosition({ 0: 1 }, { cluster: 'elsewhere' });
    const silent = kafkaPosition({ 0: 2 }, { group: 'silent', commits: false });
    const other = kafkaPosition({ 2: 5 }, { group: 'other' });
    await point.commit(manifestAt(elsewhere, silent, { lines: 12 }, kafkaPosition({ 0: 3 }), other), record);
    expect(asked(cluster).slice(1)).toEqual([
      'add group totals',
      'totals: payments/0@3',
      'add group other',
      'other: payments/2@5',
      'add group tidemark.totals.main',
      'tidemark.totals.main: tidemark.commits/0@3',
      'end: commit',
    ]);
    expect(point.publishes(other)).toBe(true);
    expect(point.publishes(elsewhere)).toBe(false);
  });

  test('ends only when every record is acknowledged', async () => {
    const { cluster, point, transaction } = await opened();
    const acknowledge = cluster.hold('produce');
    transaction.write('totals', 0, 0, null, '1');
    const done = point.commit(manifestAt(), record);
    await until(() => cluster.of('produce').length === 1);
    expect(cluster.of('txnOffsetCommit')).toEqual([]);
    acknowledge();
    await done;
    expect(asked(cluster).at(-1)).toBe('end: commit');
  });

  test("is nobody's to repeat once its end was asked for and never answered", async () => {
    const { cluster, point, transaction } = await opened();
    cluster.answers.set('endTxn', noConnection);
    transaction.write('totals', 0, 0, null, '1');
    await expect(point.commit(manifestAt(), record)).rejects.toThrow(CommitPointFencedError);
    expect(cluster.of('endTxn').length).toBeGreaterThan(1);
    // A record after that is no part of anything.
    expect(() => transaction.write('totals', 0, 0, null, '2')).toThrow();
  });

  test('takes nothing more once the broker has aborted it: asked again, its records would be missing', async () => {
    const { cluster, point, transaction } = await opened();
    cluster.next('endTxn', () => 'INVALID_TXN_STATE');
    transaction.write('totals', 0, 0, null, '1');
    await expect(point.commit(manifestAt(), record)).rejects.toThrow(CommitPointFencedError);
    // The store could not be asked whose the task is: then the commit is tried again.
    await expect(point.commit(manifestAt(), record)).rejects.toThrow(CommitPointFencedError);
    expect(cluster.of('endTxn')).toHaveLength(1);
    expect(() => transaction.write('totals', 0, 0, null, '2')).toThrow(CommitPointFencedError);
  });

  test('holds what comes from outside the sinks back from the barrier to its end, and lets it go when it is abandoned', async () => {
    const { cluster, point, transaction } = await opened();
    const letter = (value: string) =>
      transaction.writeBehindBarrier(() => transaction.write('letters', 0, 0, null, value), value.length);
    letter('before');
    point.began();
    letter('behind');
    await transaction.flush();
    expect(cluster.batches.join()).not.toContain('behind');
    point.abandoned();
    await transaction.flush();
    expect(cluster.batches.join()).toContain('behind');

    point.began();
    letter('of the next');
    await point.commit(manifestAt(), record);
    await point.confirmed();
    await transaction.flush();
    const order = cluster.seen.map(({ api, batches }) => batches[0]?.values.join() ?? api);
    expect(order.indexOf('of the next')).toBeGreaterThan(order.indexOf('endTxn'));
  });
});

test('what is held back takes room of the buffer until it goes into the next transaction', async () => {
  const { point, transaction } = await opened();
  const told: string[] = [];
  point.began();
  transaction.writeBehindBarrier(() => {}, 20 * 1024 * 1024);
  expect(transaction.isFull).toBe(false);
  transaction.writeBehindBarrier(() => {}, 20 * 1024 * 1024);
  expect(transaction.isFull).toBe(true);
  transaction.whenRoom(() => told.push('room'));
  expect(told).toEqual([]);
  point.abandoned();
  expect([transaction.isFull, told]).toEqual([false, ['room']]);
});

describe('after a lost answer', () => {
  test('the producer is initialised again once the store has confirmed, and not before', async () => {
    const { cluster, point, transaction } = await opened();
    cluster.next('endTxn', noConnection);
    transaction.write('totals', 0, 0, null, '1');
    await point.commit(manifestAt(), record);
    expect(cluster.of('initProducerId')).toHaveLength(1);
    await point.confirmed();
    expect(cluster.of('initProducerId')).toHaveLength(2);
  });
});

test('the commit record is asked for until nothing is pending on it, and only then believed', async () => {
  const cluster = new FakeCluster();
  const { point } = pointOn(cluster);
  const of = { topic: 'tidemark.commits', partition: 0 };
  const metadata = JSON.stringify({ tidemark: 1, manifest: '3-2', token: 2, checksum: 'abc' });
  const answers = [
    { ...of, error: 'UNSTABLE_OFFSET_COMMIT', offset: -1, metadata: '' },
    { ...of, error: 'NONE', offset: 3, metadata },
  ];
  const asked: boolean[] = [];
  Object.assign(cluster.node(9), {
    offsetFetch: async (_group: string, _of: unknown, requireStable: boolean) => {
      asked.push(requireStable);
      return { error: 'NONE', partitions: [answers[asked.length - 1]] };
    },
  });
  await point.open();
  expect(await point.read(true)).toEqual(record);
  expect(asked).toEqual([true, true]);
});

test('a commit record that a broker cannot give now is asked for again; only what is forbidden is a matter of permissions', async () => {
  const cluster = new FakeCluster();
  const { point } = pointOn(cluster);
  const errors = ['UNKNOWN_SERVER_ERROR', 'NOT_COORDINATOR', 'NONE', 'GROUP_AUTHORIZATION_FAILED', 'INVALID_GROUP_ID'];
  Object.assign(cluster.node(9), { offsetFetch: async () => ({ error: errors.shift(), partitions: [] }) });
  await point.open();
  expect(await point.read(true)).toBeUndefined();
  await expect(point.read(true)).rejects.toMatchObject({ code: 'KAFKA_SECURITY' });
  await expect(point.read(true)).rejects.toMatchObject({ code: 'KAFKA_ANSWER', errorName: 'INVALID_GROUP_ID' });
});
