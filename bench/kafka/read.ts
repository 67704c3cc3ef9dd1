// Reads a topic to its end and answers how fast: read.ts <tidemark|kafkajs> <brokers> <topic> <records>
import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { filter } from 'rxjs';
import { from, job, start } from 'tidemark';
import { bytes, kafkaSource } from 'tidemark/connectors/kafka';
import { memoryStore } from 'tidemark/connectors/memory';
import '../../tools/services/kafka/without-timer-warning.ts';
import { quiet } from '../harness/quiet.ts';
import { Stopwatch } from './load.ts';

const [client, brokers = '', topic = '', count = ''] = process.argv.slice(2);
const records = Number(count);
/** Runs from the first record on: connecting is not what is measured. */
let stopwatch: Stopwatch | undefined;
let seen = 0;

async function withTidemark(): Promise<void> {
  const source = kafkaSource({
    brokers,
    topic,
    value: bytes(),
    start: 'earliest',
    stop: 'latest',
    commitOffsets: false,
  });
  const toNothing = filter<unknown>(() => {
    stopwatch ??= new Stopwatch();
    seen++;
    return false;
  });
  const definition = job(`read-${randomUUID()}`, () => from(source).pipe(toNothing));
  await start(definition, { store: memoryStore(), checkpoint: { interval: '1s' }, logger: quiet }).done;
}

async function withKafkajs(): Promise<void> {
  const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.ERROR });
  const consumer = kafka.consumer({ groupId: `read-${randomUUID()}`, maxBytes: 8 * 1024 * 1024 });
  const { promise: through, resolve, reject } = Promise.withResolvers<void>();
  consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    async eachBatch({ batch }) {
      stopwatch ??= new Stopwatch();
      seen += batch.messages.length;
      if (seen >= records) resolve();
    },
  });
  await through;
  rate = stopwatch?.rate(seen);
  await consumer.disconnect();
}

let rate: ReturnType<Stopwatch['rate']> | undefined;
if (client === 'kafkajs') await withKafkajs();
else await withTidemark();
rate ??= stopwatch?.rate(seen);
if (seen !== records) throw new Error(`${seen} records instead of ${records}`);
console.log(JSON.stringify(rate));
