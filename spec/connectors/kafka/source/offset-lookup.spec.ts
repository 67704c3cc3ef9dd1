import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { KafkaConnectionError, KafkaSecurityError } from '../../../../connectors/kafka/errors.ts';
import { committedOffsets, listOffsets } from '../../../../connectors/kafka/source/offset-lookup.ts';
import { PartitionMap } from '../../../../connectors/kafka/source/partitions.ts';
import { Patience } from '../../../../connectors/kafka/source/patience.ts';
import { ExternalError } from '../../../../lib/index.ts';
import { ManualScheduler } from '../../../contract/manual-scheduler.ts';
import { keptLog, type LoggedLine } from '../../../contract/source-probe.ts';
import { FakeKafka } from './fake-kafka.ts';

const partitions = [0, 1].map(partition => ({ topic: 'payments', partition }));
const latest = partitions.map(partition => ({ ...partition, at: 'latest' as const }));

function setUp() {
  const kafka = new FakeKafka();
  const logs = kafka.topic('payments', 2);
  logs[0]?.append(['a', 'b']);
  const scheduler = new ManualScheduler();
  const lines: LoggedLine[] = [];
  const patience = new Patience(scheduler, keptLog(lines), 10_000, 'kafka://fake:9092');
  return { kafka, logs, scheduler, lines, patience, client: kafka.client() };
}

/** Lets time pass until there is an outcome. */
async function settledIn<T>(scheduler: ManualScheduler, work: Promise<T>): Promise<T> {
  let isOver = false;
  const over = () => {
    isOver = true;
  };
  void work.then(over, over);
  for (; !isOver; scheduler.advance(100)) for (let i = 0; i < 10; i++) await turn();
  return work;
}

describe('listOffsets', () => {
  it('answers for every partition', async () => {
    const { client, patience } = setUp();
    const found = await listOffsets(client, patience, latest, 'read_committed');
    expect(partitions.map(partition => found?.get(partition))).toEqual([2, 0]);
  });

  it('asks again for those whose leader has changed, and says so', async () => {
    const { kafka, client, patience, scheduler, lines } = setUp();
    let failures = 3;
    kafka.listError = ({ partition }) => (partition === 1 && failures-- > 0 ? 'NOT_LEADER_OR_FOLLOWER' : 'NONE');
    const found = await settledIn(scheduler, listOffsets(client, patience, latest, 'read_committed'));
    expect(found?.get({ topic: 'payments', partition: 1 })).toBe(0);
    expect([kafka.forgotten, lines.length]).toEqual([3, 3]);
    // 100, 200 and 400 ms.
    expect(scheduler.now()).toBeLessThan(1_000);
  });

  it('gives up with an error that a restart may mend when the time is over', async () => {
    const { kafka, client, patience, scheduler } = setUp();
    kafka.leaders.set({ topic: 'payments', partition: 1 }, -1);
    const failure = settledIn(scheduler, listOffsets(client, patience, latest, 'read_committed'));
    await expect(failure).rejects.toThrow(ExternalError);
    await expect(failure).rejects.toMatchObject({
      retriable: true,
      message: expect.stringMatching(/within 10000 ms .*payments-1 has no leader/),
    });
  });

  it('fails at once when it is not permitted', async () => {
    const { kafka, client, patience } = setUp();
    kafka.listError = () => 'TOPIC_AUTHORIZATION_FAILED';
    await expect(listOffsets(client, patience, latest, 'read_committed')).rejects.toThrow(KafkaSecurityError);
  });

  it('answers nothing once it is closed', async () => {
    const { kafka, client, patience } = setUp();
    kafka.listError = () => 'LEADER_NOT_AVAILABLE';
    const work = listOffsets(client, patience, latest, 'read_committed');
    await turn();
    patience.close();
    expect(await work).toBeUndefined();
  });
});

describe('committedOffsets', () => {
  it('leaves out partitions that have none', async () => {
    const { kafka, client, patience } = setUp();
    kafka.groups.set('g', new PartitionMap<number>().set({ topic: 'payments', partition: 1 }, 4));
    const found = await committedOffsets(client, patience, 'g', partitions);
    expect(partitions.map(partition => found?.get(partition))).toEqual([undefined, 4]);
  });

  it('waits for offsets that are in an open transaction, and looks for a coordinator that has moved', async () => {
    const { kafka, client, patience, scheduler } = setUp();
    const errors = ['UNSTABLE_OFFSET_COMMIT', 'NOT_COORDINATOR', 'COORDINATOR_LOAD_IN_PROGRESS'];
    kafka.offsetFetchError = () => errors.shift() ?? 'NONE';
    kafka.groups.set('g', new PartitionMap<number>().set({ topic: 'payments', partition: 0 }, 1));
    const found = await settledIn(scheduler, committedOffsets(client, patience, 'g', partitions));
    expect([found?.size, errors, kafka.forgotten]).toEqual([1, [], 2]);
  });

  it('asks again when the connection was lost, and fails at once when it is not permitted', async () => {
    const { kafka, client, patience, scheduler } = setUp();
    let isLost = true;
    kafka.offsetFetchError = () => {
      if (!isLost) return 'GROUP_AUTHORIZATION_FAILED';
      isLost = false;
      throw new KafkaConnectionError('lost');
    };
    const failure = settledIn(scheduler, committedOffsets(client, patience, 'g', partitions));
    await expect(failure).rejects.toThrow(/group g: GROUP_AUTHORIZATION_FAILED. Allow DESCRIBE/);
  });
});
