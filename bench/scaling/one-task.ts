// What a checkpoint of one task asks of Redis and Kafka: one-task.ts <brokers> <redis> <operators> <keys> <changed> <partitions>
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { actor, from, job, start, type } from 'tidemark';
import { json, kafkaSource } from 'tidemark/connectors/kafka';
import { redisStore } from 'tidemark/connectors/redis';
import { keyBy, to } from 'tidemark/operators';
import '../../tools/services/kafka/without-timer-warning.ts';
import { quiet } from '../harness/quiet.ts';
import { type Payment, paymentsTo } from './payments.ts';

const [brokers = '', redis = '', ...numbers] = process.argv.slice(2);
const [operators = 1, keys = 1_000, changed = 100, partitions = 1] = numbers.map(Number);
const name = `one-task-${randomUUID()}`;
const checkpoints = 10;

export interface OneTaskResult {
  /** For one checkpoint: what the client asks Redis. */
  readonly redisCalls: number;
  readonly redisCallsByName: Readonly<Record<string, number>>;
  readonly bytes: number;
  readonly entries: number;
  /** Ends of transactions in the output, for one checkpoint. */
  readonly markers: number;
}

const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.ERROR });
const admin = kafka.admin();
const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
await admin.connect();
await producer.connect();
await admin.createTopics({
  topics: [
    { topic: `${name}-in`, numPartitions: 1 },
    { topic: `${name}-out`, numPartitions: partitions },
  ],
});

let sent = 0;
async function feed(count: number): Promise<void> {
  const messages = Array.from({ length: count }, () => {
    const key = `card-${sent++ % keys}`;
    return { key, value: JSON.stringify({ key, cents: sent }) };
  });
  for (let at = 0; at < count; at += 5_000) {
    await producer.send({ topic: `${name}-in`, messages: messages.slice(at, at + 5_000) });
  }
}

const total = (which: number) =>
  actor(`total-${which}`, {
    emits: type<Payment>(),
    initial: () => ({ count: 0, cents: 0 }),
    receive(state, value: Payment, context) {
      state.count++;
      state.cents += value.cents;
      context.emit(value);
    },
  });

await feed(keys);
const store = redisStore(redis);
const handle = start(
  job(name, () => {
    let stream = from(kafkaSource({ brokers, topic: `${name}-in`, value: json<Payment>(), start: 'earliest' })).pipe(
      keyBy(({ key }: Payment) => key),
    );
    for (let i = 0; i < operators; i++) stream = stream.pipe(total(i));
    return stream.pipe(to(paymentsTo(brokers, `${name}-out`)));
  }),
  { store, checkpoint: { interval: '1s' }, logger: quiet },
);
const running = await handle;
const seen: { bytes: number; entries: number }[] = [];
running.checkpoints$.subscribe(({ outcome, bytes, entries }) => {
  if (outcome === 'committed') seen.push({ bytes, entries });
});
const until = async (isSo: () => boolean | Promise<boolean>) => {
  while (!(await isSo())) await setTimeout(20);
};
let read = 0;
running.status$.subscribe(({ records }) => {
  read = records.in;
});
await until(() => read >= keys && seen.length > 0);
await setTimeout(2_500);

const info = new Redis(redis);
const before = { calls: await callsOf(info), records: await endOf(), made: seen.length };
let fed = 0;
while (seen.length < before.made + checkpoints) {
  const { length } = seen;
  await feed(changed);
  fed += changed;
  await until(() => seen.length > length);
}
await setTimeout(2_500);
const after = { calls: await callsOf(info), records: await endOf() };
const made = seen.length - before.made;
const redisCallsByName = Object.fromEntries(
  Object.entries(after.calls)
    .map(([call, count]) => [call, (count - (before.calls[call] ?? 0)) / made] as const)
    .filter(([, count]) => count > 0),
);
const result: OneTaskResult = {
  redisCalls: Object.values(redisCallsByName).reduce((sum, count) => sum + count, 0),
  redisCallsByName,
  bytes: Math.max(...seen.slice(before.made).map(({ bytes }) => bytes)),
  entries: Math.max(...seen.slice(before.made).map(({ entries }) => entries)),
  markers: (after.records - before.records - fed) / made,
};
console.log(JSON.stringify(result));
process.exit(0);

/** What clients asked for, without what scripts do inside. */
async function callsOf(client: Redis): Promise<Record<string, number>> {
  const text = await client.info('commandstats');
  const calls = [...text.matchAll(/^cmdstat_(\w+):calls=(\d+)/gm)].map(
    ([, call, count]) => [call, Number(count)] as const,
  );
  return Object.fromEntries(calls.filter(([call]) => /^(evalsha|set|waitaof|wait)$/.test(call ?? '')));
}

async function endOf(): Promise<number> {
  const offsets = await admin.fetchTopicOffsets(`${name}-out`);
  return offsets.reduce((sum, { high }) => sum + Number(high), 0);
}
