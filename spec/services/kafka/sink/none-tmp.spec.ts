import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { json, kafkaSink } from '../../../../connectors/kafka/index.ts';
import { memorySource } from '../../../../connectors/memory/index.ts';
import { from, job, memoryStore, start } from '../../../../lib/index.ts';
import { to } from '../../../../operators/index.ts';
import { quiet } from '../../../job/quiet.ts';
import { contentOf } from '../harness/topic-content.ts';
it.each([1, 10, 100, 1000, 20_000, 200_000])('%i', async count => {
  const topic = `none-${randomUUID().slice(0, 8)}`;
  const brokers = process.env.KAFKA_BROKERS as string;
  const sink = kafkaSink<number>({ brokers, topic, value: json<number>(), missingTopics: { partitions: 2 }, guarantee: 'none' });
  const handle = start(job(topic, () => from(memorySource(Array.from({ length: count }, (_, i) => i))).pipe(to(sink))), { store: memoryStore(), logger: quiet });
  expect(await handle.done).toBe('finished');
  expect((await contentOf(brokers, topic)).length).toBe(count);
});
