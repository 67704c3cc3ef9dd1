import { asyncScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { KafkaClient } from '../../../../connectors/kafka/client/port.ts';
import { KafkaCommitPoint } from '../../../../connectors/kafka/commit/kafka-commit-point.ts';
import { resolveSettings } from '../../../../lib/job/settings.ts';
import { SharedServices } from '../../../../lib/task/shared-services.ts';
import { quiet } from '../../../job/quiet.ts';

/** A cluster that says of itself what a spec wants. */
function cluster(over: Partial<KafkaClient> = {}) {
  const created: string[] = [];
  const there = new Set<string>();
  const client: Partial<KafkaClient> = {
    location: 'kafka://a:9092',
    connect: async () => {},
    supports: async () => 9,
    clusterId: async () => 'abc',
    setting: async () => '900000',
    topics: async names =>
      [...there]
        .filter(topic => names.includes(topic))
        .map(topic => ({ topic, isInternal: false, partitions: [{ topic, partition: 0, leader: 1, leaderEpoch: 0 }] })),
    createTopics: async topics => {
      for (const { topic, partitions } of topics) {
        created.push(`${topic}: ${partitions}`);
        there.add(topic);
      }
      return topics.map(({ topic }) => ({ topic, error: 'NONE' }));
    },
    ...over,
  };
  const point = new KafkaCommitPoint(
    { connection: {}, producer: {} },
    {
      job: 'totals',
      task: 'main',
      logger: quiet,
      scheduler: asyncScheduler,
      settings: resolveSettings({}, 'the spec').checkpoint,
      shared: new SharedServices(asyncScheduler, quiet).of,
      monotonicNow: () => performance.now(),
      checkpoint() {},
      error: error => {
        throw error;
      },
    },
    client as KafkaClient,
  );
  return { point, created, there };
}

describe('opening the commit point of Kafka', () => {
  it('makes the topic of commit records where it is missing, once, and says which cluster it is', async () => {
    const { point, created } = cluster();
    expect(await point.open()).toEqual({ kind: 'kafka', clusterId: 'abc', location: 'kafka://a:9092' });
    expect(await point.open()).toMatchObject({ clusterId: 'abc' });
    expect(created).toEqual(['tidemark.commits: 1']);
    expect(point.transaction?.timeoutMs).toBe(900_000);
    await point.close();
  });

  it('says what to do when it may not make the topic', async () => {
    const { point } = cluster({
      createTopics: async () => [{ topic: 'tidemark.commits', error: 'TOPIC_AUTHORIZATION_FAILED' }],
    });
    await expect(point.open()).rejects.toMatchObject({ code: 'KAFKA_SECURITY', retriable: false });
    await expect(point.open()).rejects.toThrow(/kafka-topics\.sh --create --topic tidemark\.commits --partitions 1/);
  });

  it('refuses brokers that cannot wait for transactions', async () => {
    await expect(cluster({ supports: async () => 6 }).point.open()).rejects.toThrow(
      /Kafka 2\.5 or newer.*OffsetFetch 6/,
    );
    await expect(cluster({ supports: async () => undefined }).point.open()).rejects.toMatchObject({
      code: 'UNSUPPORTED_VERSION',
    });
  });

  it('holds the settings of checkpoints against what the brokers allow, which may be a secret', async () => {
    await expect(cluster({ setting: async () => '60000' }).point.open()).rejects.toThrow(
      /transaction\.max\.timeout\.ms/,
    );
    const { point } = cluster({ setting: async () => undefined });
    await point.open();
    expect(point.transaction?.timeoutMs).toBe(900_000);
    expect(point.publishes({ cluster: 'abc', group: 'g', partitions: {} })).toBe(true);
    expect(point.publishes({ cluster: 'other', group: 'g', partitions: {} })).toBe(false);
    expect(point.publishes(null)).toBe(false);
  });
});
