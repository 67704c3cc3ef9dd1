import { Kafka, logLevel } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { redisStore } from '../../connectors/redis/index.ts';
import { startRedis } from '../../tools/services/redis.ts';
import { documentsOf } from '../deploy/files.ts';

interface Service {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string | number>>;
}

const [compose] = documentsOf<{ services: Record<'kafka' | 'redis', Service> }>('compose.yaml');
const { kafka, redis } = (compose as NonNullable<typeof compose>).services;

describe('compose.yaml', () => {
  it('starts a Redis that the store has nothing to say about', async () => {
    const [program, ...args] = redis.command;
    expect(program).toBe('redis-server');
    await using server = await startRedis({ args });
    const store = redisStore(server.url);
    try {
      expect(await store.check()).toEqual([]);
    } finally {
      await store.close();
    }
  });

  it('gives Kafka settings that it has', async () => {
    const brokers = (process.env.KAFKA_BROKERS as string).split(',');
    const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    try {
      const { brokers: nodes } = await admin.describeCluster();
      const node = String(nodes[0]?.nodeId);
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: 4, name: node }],
      });
      const known = resources.flatMap(({ configEntries }) => configEntries.map(({ configName }) => configName));
      const given = Object.keys(kafka.environment).filter(name => name !== 'CLUSTER_ID');
      expect(given.length).toBeGreaterThan(10);
      for (const name of given) {
        expect(name).toMatch(/^KAFKA_[A-Z_]+$/);
        expect(known).toContain(name.slice('KAFKA_'.length).toLowerCase().replaceAll('_', '.'));
      }
    } finally {
      await admin.disconnect();
    }
  });
});
