import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import '../../tools/services/kafka/without-timer-warning.ts';
import { type KafkaServer, startKafka } from '../../tools/services/kafka/kafka.ts';
import { startRedis } from '../../tools/services/redis.ts';
import { inFreshProcess } from '../harness/fresh-process.ts';
import type { Findings } from '../harness/result.ts';
import { median, summary } from '../harness/statistics.ts';
import { partitions, type Rate } from './load.ts';

const scripts = {
  read: new URL('./read.ts', import.meta.url),
  write: new URL('./write.ts', import.meta.url),
  pipeline: new URL('./pipeline.ts', import.meta.url),
};
const rounds = 5;
const pipelineRounds = 3;
const million = 1_000_000;
const guarantees = ['none', 'at-least-once', 'exactly-once'] as const;
const intervals = ['100ms', '1s', '10s'] as const;
const sizes = [100, 1_000] as const;
/** Records of each size that go through the pipeline. */
const pipelineRecords = { 100: 1_000_000, 1000: 400_000 } as const;

interface Measured {
  readonly label: string;
  readonly rates: readonly Rate[];
}

/** What the connector does a second, beside kafkajs's own consumer and producer, on a broker of the same machine. */
export async function kafka(): Promise<Findings> {
  await using broker = await startKafka();
  await using redis = await startRedis();
  const readers = await reading(broker);
  const writers = await writing(broker);
  const pipelines = await piping(broker, redis.url);
  const reads = ratio(readers);
  const writes = ratio(writers);
  const perSecond = (label: string) => rateOf(readers, label);
  const atOneSecond = pipelines.filter(({ label }) => label.includes('1s') || label.startsWith('kafkajs'));
  return {
    title: 'Kafka',
    method:
      `Each figure is of a fresh process, with the broker (its own JVM) on the same machine; they take turns. Reading: ${million.toLocaleString('en')} ` +
      'records with values of 100 bytes in 4 partitions, from the first record to the last, to nothing; kafkajs with `eachBatch`. Writing: 500,000 such ' +
      'records from memory, idempotent; kafkajs with awaited `send`s of 1,000 messages. Pipeline: values of JSON are parsed, counted by key and written to ' +
      'another topic with the counts in Redis; kafkajs in a bare loop that keeps its counts in a `Map`, commits by itself and promises nothing.',
    tables: [table('Reading and writing', [...readers, ...writers]), table('Kafka to Kafka', pipelines)],
    targets: [
      {
        claim: 'source to nothing: at least 1 M records/s, and 4 times kafkajs',
        measured: `${(perSecond('read: tidemark') / million).toFixed(2)} M/s, ${reads.toFixed(1)} times`,
        isMet: perSecond('read: tidemark') >= million && reads >= 4,
      },
      {
        claim: 'sink from memory: at least 5 times kafkajs',
        measured: `${writes.toFixed(1)} times`,
        isMet: writes >= 5,
      },
      ...sizes.flatMap(size =>
        guarantees.map(guarantee => {
          const ours = rateOf(atOneSecond, `${guarantee}, 1s, ${size} B`);
          const theirs = rateOf(atOneSecond, `kafkajs loop, ${size} B`);
          return {
            claim: `Kafka to Kafka, ${guarantee} at 1 s, ${size} B: at least 3 times the kafkajs loop`,
            measured: `${(ours / theirs).toFixed(1)} times`,
            isMet: ours / theirs >= 3,
          };
        }),
      ),
    ],
    figures: { readers, writers, pipelines },
  };
}

async function reading(broker: KafkaServer): Promise<Measured[]> {
  const topic = await newTopic(broker, 'read');
  await inFreshProcess(scripts.write, ['tidemark', broker.brokers, topic, `${million}`, '100']);
  return await inTurns(rounds, ['tidemark', 'kafkajs'], client => ({
    label: `read: ${client}`,
    run: () => inFreshProcess<Rate>(scripts.read, [client, broker.brokers, topic, `${million}`]),
  }));
}

async function writing(broker: KafkaServer): Promise<Measured[]> {
  return await inTurns(rounds, ['tidemark', 'kafkajs'], client => ({
    label: `write: ${client}`,
    run: async () => {
      const topic = await newTopic(broker, 'write');
      return await inFreshProcess<Rate>(scripts.write, [client, broker.brokers, topic, '500000', '100']);
    },
  }));
}

async function piping(broker: KafkaServer, redis: string): Promise<Measured[]> {
  const all: Measured[] = [];
  for (const size of sizes) {
    const input = await newTopic(broker, 'input');
    const records = pipelineRecords[size];
    await inFreshProcess(scripts.write, ['tidemark', broker.brokers, input, `${records}`, `${size}`]);
    const variants = [
      { client: 'kafkajs', guarantee: 'at-least-once', interval: '', label: `kafkajs loop, ${size} B` },
      ...guarantees.flatMap(guarantee =>
        intervals.map(interval => ({
          client: 'tidemark',
          guarantee,
          interval,
          label: `${guarantee}, ${interval}, ${size} B`,
        })),
      ),
    ];
    all.push(
      ...(await inTurns(pipelineRounds, variants, ({ client, guarantee, interval, label }) => ({
        label,
        run: async () => {
          const output = await newTopic(broker, 'output');
          const args = [client, broker.brokers, input, output, `${records}`, guarantee, interval, redis];
          return await inFreshProcess<Rate>(scripts.pipeline, args);
        },
      }))),
    );
  }
  return all;
}

async function inTurns<V>(
  times: number,
  variants: readonly V[],
  of: (variant: V) => { readonly label: string; run(): Promise<Rate> },
): Promise<Measured[]> {
  const all = variants.map(variant => ({ ...of(variant), rates: [] as Rate[] }));
  for (let round = 0; round < times; round++) {
    for (const { label, run, rates } of all) {
      const rate = await run();
      console.error(`  ${label}: ${thousands(rate.recordsPerSecond)} thousand records/s`);
      rates.push(rate);
    }
  }
  return all.map(({ label, rates }) => ({ label, rates }));
}

async function newTopic(broker: KafkaServer, name: string): Promise<string> {
  const topic = `${name}-${randomUUID()}`;
  const admin = new Kafka({ brokers: [broker.brokers], logLevel: logLevel.ERROR }).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: true });
  await admin.disconnect();
  return topic;
}

function rateOf(measured: readonly Measured[], label: string): number {
  return median(measured.find(one => one.label === label)?.rates.map(rate => rate.recordsPerSecond) ?? []);
}

/** Of the first to the second. */
function ratio([ours, theirs]: readonly Measured[]): number {
  const rate = (one: Measured | undefined) => median(one?.rates.map(({ recordsPerSecond }) => recordsPerSecond) ?? []);
  return rate(ours) / rate(theirs);
}

function table(title: string, measured: readonly Measured[]) {
  return {
    head: [`${title}: thousand records/s`, 'by the clock', 'range', 'by processor time of the process'],
    rows: measured.map(({ label, rates }) => {
      const clock = summary(rates.map(rate => rate.recordsPerSecond));
      const cpu = summary(rates.map(rate => rate.recordsPerCpuSecond));
      return [
        label,
        thousands(clock.median),
        `${thousands(clock.min)} to ${thousands(clock.max)}`,
        thousands(cpu.median),
      ];
    }),
  };
}

const thousands = (perSecond: number): string => (perSecond / 1_000).toFixed(0);
