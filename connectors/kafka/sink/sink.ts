import {
  type CommitPointContext,
  InternalError,
  type Logger,
  SettingsError,
  type Sink,
  type SinkContext,
} from '../../../lib/index.ts';
import { kafkaClient } from '../client/kafkajs/kafka-client.ts';
import type { KafkaClient } from '../client/port.ts';
import { commitPoints } from '../commit/commit-points.ts';
import { KafkaCommitPoint, kafkaCommitPoint } from '../commit/kafka-commit-point.ts';
import type { KafkaTransaction } from '../commit/transaction.ts';
import { MissingTopicError } from '../errors.ts';
import type { ProducerOptions } from '../produce/options.ts';
import { clusterKey, type SharingContext, sharedClient } from '../shared-client.ts';
import { type KafkaSinkOptions, type KafkaSinkSettings, kafkaSinkSettings } from './options.ts';
import { type Outlet, SharedProducer } from './outlet.ts';
import { type TopicGuarantees, TopicRoutes } from './topic-routes.ts';
import { KafkaSinkWriter } from './writer.ts';

/**
 * Writes records to topics of a Kafka cluster. With `exactly-once` (default) they become visible to `read_committed` readers
 * in the transaction that is the checkpoint. Throws a `SettingsError` that names every wrong option.
 */
export function kafkaSink<T>(options: KafkaSinkOptions<T>): Sink<T> {
  return sinkOf(kafkaSinkSettings(options));
}

/** A sink of Tidemark's own: it writes with whatever options the transaction has that the job's other sinks brought. */
export function adaptingKafkaSink<T>(options: KafkaSinkOptions<T>): Sink<T> {
  return sinkOf({ ...kafkaSinkSettings(options), adapts: true });
}

function sinkOf<T>(settings: KafkaSinkSettings<T> & { readonly adapts?: boolean }): Sink<T> {
  const { connection, name, guarantee } = settings;
  return {
    kind: 'kafka',
    name,
    guarantee,
    ...(guarantee === 'exactly-once'
      ? {
          commitsWith: `Kafka transactions at ${clusterKey(connection)}`,
          commitsIn: (context: CommitPointContext) => newCommitPoint(settings, context),
        }
      : {}),
    commitPoints: kafkaCommitPoint(connection),
    check: () => check(settings),
    open: context => open(settings, context),
  };
}

function newCommitPoint<T>(
  { connection, transactionTimeoutMs, producer }: KafkaSinkSettings<T>,
  context: CommitPointContext,
): KafkaCommitPoint {
  const point = new KafkaCommitPoint(
    { connection, transactionTimeout: transactionTimeoutMs, producer: withoutAcks(producer) },
    context,
  );
  commitPoints(context).set(clusterKey(connection), point);
  return point;
}

/** The cluster answers, and the topic is there or may be made; opens nothing that lasts. */
async function check<T>({ connection, topic, missingTopics, name, value }: KafkaSinkSettings<T>): Promise<void> {
  await value.check?.();
  const client = kafkaClient(connection, silent);
  try {
    await client.connect();
    if (typeof topic !== 'string' || missingTopics !== 'fail' || (await client.topics([topic])).length > 0) return;
    throw new MissingTopicError(
      `On ${client.location} the topic "${topic}", which the sink "${name}" writes to, is not there. Create it, or let the ` +
        "sink do so with missingTopics: 'create'.",
      { context: { topic, sink: name } },
    );
  } finally {
    await client.close();
  }
}

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

async function open<T>(
  settings: KafkaSinkSettings<T> & { readonly adapts?: boolean },
  context: SinkContext,
): Promise<KafkaSinkWriter<T>> {
  const { connection, guarantee, name, producer, topic, missingTopics } = settings;
  const client = sharedClient(context, connection);
  await client.connect();
  const outlet =
    guarantee === 'exactly-once'
      ? transactionOf(settings, context)
      : sharedProducer(client, connection, producer, context);
  const batchBytes = producer.batchBytes ?? 0;
  const routes = new TopicRoutes(
    client,
    { name, guarantee, batchBytes },
    missingTopics,
    topicGuarantees(context, connection),
  );
  const writer = new KafkaSinkWriter<T>(settings, context, outlet, routes);
  if (typeof topic === 'string') await writer.prepare(topic);
  return writer;
}

function transactionOf<T>(
  { connection, name, producer, transactionTimeoutMs, adapts }: KafkaSinkSettings<T> & { readonly adapts?: boolean },
  context: SinkContext,
): KafkaTransaction {
  const transaction = commitPoints(context).get(clusterKey(connection))?.transaction;
  if (!transaction) {
    throw new InternalError(`The exactly-once sink "${name}" was opened by a task that does not commit with it.`);
  }
  if (adapts) return transaction;
  const problems: string[] = [];
  if (JSON.stringify(withoutAcks(producer)) !== JSON.stringify(transaction.producerOptions)) {
    problems.push('compression, batchBytes, linger, maxInFlight, bufferBytes and deliveryTimeout must be the same');
  }
  if (transactionTimeoutMs !== undefined && transactionTimeoutMs !== transaction.timeoutMs) {
    problems.push(`transactionTimeout is ${transactionTimeoutMs} ms here and ${transaction.timeoutMs} ms there`);
  }
  if (problems.length === 0) return transaction;
  throw new SettingsError(
    `The exactly-once sink "${name}" shares one transaction with the others of the job, but its options differ from the first one's`,
    problems,
  );
}

const withoutAcks = ({ acks: _, ...others }: ProducerOptions): Omit<ProducerOptions, 'acks'> => others;

/** Sinks and dead letters without a transaction share one producer where their options are the same. */
export function sharedProducer(
  client: KafkaClient,
  connection: KafkaSinkSettings<unknown>['connection'],
  options: ProducerOptions,
  context: SharingContext & Pick<SinkContext, 'error'>,
): Outlet {
  return context.shared(
    `kafka-producer:${clusterKey(connection)}:${JSON.stringify(options)}`,
    () => new SharedProducer(client, options, error => context.error(error)),
    producer => producer.close(),
  );
}

/** Which guarantees the topics of a cluster are written with in this task. */
export const topicGuarantees = (
  context: SharingContext,
  connection: KafkaSinkSettings<unknown>['connection'],
): TopicGuarantees =>
  context.shared<TopicGuarantees>(
    `kafka-topic-guarantees:${clusterKey(connection)}`,
    () => new Map(),
    () => {},
  );
