// Kafka, JSON, a count by key, Kafka: pipeline.ts <tidemark|kafkajs> <brokers> <input> <output> <records> <guarantee> <interval> <redis>
import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { actor, type Duration, from, job, start, type } from 'tidemark';
import { json, kafkaSink, kafkaSource } from 'tidemark/connectors/kafka';
import { redisStore } from 'tidemark/connectors/redis';
import { keyBy, to } from 'tidemark/operators';
import '../../tools/services/kafka/without-timer-warning.ts';
import { quiet } from '../harness/quiet.ts';
import { type Parsed, type Rate, Stopwatch } from './load.ts';

const [client, brokers = '', input = '', output = '', count = '', guarantee = '', interval = '', redis = ''] =
  process.argv.slice(2);
const records = Number(count);

interface Counted {
  readonly key: string;
  readonly count: number;
  readonly rest: string;
}

async function withTidemark(): Promise<Rate> {
  const store = redisStore(redis);
  let stopwatch: Stopwatch | undefined;
  const source = kafkaSource({
    brokers,
    topic: input,
    value: {
      deserialize(bytes, view) {
        stopwatch ??= new Stopwatch();
        return format.deserialize(bytes, view);
      },
    },
    start: 'earliest',
    stop: 'latest',
  });
  const format = json<Parsed>();
  const sink = kafkaSink<Counted>({
    brokers,
    topic: output,
    key: ({ key }) => key,
    value: json(),
    guarantee: guarantee as 'none',
  });
  const definition = job(`pipeline-${randomUUID()}`, () =>
    from(source).pipe(
      keyBy(({ key }) => key),
      actor('count', {
        emits: type<Counted>(),
        update: 'return',
        initial: () => 0,
        receive(count, { key, rest }: Parsed, context) {
          context.emit({ key, count: count + 1, rest });
          return count + 1;
        },
      }),
      to(sink),
    ),
  );
  await start(definition, { store, checkpoint: { interval: interval as Duration }, logger: quiet }).done;
  const rate = stopwatch?.rate(records);
  await store.close();
  if (!rate) throw new Error('Nothing was read.');
  return rate;
}

const messagesOfSend = 1_000;

/** The bare loop: nothing is kept, nothing is exactly once. */
async function withKafkajs(): Promise<Rate> {
  const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.ERROR });
  const consumer = kafka.consumer({ groupId: `pipeline-${randomUUID()}`, maxBytes: 8 * 1024 * 1024 });
  const producer = kafka.producer({ idempotent: guarantee !== 'none' });
  const { promise: through, resolve, reject } = Promise.withResolvers<void>();
  consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
  const counts = new Map<string, number>();
  let stopwatch: Stopwatch | undefined;
  let seen = 0;
  await producer.connect();
  await consumer.connect();
  await consumer.subscribe({ topics: [input], fromBeginning: true });
  await consumer.run({
    partitionsConsumedConcurrently: 4,
    async eachBatch({ batch }) {
      stopwatch ??= new Stopwatch();
      const messages = batch.messages.map(({ value }) => {
        const { key, rest } = JSON.parse(`${value}`) as Parsed;
        const count = (counts.get(key) ?? 0) + 1;
        counts.set(key, count);
        return { key, value: JSON.stringify({ key, count, rest }) };
      });
      // What one `send` has for a partition is one batch, which a broker takes up to 1 MiB.
      for (let at = 0; at < messages.length; at += messagesOfSend) {
        await producer.send({ topic: output, messages: messages.slice(at, at + messagesOfSend) });
      }
      seen += messages.length;
      if (seen >= records) resolve();
    },
  });
  await through;
  const rate = stopwatch?.rate(records);
  await consumer.disconnect();
  await producer.disconnect();
  if (!rate) throw new Error('Nothing was read.');
  return rate;
}

const rate = await (client === 'kafkajs' ? withKafkajs() : withTidemark());
console.log(JSON.stringify(rate));
process.exit(0);
