import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { freePort } from '../../../../tools/services/free-port.ts';
import { type KafkaServer, startKafka } from '../../../../tools/services/kafka/kafka.ts';

/** A cluster of a broker that is also its controller (node 1), and another broker (node 2). */
export interface TwoBrokers extends AsyncDisposable {
  readonly brokers: string;
  readonly nodes: readonly [KafkaServer, KafkaServer];
  /** Makes a topic whose partitions all lie on one node. */
  newTopic(topic: string, partitions: number, node: number): Promise<void>;
  /** Moves partitions to another node; resolves when it leads them. */
  move(topic: string, partitions: readonly number[], to: number): Promise<void>;
}

/** Needs a Kafka that runs on this machine itself: brokers in containers would not find each other. */
export async function startTwoBrokers(): Promise<TwoBrokers> {
  const dir = mkdtempSync(path.join(tmpdir(), 'tidemark-two-brokers-'));
  const [controller, port1, port2] = [await freePort(), await freePort(), await freePort()];
  const voters = { 'controller.quorum.voters': `1@127.0.0.1:${controller}` };
  const first = await startKafka({
    dir: path.join(dir, '1'),
    port: port1,
    settings: { ...voters, listeners: `PLAINTEXT://127.0.0.1:${port1},CONTROLLER://127.0.0.1:${controller}` },
  });
  const second = await startKafka({
    dir: path.join(dir, '2'),
    port: port2,
    settings: {
      ...voters,
      'process.roles': 'broker',
      'node.id': '2',
      listeners: `PLAINTEXT://127.0.0.1:${port2}`,
    },
  }).catch(async error => {
    await first.stop();
    throw error;
  });
  const brokers = `${first.brokers},${second.brokers}`;
  const admin = new Kafka({ clientId: 'two-brokers', brokers: brokers.split(','), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const leaders = async (topic: string) => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return new Map(topics[0]?.partitions.map(({ partitionId, leader }) => [partitionId, leader]));
  };
  return {
    brokers,
    nodes: [first, second],
    async newTopic(topic, partitions, node) {
      const replicaAssignment = Array.from({ length: partitions }, (_, partition) => ({ partition, replicas: [node] }));
      await admin.createTopics({ topics: [{ topic, replicaAssignment }], waitForLeaders: true });
    },
    async move(topic, partitions, to) {
      const partitionAssignment = partitions.map(partition => ({ partition, replicas: [to] }));
      await admin.alterPartitionReassignments({ topics: [{ topic, partitionAssignment }] });
      for (;;) {
        const leading = await leaders(topic);
        if (partitions.every(partition => leading.get(partition) === to)) return;
      }
    },
    async [Symbol.asyncDispose]() {
      await admin.disconnect();
      // The one that is not the controller first: it says good-bye to it.
      await second.stop();
      await first.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
