import type { Isolation, KafkaClient, KafkaNode, OffsetQuery, TopicPartition } from '../client/port.ts';
import { KafkaAnswerError, KafkaSecurityError } from '../errors.ts';
import { verdictOn } from './fetch-failure.ts';
import { PartitionMap, partitionText } from './partitions.ts';
import { Passing, type Patience } from './patience.ts';

/** Asks the leaders for offsets; -1 where a timestamp has no record. `undefined` once `patience` is closed. */
export function listOffsets(
  client: KafkaClient,
  patience: Patience,
  queries: readonly OffsetQuery[],
  isolation: Isolation,
): Promise<PartitionMap<number> | undefined> {
  const found = new PartitionMap<number>();
  return patience.answer('offsets', async () => {
    const byNode = new Map<number, { node: KafkaNode; queries: OffsetQuery[] }>();
    let passing: Passing | undefined;
    for (const query of queries) {
      if (found.has(query)) continue;
      const node = await client.leader(query);
      if (!node) {
        passing = new Passing(`${partitionText(query)} has no leader at present`);
        continue;
      }
      const asked = byNode.get(node.id) ?? { node, queries: [] };
      asked.queries.push(query);
      byNode.set(node.id, asked);
    }
    for (const { node, queries: asked } of byNode.values()) {
      const answers = await askNode(client, node, asked, isolation);
      for (const answer of answers) {
        if (answer.error === 'NONE') found.set(answer, answer.offset);
        else passing = refused(client, answer, answer.error);
      }
    }
    return passing ?? (found.size === queries.length ? found : new Passing('some partitions were not answered for'));
  });
}

async function askNode(
  client: KafkaClient,
  node: KafkaNode,
  queries: readonly OffsetQuery[],
  isolation: Isolation,
): ReturnType<KafkaNode['listOffsets']> {
  try {
    return await node.listOffsets(queries, isolation);
  } catch (error) {
    for (const query of queries) client.forgetLeader(query);
    throw error;
  }
}

function refused(client: KafkaClient, partition: TopicPartition, error: string): Passing {
  const verdict = verdictOn(error);
  if (verdict === 'leader changed') client.forgetLeader(partition);
  if (verdict === 'leader changed' || verdict === 'try again')
    return new Passing(`${partitionText(partition)}: ${error}`);
  throw refusal(error, `the offsets of ${partitionText(partition)}`, 'Allow DESCRIBE on the topic.');
}

/** The offsets that a group has committed; partitions without one are left out. `undefined` once `patience` is closed. */
export function committedOffsets(
  client: KafkaClient,
  patience: Patience,
  group: string,
  partitions: readonly TopicPartition[],
): Promise<PartitionMap<number> | undefined> {
  return patience.answer(`the offsets of group ${group}`, async () => {
    const coordinator = await client.coordinator('group', group);
    let answer: Awaited<ReturnType<KafkaNode['offsetFetch']>>;
    try {
      // Stable ones only: an offset in an open transaction may be replaced any moment.
      answer = await coordinator.offsetFetch(group, partitions, true);
    } catch (error) {
      client.forgetCoordinator('group', group);
      throw error;
    }
    const found = new PartitionMap<number>();
    const errors = [answer.error, ...answer.partitions.map(({ error }) => error)].filter(error => error !== 'NONE');
    for (const error of errors) {
      const verdict = verdictOn(error);
      if (verdict !== 'try again' && error !== 'UNKNOWN_TOPIC_OR_PARTITION') {
        throw refusal(error, `the offsets of group ${group}`, 'Allow DESCRIBE on the group.');
      }
      if (verdict === 'try again') {
        if (error !== 'UNSTABLE_OFFSET_COMMIT') client.forgetCoordinator('group', group);
        return new Passing(error);
      }
    }
    for (const { offset, error, ...partition } of answer.partitions) {
      if (error === 'NONE' && offset >= 0) found.set(partition, offset);
    }
    return found;
  });
}

function refusal(error: string, what: string, permission: string): KafkaSecurityError | KafkaAnswerError {
  return verdictOn(error) === 'not permitted'
    ? new KafkaSecurityError(`Kafka does not let this client ask for ${what}: ${error}. ${permission}`)
    : new KafkaAnswerError(error, `Kafka does not answer for ${what}: ${error}`);
}
