// What `npm run load:flights` runs: puts the flights into a topic, keyed by origin. A topic that holds records is left as it
// is, unless more of the same are asked for.
//   npm run load:flights -- --topic flights --again
import { parseArgs } from 'node:util';
import { tap } from 'rxjs';
import { from, job, type Logger, memoryStore, start, TidemarkError } from 'tidemark';
import { jsonArray } from 'tidemark/connectors/file';
import { bytes, json, kafkaSink, kafkaSource } from 'tidemark/connectors/kafka';
import { keyBy, to } from 'tidemark/operators';
import type { Flight } from './delays.ts';
import { flightsFile } from './flights-file.ts';

const { topic, again } = parseArgs({
  options: { topic: { type: 'string', default: 'flights' }, again: { type: 'boolean', default: false } },
}).values;

/** Only warnings: the rest is said below. */
const logger: Logger = {
  debug() {},
  info() {},
  warn: (_, message) => console.error(message),
  error() {},
  child: () => logger,
};
const settings = () => ({ store: memoryStore(), logger, restart: { strategy: 'none' } as const });

/** How many records the topic holds; none when it is not there. */
async function recordsIn(topic: string): Promise<number> {
  let records = 0;
  const count = job('count-flights', () =>
    from(kafkaSource({ topic, value: bytes(), start: 'earliest', stop: 'latest', commitOffsets: false })).pipe(
      tap(() => records++),
    ),
  );
  try {
    await start(count, settings()).done;
  } catch (error) {
    if (!(error instanceof TidemarkError) || error.code !== 'KAFKA_TOPIC') throw error;
  }
  return records;
}

const load = job('load-flights', () =>
  from(jsonArray<Flight>({ path: flightsFile() })).pipe(
    keyBy(flight => flight.origin),
    to(
      kafkaSink<Flight>({
        topic,
        value: json<Flight>(),
        guarantee: 'at-least-once',
        missingTopics: { partitions: 4 },
      }),
    ),
  ),
);

try {
  const before = await recordsIn(topic);
  if (before > 0 && !again) {
    console.error(
      `Nothing was loaded: the topic "${topic}" holds ${before.toLocaleString('en')} records. With --again the flights come ` +
        'once more, and each counts twice.',
    );
  } else {
    const startedAt = performance.now();
    await start(load, settings()).done;
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    const loaded = (await recordsIn(topic)) - before;
    console.log(`${loaded.toLocaleString('en')} flights were put into the topic "${topic}", in ${seconds} s`);
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
