import { TopicError } from './errors.ts';
import type { Fetcher } from './fetcher.ts';
import { listOffsets } from './offset-lookup.ts';
import { listed, partitionText } from './partitions.ts';
import type { ReadPartitions } from './read-partitions.ts';
import type { ReaderServices } from './reader.ts';
import { type StartedPartition, shrunk } from './source-start.ts';
import type { TopicChanges } from './topic-watch.ts';

/**
 * What a running source makes of changed topics: it stops to read those that are gone, and answers where new partitions
 * begin. Throws when a topic of its list was deleted, or any was made anew.
 */
export async function takeUp<T>(
  { added, removed, shrunk: smaller }: TopicChanges,
  services: ReaderServices<T>,
  partitions: ReadPartitions,
  fetcher: Fetcher,
): Promise<readonly StartedPartition[]> {
  const { client, patience, settings, context } = services;
  const [first] = smaller;
  if (first) throw shrunk(settings.name, first.topic, first.from, first.to);
  if (removed.length > 0) {
    if (!(settings.topics instanceof RegExp)) throw deleted(settings.name, removed);
    context.logger.warn({ topics: removed }, 'topics were deleted: they are not read any more');
    for (const one of partitions.all().filter(({ topic }) => removed.includes(topic))) {
      fetcher.remove(one);
      partitions.remove(one);
    }
  }
  if (added.length === 0) return [];
  const queries = added.map(partition => ({ ...partition, at: 'earliest' as const }));
  const earliest = await listOffsets(client, patience, queries, 'read_uncommitted');
  if (!earliest) return [];
  context.logger.info({ partitions: listed(added.map(partitionText)) }, 'new partitions are read from their beginning');
  return added.map(partition => {
    const next = earliest.get(partition) ?? 0;
    return { ...partition, next, stop: undefined, first: next };
  });
}

function deleted(source: string, topics: readonly string[]): TopicError {
  return new TopicError(
    `The topic ${topics.join(', ')} was deleted while it was read. Create it again and start the job afresh, or take it out of the source.`,
    { context: { source, topics } },
  );
}
