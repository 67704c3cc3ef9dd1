import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { kafkaSink, string } from '../../../../connectors/kafka/index.ts';
import { memorySource } from '../../../../connectors/memory/index.ts';
import { from, job, memoryStore, start } from '../../../../lib/index.ts';
import { to } from '../../../../operators/index.ts';
import { quiet } from '../../../job/quiet.ts';
import { contentOf } from '../harness/topic-content.ts';

it.each([1, 2, 3, 4, 5])(
  'a sink without acknowledgements loses nothing to the topic that it has just made (%d)',
  async () => {
    const brokers = process.env.KAFKA_BROKERS as string;
    const topic = `new-${randomUUID()}`;
    const values = Array.from({ length: 200 }, (_, n) => `value ${n}`);
    const sink = kafkaSink<string>({
      brokers,
      topic,
      value: string(),
      guarantee: 'none',
      acks: 'none',
      missingTopics: { partitions: 4 },
    });
    const writing = job(topic, () => from(memorySource(values)).pipe(to(sink)));
    expect(await start(writing, { store: memoryStore(), logger: quiet }).done).toBe('finished');
    await expect.poll(async () => (await contentOf(brokers, topic)).length, { timeout: 10_000 }).toBe(values.length);
  },
);
