// The connections of one process with so many tasks: connections.ts <brokers> <redis> <tasks>
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { from, job, start } from 'tidemark';
import { json, kafkaSource } from 'tidemark/connectors/kafka';
import { redisStore } from 'tidemark/connectors/redis';
import { keyBy, scan, to } from 'tidemark/operators';
import '../../tools/services/kafka/without-timer-warning.ts';
import { quiet } from '../harness/quiet.ts';
import { connectionsTo } from '../harness/sockets.ts';
import { kafkaOf, newTopic } from '../workers/topic.ts';
import { type Payment, paymentsTo } from './payments.ts';

export interface ConnectionsResult {
  readonly kafka: number;
  readonly redis: number;
}

const [brokers = '', redis = '', count = '1'] = process.argv.slice(2);
const tasks = Number(count);
const name = `connections-${randomUUID()}`;
/** What clients open at the start and let go of again does not count. */
const checkpointsOfEachTask = 5;

await newTopic(brokers, `${name}-in`, tasks);
await newTopic(brokers, `${name}-out`, tasks);
const store = redisStore(redis);
const handle = await start(
  job(name, () =>
    from(kafkaSource({ brokers, topic: `${name}-in`, value: json<Payment>(), partitionOf: 'unknown' })).pipe(
      keyBy(({ key }: Payment) => key),
      scan('total', (sum, { key, cents }: Payment) => ({ key, cents: sum.cents + cents }), { key: '', cents: 0 }),
      to(paymentsTo(brokers, `${name}-out`)),
    ),
  ),
  { store, tasks: 'per-partition', checkpoint: { interval: '500ms' }, logger: quiet },
);
const committed = new Map<string, number>();
handle.checkpoints$.subscribe(({ task, outcome }) => {
  if (outcome === 'committed') committed.set(task ?? '', (committed.get(task ?? '') ?? 0) + 1);
});
const producer = kafkaOf(brokers).producer();
await producer.connect();
const isSettled = () => committed.size === tasks && Math.min(...committed.values()) >= checkpointsOfEachTask;
for (let sent = 0; !isSettled(); sent++) {
  const messages = Array.from({ length: tasks }, (_, partition) => {
    const key = `card-${partition}`;
    return { partition, key, value: JSON.stringify({ key, cents: sent }) };
  });
  await producer.send({ topic: `${name}-in`, messages });
  await setTimeout(20);
}
await producer.disconnect();
const result: ConnectionsResult = { kafka: connectionsTo(brokers), redis: connectionsTo(redis) };
console.log(JSON.stringify(result));
process.exit(0);
