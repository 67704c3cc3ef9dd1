import { startKafka } from '../../tools/services/kafka/kafka.ts';
import { startRedis } from '../../tools/services/redis.ts';
import { inFreshProcess } from '../harness/fresh-process.ts';
import type { Findings } from '../harness/result.ts';
import type { ConnectionsResult } from './connections.ts';
import { costsOf, kafkaConnectionsOf, redisCallsOf } from './costs.ts';
import { type MoveResult, moves, unrest } from './moves.ts';
import type { OneTaskResult } from './one-task.ts';

const oneTask = new URL('./one-task.ts', import.meta.url);
const connections = new URL('./connections.ts', import.meta.url);
const seed = 7;
const sizes = [
  [64, 8],
  [256, 32],
  [1_000, 100],
] as const;
const changesMade = 200;
/** Operators, keys, keys that change between two checkpoints, partitions of the output. */
const tasksMeasured = [
  [1, 1_000, 100, 1],
  [3, 1_000, 100, 8],
  [3, 10_000, 1_000, 8],
] as const;
/** Tasks of one process whose connections are counted. */
const sharing = [1, 2, 8, 16] as const;
const intervalSeconds = 10;
const brokers = 3;

/** What grows with the number of tasks and processes. */
export async function scaling(): Promise<Findings> {
  const moved = sizes.flatMap(([tasks, members]) => moves(tasks, members, seed));
  const restless = unrest(1_000, 100, changesMade, seed);
  const { measured, connected } = await counted();
  const inOrder = moved.filter(({ change }) => /more|in order/.test(change));
  const longest = Math.max(...inOrder.map(({ medianStandstillMs }) => medianStandstillMs));
  const tooMany = moved.filter(result => result.moved > result.least);
  const called = measured.map(({ operators, result }) => [result.redisCalls, redisCallsOf(operators)] as const);
  const marked = measured.map(({ partitions, result }) => [result.markers, partitions] as const);
  return {
    title: 'What grows with tasks and processes',
    method:
      'First: the real steps of group members and the real assignment, against a model of Kafka’s group coordinator in virtual time, with ' +
      'the default options (session 15 s, heartbeat 1 s). A task takes up to 2 s to end with its last checkpoint. ' +
      `Second: one task on a real Kafka and a real Redis, counted over ${10} checkpoints. Third: the connections of one process. ` +
      `Fourth: what follows for whole jobs with 3 operators, a checkpoint every ${intervalSeconds} s, ${brokers} brokers, and results that go to one partition of a task.`,
    tables: [
      {
        head: [
          'tasks, processes',
          'change',
          'moved',
          'least',
          'rounds',
          'all run after, s',
          'a task stands still, median s',
          'longest',
          'requests',
          'log of the group, kB',
        ],
        rows: moved.map(rowOf),
      },
      {
        head: ['one task: operators', 'keys changed', 'calls of Redis', 'bytes', 'markers'],
        rows: measured.map(({ operators, changed, result }) => [
          ...[`${operators}`, `${changed}`, result.redisCalls.toFixed(1), `${result.bytes}`, result.markers.toFixed(1)],
        ]),
      },
      {
        head: ['one process: tasks', 'connections to a broker', 'to Redis'],
        rows: connected.map(({ tasks, result }) => [`${tasks}`, `${result.kafka}`, `${result.redis}`]),
      },
      {
        head: [
          'a job: tasks, processes',
          'markers/s without a shuffle',
          'with one',
          'with three',
          'calls of Redis/s',
          'connections to Kafka',
          'to Redis',
        ],
        rows: ([[16, 4], ...sizes] as const).map(([tasks, processes]) => {
          const size = { tasks, processes, operators: 3, outputPartitions: 1, intervalSeconds, brokers };
          const [none, one, three] = [0, 1, 3].map(shuffles => costsOf({ ...size, shuffles }));
          const markers = [none, one, three].map(costs =>
            Math.round(costs?.markersPerSecond ?? 0).toLocaleString('en'),
          );
          const { redisCallsPerSecond, kafkaConnections, redisConnections } = costsOf({ ...size, shuffles: 0 });
          return [
            `${tasks}, ${processes}`,
            ...markers,
            redisCallsPerSecond.toFixed(0),
            kafkaConnections.toLocaleString('en'),
            `${redisConnections}`,
          ];
        }),
      },
    ],
    targets: [
      {
        claim: 'no change moves more tasks than balance needs',
        measured:
          tooMany.length === 0
            ? `${moved.reduce((sum, result) => sum + result.moved, 0)} moves, all needed`
            : JSON.stringify(tooMany),
        isMet: tooMany.length === 0,
      },
      {
        claim: 'a task that moves in order stands still for less than a second (median)',
        measured: `${(longest / 1_000).toFixed(2)} s at most`,
        isMet: longest < 1_000,
      },
      {
        claim: `every task runs in the end after ${changesMade} changes at random of 100 processes, and nobody who stayed lost anything`,
        measured: `${(restless.settledMs / 1_000).toFixed(1)} s after the last one; ${restless.moved} tasks moved in ${restless.rounds} rounds; ${restless.lost} lost`,
        isMet: restless.settledMs > 0 && restless.lost === 0,
      },
      {
        claim: 'a checkpoint asks Redis 3 times, and 3 times more for each operator',
        measured: called.map(([calls, expected]) => `${calls.toFixed(1)} of ${expected}`).join(', '),
        isMet: called.every(([calls, expected]) => Math.abs(calls - expected) <= 0.5),
      },
      {
        claim: 'a transaction leaves one marker in each partition of the output that it touched',
        measured: marked.map(([markers, partitions]) => `${markers.toFixed(1)} of ${partitions}`).join(', '),
        isMet: marked.every(([markers, partitions]) => Math.abs(markers - partitions) <= 0.5),
      },
      {
        claim: 'a process has four connections to a broker and one more for each task, and one to Redis',
        measured: connected.map(({ tasks, result }) => `${tasks}: ${result.kafka} and ${result.redis}`).join(', '),
        isMet: connected.every(({ tasks, result }) => result.kafka === kafkaConnectionsOf(tasks) && result.redis === 1),
      },
    ],
    figures: { moved, restless, measured, connected },
  };
}

async function counted() {
  await using redis = await startRedis();
  await using kafka = await startKafka();
  const measured = [];
  for (const [operators, keys, changed, partitions] of tasksMeasured) {
    const args = [kafka.brokers, redis.url, ...[operators, keys, changed, partitions].map(String)];
    measured.push({ operators, keys, changed, partitions, result: await inFreshProcess<OneTaskResult>(oneTask, args) });
  }
  const connected = [];
  for (const tasks of sharing) {
    const args = [kafka.brokers, redis.url, `${tasks}`];
    connected.push({ tasks, result: await inFreshProcess<ConnectionsResult>(connections, args) });
  }
  return { measured, connected };
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(2);

const rowOf = (result: MoveResult): string[] => [
  ...[`${result.tasks}, ${result.members}`, result.change, `${result.moved}`, `${result.least}`, `${result.rounds}`],
  ...[seconds(result.settledMs), seconds(result.medianStandstillMs), seconds(result.longestStandstillMs)],
  ...[`${result.requests}`, (result.writtenBytes / 1_000).toFixed(0)],
];
