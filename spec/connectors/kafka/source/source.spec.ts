import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KafkaAnswerError, KafkaConnectionError, KafkaSecurityError } from '../../../../connectors/kafka/errors.ts';
import type { Deserializer } from '../../../../connectors/kafka/format/deserializer.ts';
import { OffsetGapError } from '../../../../connectors/kafka/source/errors.ts';
import type { KafkaSourceOptions } from '../../../../connectors/kafka/source/options.ts';
import type { KafkaReader } from '../../../../connectors/kafka/source/reader.ts';
import { kafkaSourceWith } from '../../../../connectors/kafka/source/source.ts';
import { ExternalError, type Json } from '../../../../lib/index.ts';
import { SharedServices } from '../../../../lib/task/shared-services.ts';
import { ManualScheduler } from '../../../contract/manual-scheduler.ts';
import { keptLog, SourceProbe } from '../../../contract/source-probe.ts';
import { FakeKafka } from './fake-kafka.ts';

const text: Deserializer<string> = { deserialize: bytes => (bytes === null ? null : `${bytes}`) };
const texts = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => String(from + i));

let kafka: FakeKafka;
let probes: SourceProbe<string>[];

beforeEach(() => {
  kafka = new FakeKafka();
  probes = [];
});

afterEach(async () => {
  for (const probe of probes) await probe.close();
  for (const probe of probes) expect(probe.violations).toEqual([]);
});

type Options = Partial<KafkaSourceOptions<string>>;

const source = (options: Options = {}) =>
  kafkaSourceWith<string>(kafka.services(), {
    brokers: 'fake:9092',
    topic: 'payments',
    value: text,
    start: 'earliest',
    ...options,
  });

async function open(options: Options = {}, position?: Json): Promise<SourceProbe<string>> {
  const probe = await SourceProbe.open(source(options), position);
  probes.push(probe);
  return probe;
}

/** Lets everything that is under way have its turn. */
async function settled(): Promise<void> {
  for (let i = 0; i < 30; i++) await turn();
}

/** Moves time on in small steps until something is there. */
async function later(probe: SourceProbe<string>, isThere: () => boolean, stepMs = 100): Promise<number> {
  let ms = 0;
  for (; !isThere() && ms < 3_600_000; ms += stepMs) {
    await settled();
    if (isThere()) continue;
    probe.scheduler.advance(stepMs);
    kafka.changed();
  }
  return ms;
}

const warnings = (probe: SourceProbe<string>) => probe.log.filter(({ level }) => level === 'warn');
const partitionsIn = (position: Json) => (position as { partitions: Json }).partitions;

describe('leaders', () => {
  it('are asked in one loop each, with all of their partitions in a request', async () => {
    const logs = [...kafka.topic('payments', 2, 1), ...kafka.topic('refunds', 2, 2)];
    for (const log of logs) log.append(['a']);
    const probe = (await open({ topic: ['payments', 'refunds'] })).start();
    await probe.untilRecords(4);
    await settled();
    expect(kafka.fetches.filter(({ node }) => node === 1)[0]?.request.partitions).toHaveLength(2);
    expect(kafka.fetches.filter(({ node }) => node === 2)[0]?.request.partitions).toHaveLength(2);
    // All is read: each node has one request that waits.
    expect(
      kafka.fetches
        .slice(-2)
        .map(({ node }) => node)
        .sort(),
    ).toEqual([1, 2]);
  });

  it('are looked for anew when they have changed, and nothing is lost or given twice', async () => {
    const [log] = kafka.topic('payments');
    log?.append(texts(0, 3));
    const probe = (await open()).start();
    await probe.untilRecords(3);
    kafka.leaders.set({ topic: 'payments', partition: 0 }, 2);
    log?.append(texts(3, 6));
    kafka.changed();
    await later(probe, () => probe.values.length === 6);
    expect(probe.values).toEqual(texts(0, 6));
    expect(kafka.fetches.at(-1)?.node).toBe(2);
    expect(warnings(probe)).toMatchObject([{ fields: { partitions: 'payments-0', why: 'NOT_LEADER_OR_FOLLOWER' } }]);
    expect(probe.log.at(-1)?.message).toBe('a partition is read again');
  });

  it('may be gone for a while', async () => {
    const [log] = kafka.topic('payments');
    log?.append(texts(0, 3));
    const probe = await open();
    kafka.leaders.set({ topic: 'payments', partition: 0 }, -1);
    probe.start();
    for (let i = 0; i < 20; i++) {
      await settled();
      probe.scheduler.advance(500);
    }
    expect([probe.values, probe.errors]).toEqual([[], []]);
    kafka.leaders.set({ topic: 'payments', partition: 0 }, 3);
    await later(probe, () => probe.values.length === 3);
    expect(probe.values).toEqual(texts(0, 3));
  });

  it('are asked for more while what came is read', async () => {
    const [log] = kafka.topic('payments');
    for (let i = 0; i < 3; i++) log?.append(texts(i * 1_500, (i + 1) * 1_500));
    const probe = await open({ maxPartitionBytes: 20_000, maxRequestBytes: 20_000 });
    const asked: number[] = [];
    probe.afterBatch = () => asked.push(kafka.fetches.length);
    probe.start();
    await probe.untilRecords(4_500);
    // When the second half of an answer was read, the next one was on its way.
    expect(probe.batches[0]).toBe(1_000);
    expect(asked[1]).toBeGreaterThanOrEqual(2);
  });
});

describe('a broker that is out of reach', () => {
  const unreachable = () => {
    throw new KafkaConnectionError('no connection to fake-1:9092');
  };

  it('is asked again, and reading goes on where it was', async () => {
    const [log] = kafka.topic('payments');
    log?.append(texts(0, 3));
    const probe = (await open()).start();
    await probe.untilRecords(3);
    kafka.onFetch = unreachable;
    kafka.changed();
    for (let i = 0; i < 30; i++) {
      await settled();
      probe.scheduler.advance(1_000);
    }
    expect(probe.errors).toEqual([]);
    // Not one line for each attempt.
    expect(warnings(probe).length).toBeLessThanOrEqual(4);
    kafka.onFetch = undefined;
    log?.append(texts(3, 5));
    await later(probe, () => probe.values.length === 5);
    expect(probe.values).toEqual(texts(0, 5));
  });

  it('fails the task with an error that a restart may mend, once retryTimeout is over', async () => {
    kafka.topic('payments')[0]?.append(['a']);
    kafka.onFetch = unreachable;
    const probe = (await open({ retryTimeout: '30s' })).start();
    const ms = await later(probe, () => probe.errors.length > 0);
    expect(ms).toBeGreaterThanOrEqual(30_000);
    expect(ms).toBeLessThan(40_000);
    expect(probe.errors[0]).toBeInstanceOf(ExternalError);
    expect(probe.errors[0]).toMatchObject({ retriable: true, cause: { message: 'no connection to fake-1:9092' } });
    expect((probe.errors[0] as Error).message).toMatch(/payments-0 of Kafka at kafka:\/\/fake:9092 .* 30000 ms/);
  });

  it('fails the task at once when it does not let us in', async () => {
    kafka.topic('payments')[0]?.append(['a']);
    kafka.onFetch = () => {
      throw new KafkaSecurityError('wrong password');
    };
    const probe = (await open()).start();
    await later(probe, () => probe.errors.length > 0);
    expect(probe.errors[0]).toBeInstanceOf(KafkaSecurityError);
    expect(probe.scheduler.now()).toBe(0);
  });

  it.each([
    ['TOPIC_AUTHORIZATION_FAILED', KafkaSecurityError],
    ['UNSUPPORTED_VERSION', ExternalError],
  ] as const)('fails the task at once when it answers %s', async (error, type) => {
    const [log] = kafka.topic('payments');
    log?.append(['a']);
    kafka.onFetch = request => kafka.answers(request).map(answer => ({ ...answer, error, records: Buffer.alloc(0) }));
    const probe = (await open()).start();
    await later(probe, () => probe.errors.length > 0);
    expect(probe.errors[0]).toBeInstanceOf(type);
    expect((probe.errors[0] as Error).message).toContain('payments-0');
  });

  it('that answers for no partition at all is only throttling', async () => {
    const [log] = kafka.topic('payments');
    log?.append(['a']);
    let answers = 0;
    kafka.onFetch = () => (answers++ < 3 ? [] : undefined);
    const probe = (await open()).start();
    await probe.untilRecords(1);
    expect(warnings(probe)).toEqual([]);
  });
});

describe('memory', () => {
  it('is bounded: no more is fetched ahead than the buffer takes while the task is paused', async () => {
    const logs = kafka.topic('payments', 4);
    const value = 'v'.repeat(900);
    for (const log of logs) for (let i = 0; i < 50; i++) log.append([value, value]);
    const limits = { maxPartitionBytes: 4_096, maxRequestBytes: 8_192, maxBufferedBytes: 16_384 };
    const probe = await open(limits);
    probe.afterBatch = () => probe.pause();
    probe.start();
    await probe.untilRecords(1);
    await settled();
    await settled();
    const asked = kafka.fetches.length;
    await settled();
    expect(kafka.fetches.length).toBe(asked);
    const given = probe.values.length;
    // What was given and what the buffer takes, and an answer that was under way.
    const fetched = Math.max(...kafka.fetches.flatMap(({ request }) => request.partitions.map(({ offset }) => offset)));
    expect(fetched * 900).toBeLessThanOrEqual(given * 900 + 2 * 16_384);
    probe.afterBatch = undefined;
    probe.resume();
    await probe.untilRecords(400);
    expect(probe.values.length).toBe(400);
  });

  it('is shared: a partition with much does not keep the others waiting', async () => {
    const [busy, quiet] = kafka.topic('payments', 2);
    for (let i = 0; i < 200; i++) busy?.append(Array<string>(10).fill('busy'.repeat(50)));
    quiet?.append(['quiet']);
    const probe = await open({ maxPartitionBytes: 4_096, maxRequestBytes: 4_096, maxBufferedBytes: 8_192 });
    probe.start();
    await probe.untilRecords(2_001);
    expect(probe.values.indexOf('quiet')).toBeLessThan(100);
  });
});

describe('one paused partition', () => {
  it('gives nothing and takes no room until it is resumed, and then goes on where it was', async () => {
    const [first, second] = kafka.topic('payments', 2);
    const probe = await open();
    const reader = probe.reader as unknown as KafkaReader<string>;
    probe.start();
    first?.append(['first 1']);
    kafka.changed();
    await probe.untilRecords(1);
    reader.holdPartition('payments-0', true);
    first?.append(['first 2']);
    second?.append(['second 1']);
    kafka.changed();
    await probe.untilRecords(2);
    await settled();
    expect(probe.values).toEqual(['first 1', 'second 1']);
    reader.holdPartition('payments-0', false);
    kafka.changed();
    await probe.untilRecords(3);
    expect(probe.values).toEqual(['first 1', 'second 1', 'first 2']);
  });
});

describe('an offset that is not there any more', () => {
  it('fails the running source with the gap, behind what was fetched before it', async () => {
    const [log] = kafka.topic('payments');
    log?.append(texts(0, 3));
    const probe = (await open()).start();
    await probe.untilRecords(3);
    await settled();
    log?.append(texts(3, 9));
    log?.purge(7);
    kafka.changed();
    await later(probe, () => probe.errors.length > 0);
    expect(probe.errors[0]).toBeInstanceOf(OffsetGapError);
    expect(probe.errors[0]).toMatchObject({ topic: 'payments', partition: 0, wanted: 3, logStart: 7, logEnd: 9 });
    expect(probe.values).toEqual(texts(0, 3));
    expect(partitionsIn(probe.position())).toEqual({ payments: { 0: 3 } });
  });

  it('is looked at only when what was fetched before it was given, and not asked for meanwhile', async () => {
    const [log] = kafka.topic('payments');
    log?.append(texts(0, 1_500));
    const probe = await open();
    probe.afterBatch = () => {
      if (probe.batches.length === 1) probe.pause();
    };
    probe.start();
    await probe.untilRecords(1_000);
    await settled();
    log?.append(texts(1_500, 1_600));
    log?.purge(1_550);
    kafka.changed();
    await settled();
    const asked = kafka.fetches.length;
    kafka.changed();
    await settled();
    expect([probe.values.length, probe.errors, kafka.fetches.length]).toEqual([1_000, [], asked]);
    probe.resume();
    await later(probe, () => probe.errors.length > 0);
    expect(probe.values).toEqual(texts(0, 1_500));
    expect(probe.errors).toMatchObject([{ wanted: 1_500, logStart: 1_550 }]);
  });

  it('is passed over when that was chosen, and the log names the gap', async () => {
    const [log] = kafka.topic('payments');
    log?.append(texts(0, 3));
    const probe = (await open({ onMissingOffset: 'earliest' })).start();
    await probe.untilRecords(3);
    await settled();
    for (const value of texts(3, 9)) log?.append([value]);
    log?.purge(7);
    kafka.changed();
    await probe.untilRecords(5);
    expect(probe.values).toEqual([...texts(0, 3), '7', '8']);
    expect(warnings(probe)).toMatchObject([
      { fields: { wanted: 3, offset: 7 }, message: expect.stringContaining('4 offsets') },
    ]);
  });

  it('is asked again when a replica that was behind had refused it', async () => {
    const [log] = kafka.topic('payments');
    log?.append(texts(0, 3));
    let refusals = 2;
    kafka.onFetch = request =>
      refusals-- > 0
        ? kafka.answers(request).map(answer => ({ ...answer, error: 'OFFSET_OUT_OF_RANGE', records: Buffer.alloc(0) }))
        : undefined;
    const probe = (await open()).start();
    const ms = await later(probe, () => probe.values.length === 3);
    // 100 and 200 ms: a broker that goes on so is not asked without end.
    expect(ms).toBeGreaterThanOrEqual(300);
    expect(probe.values).toEqual(texts(0, 3));
  });
});

it('an answer about an offset is of no use any more once the partition was read on, and takes it back nowhere', async () => {
  const [log] = kafka.topic('payments');
  log?.append(texts(0, 3));
  const probe = await open();
  const reader = probe.reader as unknown as KafkaReader<string>;
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  kafka.beforeListAnswer = () => answered;
  let refusals = 1;
  kafka.onFetch = request =>
    refusals-- > 0
      ? kafka.answers(request).map(one => ({ ...one, error: 'OFFSET_OUT_OF_RANGE', records: Buffer.alloc(0) }))
      : undefined;
  probe.start();
  await settled();
  expect(probe.values).toEqual([]);
  // A partition that is resumed is asked for its records, whatever is still being found out about it.
  reader.holdPartition('payments-0', true);
  reader.holdPartition('payments-0', false);
  await later(probe, () => probe.values.length === 3);
  answer();
  await settled();
  log?.append(['3']);
  kafka.changed();
  await later(probe, () => probe.values.length >= 4);
  expect(probe.values).toEqual(texts(0, 4));
  expect(partitionsIn(probe.position())).toEqual({ payments: { 0: 4 } });
});

describe('a stop offset', () => {
  it('is reached although the connection is lost while it is found out whether the topic is compacted', async () => {
    const [log] = kafka.topic('payments');
    log?.append(['a']);
    log?.gap(5);
    kafka.settings.set('cleanup.policy', 'compact');
    kafka.onFetch = request => kafka.answers(request);
    let losses = 2;
    kafka.onSetting = () => {
      if (losses-- > 0) throw new KafkaConnectionError('the connection was cut');
    };
    const probe = (await open({ stop: 'latest' })).start();
    await probe.untilCompleted();
    expect([probe.values, losses, partitionsIn(probe.position())]).toEqual([['a'], -1, { payments: { 0: 6 } }]);
  });

  it('fails the source when it may not find that out', async () => {
    const [log] = kafka.topic('payments');
    log?.gap(5);
    kafka.onFetch = request => kafka.answers(request);
    kafka.onSetting = () => {
      throw new KafkaSecurityError('no more');
    };
    const probe = (await open({ stop: 'latest' })).start();
    expect(await probe.untilError()).toBeInstanceOf(KafkaSecurityError);
  });

  it('is reached where compaction has left a hole at the end of a compacted topic', async () => {
    const [log] = kafka.topic('payments');
    log?.append(['a']);
    log?.gap(5);
    kafka.settings.set('cleanup.policy', 'compact');
    kafka.onFetch = request => kafka.answers(request);
    const probe = (await open({ stop: 'latest' })).start();
    await probe.untilCompleted();
    expect([probe.values, partitionsIn(probe.position())]).toEqual([['a'], { payments: { 0: 6 } }]);
  });

  it('is not taken for reached by an empty answer on other topics', async () => {
    const [log] = kafka.topic('payments');
    log?.append(['a', 'b']);
    kafka.settings.set('cleanup.policy', 'delete');
    let empties = 3;
    kafka.onFetch = request =>
      empties-- > 0 ? kafka.answers(request).map(answer => ({ ...answer, records: Buffer.alloc(0) })) : undefined;
    const probe = (await open({ stop: 'latest' })).start();
    await probe.untilCompleted();
    expect(probe.values).toEqual(['a', 'b']);
  });

  it('is counted as progress', async () => {
    kafka.topic('payments', 2)[0]?.append(texts(0, 4));
    const probe = await open({ stop: 'latest' });
    expect(probe.reader.progress?.()).toBe(0);
    probe.start();
    await probe.untilCompleted();
    expect(probe.reader.progress?.()).toBe(1);
  });
});

describe('a record that cannot be read', () => {
  it('fails the source behind the records before it, where it will be tried again', async () => {
    kafka.topic('payments')[0]?.append(['a', 'bad', 'c']);
    const value: Deserializer<string> = {
      deserialize(bytes) {
        if (`${bytes}` === 'bad') throw new Error('it is bad');
        return `${bytes}`;
      },
    };
    const probe = (await open({ value })).start();
    expect(await probe.untilError().catch(error => error)).toMatchObject({ code: 'BAD_RECORD' });
    expect([probe.values, partitionsIn(probe.position())]).toEqual([['a'], { payments: { 0: 1 } }]);
  });
});

describe('a task that ends while its source is opened', () => {
  it('is not kept waiting for a cluster that does not answer', async () => {
    kafka.topic('payments');
    kafka.listError = () => 'LEADER_NOT_AVAILABLE';
    const shared = new SharedServices(new ManualScheduler(), keptLog([]));
    const opening = SourceProbe.open(withContext(source(), { shared: shared.of }));
    const failure = expect(opening).rejects.toThrow(/closed while it was opened/);
    await settled();
    await shared.close();
    await failure;
  });
});

describe('a restored position', () => {
  it('is refused when it is of another cluster', async () => {
    kafka.topic('payments');
    const position = (await open()).position();
    kafka.id = 'another';
    await expect(open({}, position)).rejects.toThrow(/of Kafka cluster fake-cluster, and .* is cluster another/);
  });

  it('may hold topics that are not read any more: the log says that they are dropped', async () => {
    kafka.topic('payments');
    kafka.topic('refunds');
    const position = (await open({ topic: ['payments', 'refunds'] })).position();
    const probe = await open({}, position);
    expect(partitionsIn(probe.position())).toEqual({ payments: { 0: 0 } });
    expect(warnings(probe)).toMatchObject([{ fields: { topics: ['refunds'] } }]);
  });
});

describe('discovery', () => {
  it('stops to read a topic that its pattern found and that was deleted', async () => {
    kafka.topic('payments')[0]?.append(['a']);
    kafka.topic('paybacks')[0]?.append(['b']);
    const probe = (await open({ topic: /^pay/, discovery: '10s' })).start();
    await probe.untilRecords(2);
    kafka.logs.delete({ topic: 'paybacks', partition: 0 });
    await later(probe, () => warnings(probe).some(({ message }) => message.includes('not there any more')), 1_000);
    expect(partitionsIn(probe.position())).toEqual({ payments: { 0: 1 } });
    expect(probe.errors).toEqual([]);
  });

  it('fails when a topic was made anew with fewer partitions', async () => {
    kafka.topic('payments', 3);
    const probe = (await open({ discovery: '10s' })).start();
    kafka.logs.delete({ topic: 'payments', partition: 2 });
    await later(probe, () => probe.errors.length > 0, 1_000);
    expect((probe.errors[0] as Error).message).toContain('has 2 partitions and had 3');
  });

  /** Two topics of a pattern, of which one is out of sight, deleted or not. */
  async function withoutPaybacks() {
    kafka.topic('payments');
    const [log] = kafka.topic('paybacks');
    log?.append(texts(0, 3));
    for (const topic of ['payments', 'paybacks']) kafka.ids.set(topic, `first ${topic}`);
    const probe = (await open({ topic: /^pay/, discovery: '10s' })).start();
    await probe.untilRecords(3);
    kafka.logs.delete({ topic: 'paybacks', partition: 0 });
    await later(probe, () => warnings(probe).some(({ message }) => message.includes('not there any more')), 1_000);
    log?.append(texts(3, 5));
    return { probe, comeBack: () => kafka.logs.set({ topic: 'paybacks', partition: 0 }, log as never) };
  }

  it('reads a topic of its pattern on where it was when it is back', async () => {
    const { probe, comeBack } = await withoutPaybacks();
    comeBack();
    await later(probe, () => probe.values.length === 5, 1_000);
    expect(probe.values).toEqual(texts(0, 5));
    expect(partitionsIn(probe.position())).toEqual({ payments: { 0: 0 }, paybacks: { 0: 5 } });
  });

  it('keeps in its position where such a topic was, also over restarts', async () => {
    const { probe, comeBack } = await withoutPaybacks();
    const options = { topic: /^pay/, discovery: '10s' } as const;
    // A start looks a second time, after a second of its clock.
    const again = await SourceProbe.open(source(options), JSON.parse(JSON.stringify(probe.position())), opening => {
      void settled().then(() => opening.scheduler.advance(1_000));
    });
    probes.push(again);
    expect(warnings(again)[0]?.message).toContain('kept until these are back');
    comeBack();
    const third = (await open(options, JSON.parse(JSON.stringify(again.position())))).start();
    await third.untilRecords(2);
    expect(third.values).toEqual(texts(3, 5));
    again.start();
    await later(again, () => again.values.length === 2, 1_000);
    expect(again.values).toEqual(texts(3, 5));
  });

  it('reads one from its beginning that was made anew meanwhile', async () => {
    const { probe } = await withoutPaybacks();
    kafka.ids.set('paybacks', 'second');
    kafka.topic('paybacks')[0]?.append(['new']);
    await later(probe, () => probe.values.length === 4, 1_000);
    expect(probe.values).toEqual([...texts(0, 3), 'new']);
  });

  it('notices a topic that was made anew with as many partitions', async () => {
    const options = { topic: /^pay/, discovery: '10s' } as const;
    for (const topic of ['payments', 'paybacks']) {
      kafka.ids.set(topic, 'first');
      kafka.topic(topic)[0]?.append(texts(0, 3));
    }
    const probe = (await open(options)).start();
    const listed = (await open({ discovery: '10s' })).start();
    await Promise.all([probe.untilRecords(6), listed.untilRecords(3)]);
    const [byPattern, byName] = [probe.position(), listed.position()];
    kafka.logs.delete({ topic: 'payments', partition: 0 });
    kafka.topic('payments')[0]?.append(texts(10, 13));
    kafka.ids.set('payments', 'second');
    await later(probe, () => probe.values.length === 9, 1_000);
    expect(probe.values.slice(6)).toEqual(texts(10, 13));
    await later(listed, () => listed.errors.length === 1, 1_000);
    expect((listed.errors[0] as Error).message).toMatch(/payments was deleted and made anew/);
    // The same at the next start.
    await expect(open({}, byName)).rejects.toThrow(/payments was deleted and made anew/);
    const restarted = (await open(options, byPattern)).start();
    await restarted.untilRecords(3);
    expect(restarted.values).toEqual(texts(10, 13));
  });

  it('looks again later when the cluster does not answer', async () => {
    kafka.topic('payments');
    const probe = (await open({ discovery: '10s' })).start();
    kafka.onTopics = () => {
      throw new KafkaConnectionError('away');
    };
    await later(probe, () => warnings(probe).length === 2, 1_000);
    // Nor when it fails without saying why.
    kafka.onTopics = () => {
      throw new KafkaAnswerError('UNKNOWN_SERVER_ERROR', 'failed');
    };
    await later(probe, () => warnings(probe).length === 3, 1_000);
    kafka.onTopics = undefined;
    kafka.topic('payments', 2)[1]?.append(['new']);
    await later(probe, () => probe.values.length === 1, 1_000);
    expect(probe.values).toEqual(['new']);
  });
});

describe('a schema that is missing', () => {
  it('is loaded once, with the records before it given first', async () => {
    kafka.topic('payments')[0]?.append(['a', 'b', 'c']);
    const loads: number[][] = [];
    let isThere = false;
    const { promise, resolve } = Promise.withResolvers<void>();
    const value: Deserializer<string> = {
      ...text,
      missing: bytes => (isThere || `${bytes}` === 'a' ? undefined : 7),
      async load(missing) {
        loads.push([...missing]);
        await promise;
        isThere = true;
      },
    };
    const probe = (await open({ value })).start();
    await probe.untilRecords(1);
    await settled();
    expect([probe.values, loads]).toEqual([['a'], [[7]]]);
    resolve();
    await probe.untilRecords(3);
    expect([probe.values, loads]).toEqual([['a', 'b', 'c'], [[7]]]);
  });

  it('is not waited for when the source is closed', async () => {
    kafka.topic('payments')[0]?.append(['a']);
    const value: Deserializer<string> = {
      ...text,
      missing: () => 7,
      load: (_, signal) => new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
    };
    const probe = (await open({ value })).start();
    await settled();
    await probe.close();
    expect([probe.values, probe.errors]).toEqual([[], []]);
  });
});

describe('the offsets of the group', () => {
  const readTwo = async (options: Options = {}) => {
    kafka.topic('payments')[0]?.append(['a', 'b']);
    const probe = (await open(options)).start();
    await probe.untilRecords(2);
    return probe;
  };

  it('are those of the committed checkpoint, not those that were read since', async () => {
    const probe = await readTwo({ group: 'readers' });
    const position = probe.position();
    kafka.logs.get({ topic: 'payments', partition: 0 })?.append(['c']);
    kafka.changed();
    await probe.untilRecords(3);
    probe.reader.committed?.(1, position);
    await settled();
    expect(kafka.commits).toEqual([
      { group: 'readers', offsets: [{ topic: 'payments', partition: 0, offset: 2, metadata: '' }] },
    ]);
  });

  it('are not committed again when nothing has changed', async () => {
    const probe = await readTwo();
    for (const id of [1, 2, 3]) probe.reader.committed?.(id, probe.position());
    await settled();
    probe.reader.committed?.(4, probe.position());
    await settled();
    expect(kafka.commits).toHaveLength(1);
  });

  it('that could not be committed are logged once a minute, and the source goes on', async () => {
    const probe = await readTwo();
    kafka.commitError = 'NOT_COORDINATOR';
    probe.reader.committed?.(1, probe.position());
    await settled();
    probe.reader.committed?.(2, probe.position());
    await settled();
    expect(kafka.commits).toHaveLength(2);
    expect(warnings(probe)).toMatchObject([{ fields: { group: 'job', failures: 1 } }]);
    expect(probe.reader.measures?.().failures).toEqual({ 'offset commit': 2 });
    expect(probe.errors).toEqual([]);
    kafka.commitError = 'NONE';
    probe.reader.committed?.(3, probe.position());
    await settled();
    expect(kafka.commits).toHaveLength(3);
  });

  it('are left to the commit point when that has put them into its transaction', async () => {
    kafka.topic('payments')[0]?.append(['a']);
    const committed: Json[] = [];
    const context = { hasPublished: (position: Json) => committed.push(position) > 0 };
    const probe = await SourceProbe.open(withContext(source(), context));
    probes.push(probe);
    probe.start();
    await probe.untilRecords(1);
    probe.reader.committed?.(1, probe.position());
    await settled();
    expect([committed.length, kafka.commits]).toEqual([1, []]);
  });

  it('are committed by the clock when the job takes no checkpoints, and only then', async () => {
    kafka.topic('payments')[0]?.append(['a', 'b']);
    const quiet = await readTwo();
    quiet.scheduler.advance(60_000);
    await settled();
    expect(kafka.commits).toEqual([]);
    const probe = await SourceProbe.open(
      withContext(source({ autoCommitInterval: '3s' }), { takesCheckpoints: false }),
    );
    probes.push(probe);
    probe.start();
    await probe.untilRecords(4);
    probe.scheduler.advance(2_999);
    await settled();
    expect(kafka.commits).toEqual([]);
    probe.scheduler.advance(1);
    await settled();
    expect(kafka.commits).toMatchObject([{ offsets: [{ offset: 4 }] }]);
    kafka.logs.get({ topic: 'payments', partition: 0 })?.append(['e']);
    kafka.changed();
    await probe.untilRecords(5);
    probe.scheduler.advance(3_000);
    await settled();
    expect(kafka.commits.at(-1)).toMatchObject({ offsets: [{ offset: 5 }] });
  });
});

describe('what a source measures', () => {
  it('is position, lag and records of each partition', async () => {
    const [first, second] = kafka.topic('payments', 2);
    first?.append(texts(0, 5));
    second?.append(['a']);
    const probe = await open();
    probe.start();
    await probe.untilRecords(6);
    await settled();
    expect(probe.reader.measures?.().partitions).toEqual([
      { name: 'payments-0', position: 5, records: 5, lag: 0 },
      { name: 'payments-1', position: 1, records: 1, lag: 0 },
    ]);
  });
});

/** The source, opened with more in its context. */
function withContext(of: ReturnType<typeof source>, more: object): ReturnType<typeof source> {
  return { ...of, open: (position, context) => of.open(position, { ...context, ...more }) };
}
