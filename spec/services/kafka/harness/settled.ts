import { expect } from 'vitest';
import { kafkaClient } from '../../../../connectors/kafka/client/kafkajs/kafka-client.ts';
import type { Isolation, KafkaClient } from '../../../../connectors/kafka/client/port.ts';
import { quiet } from '../../../job/quiet.ts';
import { contentOf, type ReadRecord } from './topic-content.ts';

const limit = { timeout: 30_000, interval: 50 };

/**
 * Resolves when the markers of all transactions that had written to the topic are there. A transaction is decided before: what is read
 * until then may lack some of it.
 */
export async function settled(brokers: string, topic: string): Promise<void> {
  await asking(brokers, async client => {
    const written = await endsOf(client, topic, 'read_uncommitted');
    const isSettled = async () => {
      const visible = await endsOf(client, topic, 'read_committed');
      return written.every((end, partition) => (visible[partition] ?? -1) >= end);
    };
    await expect.poll(isSettled, { ...limit, message: `a transaction is open in ${topic}` }).toBe(true);
  });
}

/** As `contentOf` of what is committed, with all that is decided. */
export async function settledContentOf(brokers: string, topic: string): Promise<ReadRecord[]> {
  await settled(brokers, topic);
  return contentOf(brokers, topic);
}

/** Resolves when no transaction holds an offset of a group for this partition any more. */
export async function settledOffset(brokers: string, group: string, topic: string, partition = 0): Promise<void> {
  await asking(brokers, async client => {
    const errorNow = async () => {
      const node = await client.coordinator('group', group);
      const { error, partitions } = await node.offsetFetch(group, [{ topic, partition }], true);
      return error === 'NONE' ? partitions[0]?.error : error;
    };
    await expect.poll(errorNow, { ...limit, message: `an offset of ${group} is under way` }).toBe('NONE');
  });
}

async function asking(brokers: string, ask: (client: KafkaClient) => Promise<void>): Promise<void> {
  const client = kafkaClient({ brokers }, quiet);
  try {
    await ask(client);
  } finally {
    await client.close();
  }
}

async function endsOf(client: KafkaClient, topic: string, isolation: Isolation): Promise<readonly number[]> {
  const [metadata] = await client.topics([topic]);
  return Promise.all(
    (metadata?.partitions ?? []).map(async ({ partition }) => {
      const of = { topic, partition };
      const [end] = (await (await client.leader(of))?.listOffsets([{ ...of, at: 'latest' }], isolation)) ?? [];
      return end?.offset ?? -1;
    }),
  );
}
