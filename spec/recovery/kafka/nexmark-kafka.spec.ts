import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { AnswerFile } from '../harness/answer-file.ts';
import { Command, root } from '../harness/command.ts';
import { events, generated, killedQueries } from '../harness/nexmark.ts';
import { placeFor } from '../harness/places.ts';
import { printedSeed, randomFrom } from '../harness/random.ts';
import { SideBySide } from '../harness/side-by-side.ts';
import { AnswerTopic } from './harness/answer-topic.ts';
import { CommittedReader } from './harness/committed-reader.ts';

/** ms: many processes, on a machine that may have other things to do. */
const long = 300_000;
const topic = `nexmark-${randomUUID().slice(0, 8)}`;
const brokers = () => process.env.KAFKA_BROKERS ?? '';

beforeAll(async () => {
  const { count, seed, eventsPerSecond, disorderMs } = generated;
  const load = new Command([
    path.join(root, 'samples/nexmark/load.ts'),
    ...['--topic', topic, '--events', `${count}`, '--seed', `${seed}`],
    ...['--eventsPerSecond', `${eventsPerSecond}`, '--disorder', `${disorderMs}ms`],
  ]);
  expect(await load.exited, load.output).toEqual({ code: 0, signal: null });
});

describe('Nexmark on Kafka, with its state in Redis', () => {
  it('reads events that lie in four partitions, each in its own order', async () => {
    const loaded = await CommittedReader.all(brokers(), topic);
    expect(loaded.map(({ value }) => value).sort()).toEqual(events.map(event => JSON.stringify(event)).sort());
    expect(new Set(loaded.map(({ partition }) => partition)).size).toBe(4);
  });

  it('gives of nine queries in topics, and of one in a file, what plain loops give, through ten kills of each', {
    timeout: long,
  }, async () => {
    const { folder, store } = await placeFor('redis');
    const inTopics = Object.fromEntries(killedQueries.map(query => [`${topic}-${query}`, query]));
    const queries = new SideBySide({
      store,
      events: generated.count,
      answers: [
        ...(await AnswerTopic.all(brokers(), inTopics)),
        new AnswerFile('q7', `${topic}-q7-in-a-file`, folder, false),
      ],
      params: { source: 'kafka', topic, until: 'latest', disorder: `${generated.disorderMs}ms` },
    });
    const random = randomFrom(printedSeed('kills of Nexmark on Kafka'));
    await queries.killAtRandom(10, random);
    await queries.finish();
  });
});
