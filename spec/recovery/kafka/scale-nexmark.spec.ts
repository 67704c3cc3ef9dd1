import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { Command, root, tidemark } from '../harness/command.ts';
import { generated } from '../harness/nexmark.ts';
import { placeFor } from '../harness/places.ts';
import { AnswerTopic } from './harness/answer-topic.ts';

/** ms: many processes, on a machine that may have other things to do. */
const long = 240_000;
const topic = `nexmark-${randomUUID().slice(0, 8)}`;
const { count, seed, eventsPerSecond, disorderMs } = generated;
const brokers = () => process.env.KAFKA_BROKERS ?? '';

beforeAll(async () => {
  const load = new Command([
    path.join(root, 'samples/nexmark/load.ts'),
    ...['--topic', topic, '--events', `${count}`, '--seed', `${seed}`],
    ...['--eventsPerSecond', `${eventsPerSecond}`, '--disorder', `${disorderMs}ms`],
  ]);
  expect(await load.exited, load.output).toEqual({ code: 0, signal: null });
});

it.each(['q5', 'q8'] as const)(
  '%s of Nexmark gives what plain loops give, as four tasks in three processes',
  { timeout: long },
  async query => {
    const { store } = await placeFor('redis');
    const [answer] = await AnswerTopic.all(brokers(), { [`${topic}-${query}`]: query });
    const set = { ...answer?.params, source: 'kafka', topic, until: 'latest', disorder: `${disorderMs}ms` };
    const processes = [1, 2, 3].map(() =>
      tidemark(
        [
          ...['run', path.join(root, 'spec/recovery/jobs/nexmark.ts'), '--store', store, '--tasks', 'per-partition'],
          ...Object.entries(set).flatMap(([name, value]) => ['--set', `${name}=${value}`]),
        ],
        { lifetimeMs: long, env: { KAFKA_BROKERS: brokers(), NEXMARK_NAME: `${topic}-${query}` } },
      ),
    );
    for (const one of processes) expect(await one.exited, one.output).toEqual({ code: 0, signal: null });
    await answer?.verify();
  },
);
