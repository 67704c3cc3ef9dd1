// What `npm run load:nexmark` runs: fills a topic of 4 partitions with generated events. Each run adds as many again.
//   npm run load:nexmark -- --topic nexmark --events 100000 --seed 1 --eventsPerSecond 1000 --disorder 2s
import { parseArgs } from 'node:util';
import { from, job } from 'tidemark';
import { json, kafkaSink } from 'tidemark/connectors/kafka';
import { to } from 'tidemark/operators';
import { z } from 'zod';
import { load } from '../loading.ts';
import { generatorFields } from './parameters.ts';
import { nexmarkSource } from './source.ts';

const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: { topic: text, events: text, seed: text, eventsPerSecond: text, disorder: text },
});
const given = z.strictObject({ ...generatorFields, topic: z.string().default('nexmark') }).safeParse(values);
if (given.success) {
  const { topic, events, seed, eventsPerSecond, disorder } = given.data;
  const sink = kafkaSink<object>({
    topic,
    value: json<object>(),
    // The events are of 2015: with their own times, Kafka would delete them as older than the topic's retention.
    timestamp: () => Date.now(),
    guarantee: 'at-least-once',
    // One partition after another gets a batch: small ones, so that all partitions hold events of about the same time.
    batchBytes: 16 * 1024,
    missingTopics: { partitions: 4 },
  });
  await load(
    job('load-nexmark', () =>
      from(nexmarkSource({ events, seed, eventsPerSecond, disorderMs: Math.round(disorder) })).pipe(to(sink)),
    ),
    `${events.toLocaleString('en')} events in topic "${topic}"`,
  );
} else {
  for (const { path, message } of given.error.issues) console.error(`--${path.join('.')}: ${message}`);
  process.exitCode = 2;
}
