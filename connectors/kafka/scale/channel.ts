import {
  type Channel,
  type ChannelRequest,
  InternalError,
  type Key,
  type Packed,
  TaskLayoutError,
} from '../../../lib/index.ts';
import { lineSuffix } from '../client/line-suffix.ts';
import type { KafkaClient, TopicPartition } from '../client/port.ts';
import { KafkaAnswerError } from '../errors.ts';
import { bytes } from '../format/bytes.ts';
import type { KafkaConnectionOptions } from '../options.ts';
import { adaptingKafkaSink } from '../sink/sink.ts';
import { listOffsets } from '../source/offset-lookup.ts';
import { kafkaSourceSettings } from '../source/options.ts';
import type { Patience } from '../source/patience.ts';
import { readingSource } from '../source/reading-source.ts';
import { sourceServices } from '../source/source-services.ts';
import { deleteBefore } from './delete-before.ts';
import { purging } from './purge.ts';
import { patienceMs, withClient } from './with-client.ts';

/** Records stay until every task that reads them has committed past them, however long that takes. */
const topicSettings = { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' };

/** A channel through an internal topic with a partition for each task, written in the transactions that are checkpoints. */
export function kafkaChannel(
  connection: KafkaConnectionOptions,
  { job, name, tasks, spread }: ChannelRequest,
  taskOf: (key: Key) => number,
): Channel {
  const topic = `tidemark.${job}.${name}${lineSuffix('.', spread)}`.replace(/[^A-Za-z0-9._-]/g, '_');
  const partitions = Array.from({ length: tasks }, (_, partition): TopicPartition => ({ topic, partition }));
  const asked = <T>(ask: (client: KafkaClient, patience: Patience) => Promise<T>) => withClient(connection, ask);
  return {
    location: topic,
    sink: adaptingKafkaSink<Packed>({
      ...connection,
      topic,
      name: `repartition:${name}`,
      value: { serialize: packed => packed.bytes },
      key: () => null,
      partitioner: packed => packed.to,
      // Event times travel inside: a broker may refuse old ones, or delete by them.
      timestamp: () => Date.now(),
      missingTopics: { partitions: tasks, settings: topicSettings },
    }),
    source: purging(
      readingSource<Uint8Array>(
        sourceServices,
        kafkaSourceSettings<Uint8Array>({
          ...connection,
          topic,
          name: `repartition:${name}`,
          value: bytes(),
          start: 'earliest',
          commitOffsets: false,
          discovery: 'off',
          onMissingOffset: 'fail',
        }),
      ),
      connection,
    ),
    taskOf,
    prepare: () => asked(client => ensure(client, topic, tasks)),
    ends: () =>
      asked(async (client, patience) => {
        await ensure(client, topic, tasks);
        const queries = partitions.map(partition => ({ ...partition, at: 'latest' as const }));
        const found = await listOffsets(client, patience, queries, 'read_committed');
        return partitions.map(partition => found?.get(partition) ?? 0);
      }),
    forget: ends =>
      asked(client =>
        deleteBefore(
          client,
          partitions.flatMap(partition => {
            const before = ends[partition.partition] ?? 0;
            return before > 0 ? [{ ...partition, before }] : [];
          }),
        ),
      ),
  };
}

async function ensure(client: KafkaClient, topic: string, tasks: number): Promise<void> {
  const [created] = await client.createTopics([{ topic, partitions: tasks, settings: topicSettings }]);
  const error = created?.error ?? 'NONE';
  if (error !== 'NONE' && error !== 'TOPIC_ALREADY_EXISTS') {
    throw new KafkaAnswerError(
      error,
      `The topic ${topic}, through which records go between the tasks of a job, could not be made on ${client.location}: ${error}. ` +
        `Allow CREATE, or make it with ${tasks} partitions and retention.ms=-1.`,
    );
  }
  const until = performance.now() + patienceMs;
  for (;;) {
    const [found] = await client.topics([topic]);
    const count = found?.partitions.length ?? 0;
    if (count === tasks && found?.partitions.every(({ leader }) => leader >= 0)) return;
    if (count > 0 && count !== tasks) {
      throw new TaskLayoutError(
        `The topic ${topic}, through which records go between the tasks of a job, has ${count} partitions, and there are ${tasks} tasks: ` +
          'it was made by a job of another shape. Delete it if no state needs it any more, or start the job under another name.',
        { context: { topic } },
      );
    }
    if (performance.now() > until)
      throw new InternalError(`The topic ${topic} was made, but does not show after ${patienceMs} ms.`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}
