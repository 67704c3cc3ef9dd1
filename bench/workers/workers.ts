import { startKafka } from '../../tools/services/kafka/kafka.ts';
import { startRedis } from '../../tools/services/redis.ts';
import type { Findings } from '../harness/result.ts';
import { percentile, summary } from '../harness/statistics.ts';
import { type Pace, paceOf } from './pace.ts';
import { type Pauses, pausesOf } from './pauses.ts';
import { keys, type TakeOver, takeOvers } from './take-over.ts';
import { fill, newTopic } from './topic.ts';

const partitions = 8;
const recordsOfPartition = 120_000;
const records = partitions * recordsOfPartition;
const paceRounds = 3;
const takeOverRounds = 1;
const pauseRounds = 10;
const busy = 100;
/** A count is so much faster that the records would not last longer. */
const [windowMs, countWindowMs] = [5_000, 1_500];

interface Variant {
  readonly label: string;
  readonly processes: number;
  readonly tasks: 'single' | 'per-partition';
  readonly work: number;
}

const variants = {
  one: { label: 'work: one process, 8 tasks', processes: 1, tasks: 'per-partition', work: busy },
  two: { label: 'work: two processes, 4 tasks each', processes: 2, tasks: 'per-partition', work: busy },
  single: { label: 'a count: one task', processes: 1, tasks: 'single', work: 0 },
  spread: { label: 'a count: one process, 8 tasks', processes: 1, tasks: 'per-partition', work: 0 },
} as const satisfies Record<string, Variant>;

type Paces = Record<keyof typeof variants, Pace[]>;

/** What two processes do against one, and what those that share tasks feel when one goes or comes. */
export async function workers(): Promise<Findings> {
  await using kafka = await startKafka();
  await using redis = await startRedis();
  const paces = await inTurns(kafka.brokers, redis.url);
  const pauses = await pausesOf(kafka.brokers, redis.url, pauseRounds);
  console.error(`  pauses: ${JSON.stringify(pauses)}`);
  const taken = await takeOvers(kafka.brokers, redis.url, takeOverRounds);
  const medianOf = (name: keyof Paces, of: (pace: Pace) => number) => summary(paces[name].map(of)).median;
  const faster = medianOf('two', perSecond) / medianOf('one', perSecond);
  const perCpu = medianOf('two', perCpuSecond) / medianOf('one', perCpuSecond);
  const spread = medianOf('spread', perCpuSecond) / medianOf('single', perCpuSecond);
  const slowest = Math.max(...taken.map(({ assignedToRunningMs }) => assignedToRunningMs));
  const p99 = percentile(pauses.changed, 0.99);
  return {
    title: 'Two processes, and one of them that goes',
    method:
      'Real processes of one job over a broker and a Redis (append-only file, synced) of the same machine, at least once, a checkpoint a second. ' +
      `Pace: ${records.toLocaleString('en')} records of 100 B were there before, in ${partitions} partitions and with 10,000 keys; after a warm-up all ` +
      `processes are watched for ${windowMs / 1_000} s (a count: ${countWindowMs / 1_000} s) while there is more to read than they can; ${paceRounds} times in turns. Processor time is that of ` +
      `the processes of the job, broker and Redis excluded. Work is a hash over and over, a count is a count by key. Take-over: ${keys.toLocaleString('en')} ` +
      'keys in 8 tasks; the process with half of them gets the signal. Pauses: 3,200 records a second asked for; a third process, loaded before, joins ' +
      'and leaves; the longest time between two records of each task that stays, around each change.',
    tables: [paceTable(paces), costTable(paces), takeOverTable(taken), pauseTable(pauses)],
    targets: [
      {
        claim: 'two processes: at least 1.7 times the records/s of one, or the same by processor time, within 10 %',
        measured: `${faster.toFixed(2)} times; by processor time ${perCpu.toFixed(2)} times`,
        isMet: faster >= 1.7 || Math.abs(perCpu - 1) <= 0.1,
      },
      {
        claim: 'eight tasks in one process: at least 0.8 times the records of one task by processor time',
        measured: `${spread.toFixed(2)} times`,
        isMet: spread >= 0.8,
      },
      {
        claim: 'a million keys from Redis: all tasks run less than 5 s after they were assigned',
        measured: `${(slowest / 1_000).toFixed(2)} s at most`,
        isMet: slowest < 5_000,
      },
      {
        claim: 'a change of processes: tasks that stay pause for less than 200 ms (p99)',
        measured: `${p99.toFixed(0)} ms; without a change ${percentile(pauses.unchanged, 0.99).toFixed(0)} ms`,
        isMet: p99 < 200,
      },
    ],
    figures: { paces, taken, pauses },
  };
}

const perSecond = ({ recordsPerSecond }: Pace): number => recordsPerSecond;
const perCpuSecond = ({ recordsPerCpuSecond }: Pace): number => recordsPerCpuSecond;

async function inTurns(brokers: string, redis: string): Promise<Paces> {
  const topic = 'pace';
  await newTopic(brokers, topic, partitions);
  const rest = 'x'.repeat(70);
  await fill(
    brokers,
    topic,
    partitions,
    recordsOfPartition,
    (p, n) => `{"key":"key-${p}-${n % 1_250}","rest":"${rest}"}`,
  );
  const paces: Paces = { one: [], two: [], single: [], spread: [] };
  for (let round = 0; round < paceRounds; round++) {
    for (const [name, variant] of Object.entries(variants) as [keyof Paces, Variant][]) {
      const { processes, tasks, work, label } = variant;
      const options = { brokers, redis, topic, tasks, work, interval: '1s' };
      const pace = await paceOf(
        processes,
        options,
        tasks === 'single' ? 1 : partitions,
        records,
        work > 0 ? windowMs : countWindowMs,
      );
      console.error(`  ${label}: ${JSON.stringify(pace)}`);
      paces[name].push(pace);
    }
  }
  return paces;
}

const names = Object.keys(variants) as (keyof Paces)[];

function paceTable(paces: Paces) {
  return {
    head: [
      'thousand records',
      'a second',
      'range',
      'a second of processor time',
      'range',
      'processor seconds a second',
    ],
    rows: names.map(name => {
      const [clock, cpu] = [summary(paces[name].map(perSecond)), summary(paces[name].map(perCpuSecond))];
      const used = summary(paces[name].map(({ cpuSecondsPerSecond }) => cpuSecondsPerSecond));
      return [
        ...[variants[name].label, thousands(clock.median), `${thousands(clock.min)} to ${thousands(clock.max)}`],
        ...[thousands(cpu.median), `${thousands(cpu.min)} to ${thousands(cpu.max)}`, used.median.toFixed(2)],
      ];
    }),
  };
}

function costTable(paces: Paces) {
  const columns = ['kafkaConnections', 'redisConnections', 'fetchesPerSecond', 'kafkaRequestsPerSecond'] as const;
  return {
    head: ['all processes', 'connections to Kafka', 'to Redis', 'fetches/s', 'requests to Kafka/s', 'checkpoints/s'],
    rows: names.map(name => [
      variants[name].label,
      ...columns.map(column => summary(paces[name].map(pace => pace[column])).median.toFixed(0)),
      summary(paces[name].map(({ checkpointsPerSecond }) => checkpointsPerSecond)).median.toFixed(1),
    ]),
  };
}

function takeOverTable(taken: readonly TakeOver[]) {
  return {
    head: [
      'median (and longest), s',
      'keys',
      'from assigned to running',
      'of one task',
      'from the signal or start to running',
    ],
    rows: [...Map.groupBy(taken, ({ why }) => why)].map(([why, all]) => {
      const text = (of: (one: TakeOver) => number) => {
        const { median, max } = summary(all.map(of));
        return `${(median / 1_000).toFixed(2)} (${(max / 1_000).toFixed(2)})`;
      };
      return [
        ...[why, (all[0]?.keys ?? 0).toLocaleString('en'), text(one => one.assignedToRunningMs)],
        ...[text(one => one.slowestTaskMs), text(one => one.wholeMs)],
      ];
    }),
  };
}

function pauseTable({ changed, unchanged, changes }: Pauses) {
  const rowOf = (label: string, all: readonly number[]) => [
    ...[label, `${all.length}`],
    ...[0.5, 0.9, 0.99, 1].map(p => percentile(all, p).toFixed(0)),
  ];
  return {
    head: ['longest pause of a task that stays, ms', 'pauses', 'p50', 'p90', 'p99', 'longest'],
    rows: [rowOf(`around ${changes} changes`, changed), rowOf('as long without a change', unchanged)],
  };
}

const thousands = (perSecond: number): string => (perSecond / 1_000).toFixed(1);
