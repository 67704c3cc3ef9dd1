import { afterAll, beforeAll } from 'vitest';
import { string } from '../../../../connectors/kafka/format/string.ts';
import { kafkaSource } from '../../../../connectors/kafka/source/source.ts';
import { sourceContract } from '../../../contract/source.contract.ts';
import { SourceCluster } from './source-cluster.ts';

const cluster = new SourceCluster();
beforeAll(() => cluster.connect());
afterAll(() => cluster.close());

const values = Array.from({ length: 3_000 }, (_, i) => `value ${i}`);

async function filled(): Promise<string> {
  const topic = await cluster.topic();
  for (let i = 0; i < values.length; i += 250) await cluster.write(topic, 0, values.slice(i, i + 250));
  return topic;
}

sourceContract('a Kafka topic that is read to its end', async () => {
  const topic = await filled();
  return {
    source: () => kafkaSource({ topic, value: string(), start: 'earliest', stop: 'latest', maxWait: 20 }),
    expected: values,
  };
});

sourceContract('a Kafka topic that is read for ever', async () => {
  const topic = await filled();
  return { source: () => kafkaSource({ topic, value: string(), start: 'earliest', maxWait: 20 }), expected: values };
});
