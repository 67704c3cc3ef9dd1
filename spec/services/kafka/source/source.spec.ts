import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { string } from '../../../../connectors/kafka/format/string.ts';
import { OffsetGapError, TopicError } from '../../../../connectors/kafka/source/errors.ts';
import type { KafkaSourceOptions } from '../../../../connectors/kafka/source/options.ts';
import type { KafkaReader } from '../../../../connectors/kafka/source/reader.ts';
import { kafkaSource, kafkaSourceWith } from '../../../../connectors/kafka/source/source.ts';
import { sourceServices } from '../../../../connectors/kafka/source/source-services.ts';
import { BadRecordError, type Json, SourcePositionError } from '../../../../lib/index.ts';
import { SourceProbe } from '../../../contract/source-probe.ts';
import { SourceCluster } from './source-cluster.ts';

const cluster = new SourceCluster();
beforeAll(() => cluster.connect());
afterEach(() => cluster.closeProbes());
afterAll(() => cluster.close());

type Options = Partial<KafkaSourceOptions<string>> & Pick<KafkaSourceOptions<string>, 'topic'>;
const source = (options: Options) => kafkaSource<string>({ value: string(), maxWait: 20, ...options });
/** Reads to the end that a topic has now. */
const toTheEnd = (options: Options) => source({ stop: 'latest', ...options });
const newGroup = () => `source-spec-${randomUUID()}`;
const texts = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => String(from + i));
const positionsIn = (position: Json) => (position as { partitions: Json }).partitions;

describe('a start', () => {
  test('begins at the group offsets, and where there are none at the earliest or latest record, or fails', async () => {
    const topic = await cluster.topic(2);
    await cluster.write(topic, 0, texts(0, 10));
    await cluster.write(topic, 1, texts(100, 110));
    const group = newGroup();
    await cluster.commitOffsets(group, topic, { 1: 7 });

    const earliest = await cluster.read(toTheEnd({ topic, group }));
    expect(earliest.values.sort()).toEqual([...texts(0, 10), ...texts(107, 110)].sort());
    const latest = await cluster.read(toTheEnd({ topic, group, withoutGroupOffset: 'latest' }));
    expect(latest.values).toEqual(texts(107, 110));
    const failing = cluster.open(toTheEnd({ topic, group, withoutGroupOffset: 'fail' }));
    await expect(failing).rejects.toThrow(SourcePositionError);
    await expect(cluster.open(toTheEnd({ topic, group, withoutGroupOffset: 'fail' }))).rejects.toThrow(`${topic}-0`);
  });

  test('takes the name of the job for the group when none is given', async () => {
    const topic = await cluster.topic();
    const probe = await cluster.open(source({ topic }));
    expect(probe.position()).toMatchObject({ group: 'job' });
  });

  test('begins at the earliest record, or at the latest', async () => {
    const topic = await cluster.topic();
    await cluster.write(topic, 0, texts(0, 5));
    expect((await cluster.read(toTheEnd({ topic, start: 'earliest' }))).values).toEqual(texts(0, 5));
    const latest = (await cluster.open(source({ topic, start: 'latest' }))).start();
    await cluster.write(topic, 0, ['new']);
    await latest.untilRecords(1);
    expect(latest.values).toEqual(['new']);
  });

  test('begins at the first record with a timestamp or a later one, and at the end where there is none', async () => {
    const topic = await cluster.topic(2);
    for (const timestamp of [1_000, 2_000, 3_000])
      await cluster.write(topic, 0, [{ value: `at ${timestamp}`, timestamp }]);
    await cluster.write(topic, 1, [{ value: 'old', timestamp: 500 }]);
    const probe = await cluster.read(toTheEnd({ topic, start: { timestamp: 1_500 } }));
    expect([probe.values, probe.timestamps]).toEqual([
      ['at 2000', 'at 3000'],
      [2_000, 3_000],
    ]);
    expect(positionsIn(probe.position())).toEqual({ [topic]: { 0: 3, 1: 1 } });
  });

  test('begins at specific offsets, and at the group offset of a partition that is not named', async () => {
    const topic = await cluster.topic(3);
    for (const partition of [0, 1, 2])
      await cluster.write(topic, partition, texts(partition * 100, partition * 100 + 10));
    const group = newGroup();
    await cluster.commitOffsets(group, topic, { 0: 9, 1: 8 });
    const start = { offsets: { [topic]: { 0: 5 } } };
    const probe = await cluster.read(toTheEnd({ topic, group, start, withoutGroupOffset: 'latest' }));
    expect(probe.values.sort()).toEqual([...texts(5, 10), ...texts(108, 110)].sort());
  });

  test('goes on from the restored checkpoint whatever its setting says, and the log says so', async () => {
    const topic = await cluster.topic();
    await cluster.write(topic, 0, texts(0, 10));
    const first = await cluster.open(source({ topic, start: { offsets: { [topic]: { 0: 6 } } } }));
    const position = first.position();
    const probe = await cluster.read(toTheEnd({ topic, start: 'latest' }), position);
    expect(probe.values).toEqual(texts(6, 10));
    expect(probe.log.map(({ message }) => message).join()).toContain('restored checkpoint');
  });

  test('refuses the position of another cluster', async () => {
    const topic = await cluster.topic();
    const position = { cluster: 'elsewhere', group: 'job', partitions: { [topic]: { 0: 0 } } };
    await expect(cluster.open(source({ topic }), position)).rejects.toThrow(/cluster elsewhere/);
  });

  test('refuses a topic that does not exist, at a check and at a start', async () => {
    const topic = `source-spec-${randomUUID()}`;
    await expect(source({ topic }).check?.()).rejects.toThrow(TopicError);
    // A start looks a second time, after a second of its clock.
    let clock: NodeJS.Timeout | undefined;
    const opening = SourceProbe.open(source({ topic }), undefined, ({ scheduler }) => {
      clock = setInterval(() => scheduler.advance(100), 100);
    });
    await expect(opening.finally(() => clearInterval(clock))).rejects.toThrow(topic);
  });

  test('refuses a topic with fewer partitions than the checkpoint has', async () => {
    const topic = await cluster.topic(1);
    const first = await cluster.open(source({ topic }));
    const { cluster: id } = first.position() as { cluster: string };
    const position = { cluster: id, group: 'job', partitions: { [topic]: { 0: 0, 3: 0 } } };
    await expect(cluster.open(source({ topic }), position)).rejects.toThrow(/has 1 partitions and had 4/);
  });
});

describe('a stop position', () => {
  test('is reached behind control records and before records that come later', async () => {
    const topic = await cluster.topic();
    const transaction = await cluster.transaction();
    await transaction.write(topic, 0, [{ value: 'committed' }]);
    await transaction.end('commit', topic, 0);
    const aborted = await cluster.transaction();
    await aborted.write(topic, 0, [{ value: 'aborted' }]);
    await aborted.end('abort', topic, 0);
    const probe = await cluster.open(toTheEnd({ topic, start: 'earliest' }));
    await cluster.write(topic, 0, ['later']);
    probe.start();
    await probe.untilCompleted();
    expect(probe.values).toEqual(['committed']);
    expect(positionsIn(probe.position())).toEqual({ [topic]: { 0: 4 } });
  });

  test('is the last stable offset where a transaction is open', async () => {
    const topic = await cluster.topic();
    await cluster.write(topic, 0, ['before']);
    const transaction = await cluster.transaction();
    await transaction.write(topic, 0, [{ value: 'open' }]);
    await cluster.write(topic, 0, ['behind']);
    expect((await cluster.read(toTheEnd({ topic, start: 'earliest' }))).values).toEqual(['before']);
    const uncommitted = await cluster.read(toTheEnd({ topic, start: 'earliest', isolation: 'read_uncommitted' }));
    expect(uncommitted.values).toEqual(['before', 'open', 'behind']);
    await transaction.end('abort', topic, 0);
  });

  test('is an offset, or the first record with a timestamp', async () => {
    const topic = await cluster.topic();
    for (const timestamp of [1_000, 2_000, 3_000])
      await cluster.write(topic, 0, [{ value: `at ${timestamp}`, timestamp }]);
    const upTo = async (stop: KafkaSourceOptions<string>['stop'] & {}) =>
      (await cluster.read(source({ topic, start: 'earliest', stop }))).values;
    expect(await upTo({ offsets: { [topic]: { 0: 1 } } })).toEqual(['at 1000']);
    expect(await upTo({ timestamp: 3_000 })).toEqual(['at 1000', 'at 2000']);
    expect(await upTo({ timestamp: 9_000 })).toEqual(['at 1000', 'at 2000', 'at 3000']);
  });

  test('completes at once what has nothing to read', async () => {
    const topic = await cluster.topic(3);
    const probe = await cluster.read(toTheEnd({ topic, start: 'earliest' }));
    expect([probe.values, probe.reader.progress?.()]).toEqual([[], 1]);
  });
});

describe('discovery', () => {
  test('reads a new partition from its beginning', async () => {
    const topic = await cluster.topic(1);
    const probe = (await cluster.open(source({ topic, start: 'latest', discovery: '1m' }))).start();
    await cluster.addPartitions(topic, 2);
    await cluster.write(topic, 1, ['first of the new one']);
    probe.scheduler.advance(60_000);
    await probe.untilRecords(1);
    expect(probe.values).toEqual(['first of the new one']);
    expect(positionsIn(probe.position())).toEqual({ [topic]: { 0: 0, 1: 1 } });
  });

  test('reads a new topic that matches, from its beginning', async () => {
    const prefix = `source-spec-${randomUUID()}`;
    const first = await cluster.topic(1, { name: `${prefix}-a` });
    const probe = (
      await cluster.open(source({ topic: new RegExp(`^${prefix}`), start: 'latest', discovery: '1m' }))
    ).start();
    await cluster.write(first, 0, ['in the first']);
    await probe.untilRecords(1);
    const second = await cluster.topic(1, { name: `${prefix}-b` });
    await cluster.write(second, 0, ['in the second']);
    probe.scheduler.advance(60_000);
    await probe.untilRecords(2);
    expect(probe.values).toEqual(['in the first', 'in the second']);
  });

  test('that is off finds nothing while running; the next start does, from the beginning', async () => {
    const topic = await cluster.topic(1);
    const probe = (await cluster.open(source({ topic, start: 'latest', discovery: 'off' }))).start();
    await cluster.addPartitions(topic, 2);
    await cluster.write(topic, 1, ['new']);
    probe.scheduler.advance(3_600_000);
    await cluster.write(topic, 0, ['known']);
    await probe.untilRecords(1);
    expect(probe.values).toEqual(['known']);
    const next = await cluster.read(toTheEnd({ topic, start: 'latest' }), probe.position());
    expect(next.values).toEqual(['new']);
  });

  test('fails when a topic of its list was deleted', async () => {
    const topic = await cluster.topic(1);
    const other = await cluster.topic(1);
    const probe = (
      await cluster.open(source({ topic: [topic, other], start: 'latest', discovery: '1m', retryTimeout: '1d' }))
    ).start();
    await cluster.deleteTopic(topic);
    const failure = probe.untilError();
    let hasFailed = false;
    void failure.then(() => {
      hasFailed = true;
    });
    while (!hasFailed) {
      await probe.scheduler.untilScheduled();
      probe.scheduler.advance(30_000);
      await new Promise(resolve => setImmediate(resolve));
    }
    expect(await failure).toBeInstanceOf(TopicError);
  });
});

describe('a position that was purged', () => {
  test('fails at the start, naming the gap', async () => {
    const topic = await cluster.topic();
    await cluster.write(topic, 0, texts(0, 10));
    const first = await cluster.open(source({ topic, start: { offsets: { [topic]: { 0: 3 } } } }));
    const position = first.position();
    await cluster.purge(topic, 0, 8);
    const failure = cluster.open(source({ topic }), position);
    await expect(failure).rejects.toThrow(OffsetGapError);
    await expect(cluster.open(source({ topic }), position)).rejects.toMatchObject({
      topic,
      partition: 0,
      wanted: 3,
      logStart: 8,
      retriable: false,
      message: expect.stringMatching(/Offset 3 of .*begins at 8: the 5 offsets 3 to 7/),
    });
  });

  test('fails where it is a group offset, too, and goes on from the earliest or latest record when that was chosen', async () => {
    const topic = await cluster.topic();
    await cluster.write(topic, 0, texts(0, 10));
    const group = newGroup();
    await cluster.commitOffsets(group, topic, { 0: 2 });
    await cluster.purge(topic, 0, 8);
    await expect(cluster.open(source({ topic, group }))).rejects.toThrow(OffsetGapError);
    const earliest = await cluster.read(toTheEnd({ topic, group, onMissingOffset: 'earliest' }));
    expect(earliest.values).toEqual(['8', '9']);
    expect(earliest.log.filter(({ level }) => level === 'warn')).toMatchObject([{ fields: { wanted: 2, offset: 8 } }]);
    expect((await cluster.read(toTheEnd({ topic, group, onMissingOffset: 'latest' }))).values).toEqual([]);
  });

  test('fails while running, behind what was read before it', async () => {
    const topic = await cluster.topic();
    await cluster.write(topic, 0, texts(0, 5));
    const probe = await cluster.open(source({ topic, start: 'earliest' }));
    probe.start();
    await probe.untilRecords(5);
    // Not fetched ahead, so that what is purged was not fetched before.
    const reader = probe.reader as unknown as KafkaReader<string>;
    reader.holdPartition(`${topic}-0`, true);
    await cluster.write(topic, 0, texts(5, 10));
    await cluster.purge(topic, 0, 10);
    await cluster.write(topic, 0, texts(10, 12));
    reader.holdPartition(`${topic}-0`, false);
    expect(await probe.untilError()).toMatchObject({ topic, partition: 0, wanted: 5, logStart: 10, logEnd: 12 });
    expect(probe.values).toEqual(texts(0, 5));
  });

  test('fails when it lies behind the end of the log', async () => {
    const topic = await cluster.topic();
    await cluster.write(topic, 0, texts(0, 3));
    const start = { offsets: { [topic]: { 0: 50 } } };
    await expect(cluster.open(source({ topic, start }))).rejects.toThrow(/log ends at 3/);
    const probe = await cluster.read(toTheEnd({ topic, start, onMissingOffset: 'earliest' }));
    expect(probe.values).toEqual(texts(0, 3));
  });
});

describe('records that give no value', () => {
  const value = {
    deserialize(bytes: Buffer | null) {
      if (`${bytes}` === 'bad') throw new Error('it is bad');
      return bytes === null ? undefined : bytes.length === 0 ? null : `${bytes}`;
    },
  };

  test('are passed over and counted when the deserializer says null or undefined', async () => {
    const topic = await cluster.topic();
    await cluster.write(topic, 0, ['a', { value: null }, { value: '' }, 'b']);
    const probe = await cluster.read(toTheEnd({ topic, value, start: 'earliest' }));
    expect(probe.values).toEqual(['a', 'b']);
    expect(probe.reader.measures?.()).toMatchObject({
      skipped: { null: 2, poison: 0 },
      partitions: [{ records: 2, lag: 0 }],
    });
  });

  test('fail the source when they are poison, behind the records before them', async () => {
    const topic = await cluster.topic();
    await cluster.write(topic, 0, ['a', 'bad', 'c']);
    const probe = (await cluster.open(toTheEnd({ topic, value, start: 'earliest' }))).start();
    const error = await probe.untilError();
    expect(error).toBeInstanceOf(BadRecordError);
    expect((error as Error).message).toContain(`offset 1 of ${topic}-0`);
    expect(probe.values).toEqual(['a']);
    expect(positionsIn(probe.position())).toEqual({ [topic]: { 0: 1 } });
  });

  test('are skipped, counted and logged', async () => {
    const topic = await cluster.topic();
    await cluster.write(topic, 0, ['a', 'bad', 'c']);
    const probe = await cluster.read(toTheEnd({ topic, value, start: 'earliest', onBadRecord: 'skip' }));
    expect(probe.values).toEqual(['a', 'c']);
    expect(probe.reader.measures?.().skipped).toMatchObject({ poison: 1 });
    expect(probe.log.filter(({ level }) => level === 'warn')).toMatchObject([{ fields: { topic, offset: 1 } }]);
  });

  test('are given to the dead letters with topic, partition, offset and cause', async () => {
    const topic = await cluster.topic();
    await cluster.write(topic, 0, ['a', { key: 'k', value: 'bad' }, 'c']);
    const letters: unknown[] = [];
    const services = {
      ...sourceServices,
      deadLetters: () => ({
        give: (record: { offset: number }, cause: unknown) => letters.push([record.offset, cause]),
      }),
    };
    const options = {
      topic,
      value,
      start: 'earliest',
      stop: 'latest',
      onBadRecord: { deadLetter: 'letters' },
    } as const;
    const probe = await cluster.read(kafkaSourceWith<string>(services as never, options));
    expect(probe.values).toEqual(['a', 'c']);
    expect(letters).toMatchObject([[1, { message: 'it is bad' }]]);
  });
});

describe('the offsets of the group', () => {
  test('follow the committed checkpoints', async () => {
    const topic = await cluster.topic(2);
    await cluster.write(topic, 0, texts(0, 10));
    await cluster.write(topic, 1, texts(0, 4));
    const group = newGroup();
    const probe = await cluster.read(toTheEnd({ topic, group, start: 'earliest' }));
    probe.reader.committed?.(1, probe.position());
    await probe.close();
    expect(await cluster.committedOffsets(group, topic)).toEqual({ 0: 10, 1: 4 });
  });

  test('stay as they are when that is switched off', async () => {
    const topic = await cluster.topic();
    await cluster.write(topic, 0, texts(0, 10));
    const group = newGroup();
    const probe = await cluster.read(toTheEnd({ topic, group, start: 'earliest', commitOffsets: false }));
    probe.reader.committed?.(1, probe.position());
    await probe.close();
    expect(await cluster.committedOffsets(group, topic)).toEqual({});
  });
});

test('takes several topics and partitions at once, each in order', async () => {
  const topics = [await cluster.topic(3), await cluster.topic(2)];
  const expected: string[] = [];
  for (const [index, topic] of topics.entries()) {
    for (let partition = 0; partition < 3 - index; partition++) {
      const values = texts(0, 2_000).map(text => `${index}/${partition}/${text}`);
      for (let i = 0; i < values.length; i += 500) await cluster.write(topic, partition, values.slice(i, i + 500));
      expected.push(...values);
    }
  }
  const options = {
    topic: topics,
    start: 'earliest',
    maxPartitionBytes: 8_192,
    maxRequestBytes: 16_384,
    maxBufferedBytes: 32_768,
  } as const;
  const probe = await cluster.read(toTheEnd(options));
  const byPartition = Map.groupBy(probe.values, value => value.split('/').slice(0, 2).join('/'));
  for (const [place, values] of byPartition)
    expect(values).toEqual(expected.filter(one => one.startsWith(`${place}/`)));
  expect(probe.values.length).toBe(expected.length);
  expect(Math.max(...probe.batches)).toBeLessThanOrEqual(1_000);
});
