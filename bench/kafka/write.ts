// Writes records of 100 B from memory and answers how fast: write.ts <tidemark|kafkajs> <brokers> <topic> <records> <bytes>
import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { from, job, start } from 'tidemark';
import { kafkaSink } from 'tidemark/connectors/kafka';
import { memoryStore } from 'tidemark/connectors/memory';
import { to } from 'tidemark/operators';
import '../../tools/services/kafka/without-timer-warning.ts';
import { quiet } from '../harness/quiet.ts';
import { record, Stopwatch } from './load.ts';
import { recordsSource } from './records-source.ts';

const [client, brokers = '', topic = '', count = '', size = ''] = process.argv.slice(2);
const messages = 1_000;
const batches = Array.from({ length: Number(count) / messages }, (_, batch) =>
  Array.from({ length: messages }, (_, i) => record(batch * messages + i, Number(size))),
);

async function withTidemark(): Promise<Stopwatch> {
  const { source, opened } = recordsSource(batches);
  type Outgoing = ReturnType<typeof record>;
  const sink = kafkaSink<Outgoing>({
    brokers,
    topic,
    key: ({ key }) => key,
    value: { serialize: ({ value }) => value },
    guarantee: 'at-least-once',
  });
  const definition = job(`write-${randomUUID()}`, () => from(source).pipe(to(sink)));
  const handle = start(definition, { store: memoryStore(), checkpoint: { interval: '1s' }, logger: quiet });
  const stopwatch = await opened;
  await handle.done;
  return stopwatch;
}

async function withKafkajs(): Promise<Stopwatch> {
  const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.ERROR });
  const producer = kafka.producer({ idempotent: true });
  await producer.connect();
  // Its metadata and its first batch are not what is measured.
  await producer.send({ topic, messages: [record(0, Number(size))] });
  const stopwatch = new Stopwatch();
  for (const batch of batches) await producer.send({ topic, messages: batch });
  const rate = stopwatch.rate(Number(count));
  await producer.disconnect();
  console.log(JSON.stringify(rate));
  process.exit(0);
}

if (client === 'kafkajs') await withKafkajs();
const stopwatch = await withTidemark();
console.log(JSON.stringify(stopwatch.rate(Number(count))));
