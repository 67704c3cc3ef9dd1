import type { SourceContext } from '../../../lib/index.ts';
import { commitPoints } from '../commit/commit-points.ts';
import type { KafkaTransaction } from '../commit/transaction.ts';
import { deadLetter } from '../dead-letter.ts';
import { keyPartition } from '../partition/key-partition.ts';
import type { KafkaRecord } from '../record.ts';
import { sharedClient } from '../shared-client.ts';
import type { DeadLetterRequest, DeadLetters } from '../source/dead-letters.ts';
import type { Outlet } from './outlet.ts';
import { sharedProducer, topicGuarantees } from './sink.ts';
import { type TopicRoute, TopicRoutes } from './topic-routes.ts';

const batchBytes = 128 * 1024;
/** About what a dead letter takes beside key and value of its record. */
const overheadBytes = 500;

/**
 * Takes the dead letters of a source: into the task's transaction when it has one on that cluster, else at-least-once, which
 * the log says.
 */
export async function openDeadLetters(
  { topic, connection, source }: DeadLetterRequest,
  context: SourceContext<unknown>,
): Promise<DeadLetters> {
  const client = sharedClient(context, connection);
  await client.connect();
  const clusterId = await client.clusterId();
  const transaction = [...commitPoints(context).values()]
    .map(point => point.transaction)
    .find(found => found?.clusterId === clusterId);
  const guarantee = transaction ? 'exactly-once' : 'at-least-once';
  const routes = new TopicRoutes(
    client,
    { name: `dead letters of ${source}`, guarantee, batchBytes },
    {},
    topicGuarantees(context, connection),
  );
  const route = await routes.prepare(topic);
  context.logger.info({ source, topic, guarantee }, 'dead letters are written');
  return transaction
    ? transactional(transaction, route, context)
    : acknowledged(sharedProducer(client, connection, { acks: 'all', batchBytes }, context), route, context);
}

function transactional(transaction: KafkaTransaction, route: TopicRoute, context: SourceContext<unknown>): DeadLetters {
  return {
    give: (record, cause) => {
      const write = writing(transaction, route, record, cause, context);
      transaction.writeBehindBarrier(write, (record.key?.length ?? 0) + (record.value?.length ?? 0) + overheadBytes);
    },
    flush: () => transaction.flush(),
    get isFull() {
      return transaction.isFull;
    },
    whenRoom: tell => transaction.whenRoom(tell),
  };
}

function acknowledged(outlet: Outlet, route: TopicRoute, context: SourceContext<unknown>): DeadLetters {
  return {
    give: (record, cause) => writing(outlet, route, record, cause, context)(),
    flush: () => outlet.flush(),
    get isFull() {
      return outlet.isFull;
    },
    whenRoom: tell => outlet.whenRoom(tell),
  };
}

/** The record's bytes are taken now, whenever it is written. */
function writing(
  outlet: Pick<Outlet, 'write'>,
  { topic, partitions, sticky }: TopicRoute,
  record: KafkaRecord,
  error: unknown,
  { job }: SourceContext<unknown>,
): () => void {
  const { timestamp, key, value, headers } = deadLetter(record, { topic, job, error, now: Date.now() });
  const partition = key === null ? sticky.take(value?.length ?? 0, partitions) : keyPartition(key, partitions);
  return () => outlet.write(topic, partition, timestamp, key, value, headers);
}
