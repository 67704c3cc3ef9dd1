import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { map } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json, kafkaSink, kafkaSource, string } from '../../../../connectors/kafka/index.ts';
import type { KafkaSinkOptions } from '../../../../connectors/kafka/sink/options.ts';
import { memorySource } from '../../../../connectors/memory/index.ts';
import {
  from,
  type JobSettings,
  type JobStreams,
  job,
  memoryStore,
  start,
  type TidemarkError,
} from '../../../../lib/index.ts';
import { to } from '../../../../operators/index.ts';
import { quiet } from '../../../job/quiet.ts';
import { contentOf } from '../harness/topic-content.ts';
import '../../../../tools/services/kafka/without-timer-warning.ts';

const brokers = () => process.env.KAFKA_BROKERS as string;
const admin = () => new Kafka({ brokers: brokers().split(','), logLevel: logLevel.NOTHING }).admin();
let kafka: ReturnType<typeof admin>;

beforeAll(async () => {
  kafka = admin();
  await kafka.connect();
});
afterAll(() => kafka.disconnect());

const name = () => `sink-${randomUUID().slice(0, 8)}`;
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);
const run = (of: string, build: () => JobStreams, settings: JobSettings = {}) =>
  start(job(of, build), { store: memoryStore(), logger: quiet, restart: { strategy: 'none' }, ...settings });
const failureOf = async (done: Promise<unknown>): Promise<TidemarkError> =>
  done.then(
    outcome => {
      throw new Error(`it has ${outcome}`);
    },
    error => error as TidemarkError,
  );
const sink = (topic: string, options: Partial<KafkaSinkOptions<number>> = {}) =>
  kafkaSink<number>({ brokers: brokers(), topic, value: json<number>(), missingTopics: { partitions: 2 }, ...options });

/** What is committed shows once the markers of its transaction are written, which is after the commit is answered. */
const marked = { timeout: 15_000, interval: 50 };
const shownIn = async (topic: string) =>
  (await contentOf(brokers(), topic)).map(({ value }) => Number(value)).toSorted((a, b) => a - b);

describe('a Kafka sink', () => {
  it.each(['exactly-once', 'at-least-once', 'none'] as const)(
    '%s: has written everything when the job has finished',
    async guarantee => {
      const topic = name();
      const handle = run(topic, () => from(memorySource(numbers(20_000))).pipe(to(sink(topic, { guarantee }))));
      expect(await handle.done).toBe('finished');
      await expect.poll(() => shownIn(topic), marked).toEqual(numbers(20_000));
    },
  );

  it('shows nothing of what was not committed when the job is cancelled, and leaves no transaction open', async () => {
    const topic = name();
    const endless = kafkaSource<number>({ brokers: brokers(), topic: `${topic}-in`, value: json<number>() });
    await run(`${topic}-load`, () => from(memorySource(numbers(500))).pipe(to(sink(`${topic}-in`)))).done;
    const handle = run(topic, () => from(endless).pipe(to(sink(topic))), { checkpoint: { interval: 'off' } });
    await new Promise<void>(resolve => {
      handle.status$.subscribe(({ records }) => records.in === 500 && resolve());
    });
    await handle.cancel();
    expect(await contentOf(brokers(), topic)).toEqual([]);
    // A reader is not kept waiting behind an open transaction.
    await run(`${topic}-more`, () => from(memorySource([7])).pipe(to(sink(topic, { guarantee: 'at-least-once' }))))
      .done;
    await expect.poll(() => shownIn(topic), marked).toEqual([7]);
  });

  it('writes each record to the topic that is chosen for it, and makes those that are missing as it is told', async () => {
    const base = name();
    const choosing = kafkaSink<number>({
      brokers: brokers(),
      topic: value => `${base}-${value % 3}`,
      name: 'by-remainder',
      value: json(),
      missingTopics: { partitions: 3, settings: { 'cleanup.policy': 'compact' } },
      key: value => `${value}`,
      headers: value => ({ remainder: `${value % 3}` }),
    });
    await run(base, () => from(memorySource(numbers(300))).pipe(to(choosing))).done;
    for (const remainder of [0, 1, 2]) {
      const wanted = numbers(300).filter(value => value % 3 === remainder);
      await expect.poll(() => shownIn(`${base}-${remainder}`), marked).toEqual(wanted);
    }
    const { topics } = await kafka.fetchTopicMetadata({ topics: [`${base}-0`] });
    expect(topics[0]?.partitions.length).toBe(3);
  });

  it('refuses a topic that is missing when it may not make it', async () => {
    const topic = name();
    const handle = run(topic, () => from(memorySource([1])).pipe(to(sink(topic, { missingTopics: 'fail' }))));
    expect(await failureOf(handle.done)).toMatchObject({ code: 'MISSING_TOPIC', fault: 'user', retriable: false });
  });

  it('refuses a record that is larger than its topic takes, by name, before anything is sent', async () => {
    const topic = name();
    await kafka.createTopics({
      topics: [{ topic, numPartitions: 1, configEntries: [{ name: 'max.message.bytes', value: '2000' }] }],
    });
    const texts = kafkaSink<string>({ brokers: brokers(), topic, value: string(), key: () => 'big' });
    const handle = run(topic, () => from(memorySource(['x'.repeat(5_000)])).pipe(to(texts)));
    const error = await failureOf(handle.done);
    expect(error.message).toMatch(
      /"big" for the topic .* takes 5\d\d\d bytes.*max\.message\.bytes of the topic is 2000/,
    );
    expect(await contentOf(brokers(), topic, 'read_uncommitted')).toEqual([]);
  });

  it('refuses one topic under two guarantees, and shares a transaction with other sinks', async () => {
    const topic = name();
    const numbersIn = () => from(memorySource(numbers(100)));
    const mixed = run(`${topic}-mixed`, () => {
      const stream = numbersIn();
      return [
        stream.pipe(to(sink(topic))),
        stream.pipe(to(sink(topic, { name: 'other', guarantee: 'at-least-once' }))),
      ];
    });
    expect((await failureOf(mixed.done)).message).toMatch(
      /\(exactly-once\).*\(at-least-once\) both write to the topic/,
    );
    const shared = run(`${topic}-shared`, () => {
      const stream = numbersIn();
      return [
        stream.pipe(to(sink(`${topic}-a`))),
        stream.pipe(
          map(value => value * 2),
          to(sink(`${topic}-b`)),
        ),
        stream.pipe(to(sink(`${topic}-c`, { guarantee: 'at-least-once' }))),
      ];
    });
    expect(await shared.done).toBe('finished');
    for (const each of ['a', 'b', 'c']) await expect.poll(() => shownIn(`${topic}-${each}`), marked).toHaveLength(100);
  });

  it('refuses settings of checkpoints that its transactions cannot outlast, with numbers', async () => {
    const topic = name();
    const handle = run(topic, () => from(memorySource([1])).pipe(to(sink(topic))), {
      checkpoint: { timeout: '10m', tolerableFailures: 3 },
    });
    const error = await failureOf(handle.done);
    expect(error).toMatchObject({ code: 'SETTINGS', retriable: false });
    expect(error.message).toMatch(/2440000 ms old.*900000 ms = 720000 ms/s);
  });

  it.each(['exactly-once', 'at-least-once', 'none'] as const)(
    'takes the dead letters of a source with it, %s',
    async guarantee => {
      const topic = name();
      const texts = kafkaSink<string>({ brokers: brokers(), topic: `${topic}-in`, value: string(), key: text => text });
      await run(`${topic}-load`, () => from(memorySource(['1', 'poison', '2', '{', '3'])).pipe(to(texts))).done;
      const source = kafkaSource<number>({
        brokers: brokers(),
        topic: `${topic}-in`,
        value: json<number>(),
        stop: 'latest',
        onBadRecord: { deadLetter: `${topic}-dead` },
      });
      expect(await run(topic, () => from(source).pipe(to(sink(`${topic}-out`, { guarantee })))).done).toBe('finished');
      const keys = async (of: string) =>
        (await contentOf(brokers(), `${topic}-${of}`)).map(({ value }) => value).sort();
      await expect.poll(() => keys('out'), marked).toEqual(['1', '2', '3']);
      await expect.poll(() => keys('dead'), marked).toEqual(['poison', '{']);
    },
  );
});
