import { InternalError, type Source } from '../../../lib/index.ts';
import { kafkaCommitPoint } from '../commit/kafka-commit-point.ts';
import type { KafkaSourceSettings } from './options.ts';
import { Patience } from './patience.ts';
import { readPosition } from './position.ts';
import { KafkaReader } from './reader.ts';
import type { SourceServices } from './source-services.ts';
import { startSource, verifyTopics } from './source-start.ts';
import { TopicWatch } from './topic-watch.ts';

/** A source that reads partitions; which of them, is for the task to say. */
export function readingSource<T>(services: SourceServices, settings: KafkaSourceSettings<T>): Source<T> {
  return {
    kind: 'kafka',
    name: settings.name,
    bounded: settings.stop !== undefined,
    check: () => check(services, settings),
    // The cluster that decided before the job's sink moved, or went, is often the one that is read.
    commitPoints: kafkaCommitPoint(settings.connection),
    async open(position, context) {
      const restored = position === undefined ? undefined : readPosition(position, settings.name);
      const { logger, scheduler } = context;
      const client = services.client(context, settings.connection);
      await client.connect();
      const group = settings.group ?? context.job;
      // Shared with nobody, but ended with the task: it may end while this still waits for the cluster.
      const patience = context.shared(
        `kafka-source:${settings.name}`,
        () => new Patience(scheduler, logger, settings.retryTimeoutMs, client.location),
        waiting => waiting.close(),
      );
      const start = await startSource({ client, patience, settings, group, logger, slice: context.slice }, restored);
      if (!start) throw new InternalError(`The source "${settings.name}" was closed while it was opened.`);
      const deadLetters = await openDeadLetters(services, settings, context);
      return new KafkaReader<T>({ client, settings, context, group, patience, deadLetters }, start);
    },
  };
}

/** The topics exist and may be seen; the deserializer has what it needs. */
async function check<T>(services: SourceServices, settings: KafkaSourceSettings<T>): Promise<void> {
  await settings.value.check?.();
  const client = services.ownClient(settings.connection);
  try {
    await client.connect();
    const { asked } = new TopicWatch(settings.topics);
    verifyTopics(settings, await client.topics(asked), client.location);
  } finally {
    await client.close();
  }
}

async function openDeadLetters<T>(
  services: SourceServices,
  { onBadRecord, connection, name }: KafkaSourceSettings<T>,
  context: Parameters<Source<T>['open']>[1],
) {
  if (typeof onBadRecord === 'string') return undefined;
  if (!services.deadLetters) throw new InternalError(`Nothing takes the dead letters of the source "${name}".`);
  const request = { topic: onBadRecord.deadLetter, connection, source: name };
  return services.deadLetters(request, context as Parameters<Source<unknown>['open']>[1]);
}
