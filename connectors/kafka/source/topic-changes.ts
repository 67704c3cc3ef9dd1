import { TopicError } from './errors.ts';
import type { Fetcher } from './fetcher.ts';
import { listOffsets } from './offset-lookup.ts';
import { listed, partitionText } from './partitions.ts';
import type { ReadPartitions } from './read-partitions.ts';
import type { ReaderServices } from './reader.ts';
import { grown, isInSlice, madeAnew, type StartedPartition, shrunk } from './source-start.ts';
import type { TopicChanges } from './topic-watch.ts';

/**
 * What a running source makes of changed topics: it stops to read those that are gone, keeping in mind where it was, and
 * answers where new partitions begin. `before` are the ids that topics had. Throws when a topic of its list was deleted or
 * made anew.
 */
export async function takeUp<T>(
  { added: found, removed, remade, shrunk: smaller }: TopicChanges,
  services: ReaderServices<T>,
  partitions: ReadPartitions,
  fetcher: Fetcher,
  before: ReadonlyMap<string, string>,
  now: ReadonlyMap<string, string>,
): Promise<readonly StartedPartition[]> {
  const { client, patience, settings, context } = services;
  const isPattern = settings.topics instanceof RegExp;
  const { slice } = context;
  if (slice?.mayGrow === false && found[0]) throw grown(settings.name, found);
  const added = found.filter(partition => isInSlice(slice, partition));
  const [first] = smaller;
  if (first) throw shrunk(settings.name, first.topic, first.from, first.to);
  if (removed.length > 0 && !isPattern) throw deleted(settings.name, removed);
  if (remade[0] !== undefined && !isPattern) throw madeAnew(settings.name, remade[0]);
  for (const topic of removed) for (const one of partitions.removeTopic(topic, before.get(topic))) fetcher.remove(one);
  for (const topic of remade) for (const one of partitions.removeTopic(topic, undefined)) fetcher.remove(one);
  if (removed.length > 0) context.logger.warn({ topics: removed }, 'topics are not there any more: they are not read');
  if (remade.length > 0) {
    context.logger.warn({ topics: remade }, 'topics were deleted and made anew: they are read from their beginning');
  }
  if (added.length === 0) return [];
  const queries = added.map(partition => ({ ...partition, at: 'earliest' as const }));
  const earliest = await listOffsets(client, patience, queries, 'read_uncommitted');
  if (!earliest) return [];
  const back = new Set<string>();
  const started = added.map(partition => {
    const { topic } = partition;
    const gone = partitions.gone.get(topic);
    const kept = gone && gone.id === now.get(topic) ? gone.offsets.get(partition.partition) : undefined;
    if (kept !== undefined) back.add(topic);
    const next = kept ?? earliest.get(partition) ?? 0;
    return { ...partition, next, stop: undefined, first: next };
  });
  for (const { topic } of added) partitions.gone.delete(topic);
  if (back.size > 0)
    context.logger.info({ topics: [...back] }, 'topics are back, and are read on from where they were');
  const fresh = started.filter(({ topic }) => !back.has(topic));
  if (fresh.length > 0) {
    context.logger.info(
      { partitions: listed(fresh.map(partitionText)) },
      'new partitions are read from their beginning',
    );
  }
  return started;
}

function deleted(source: string, topics: readonly string[]): TopicError {
  return new TopicError(
    `The topic ${topics.join(', ')} was deleted while it was read. Create it again and start the job afresh, or take it out of the source.`,
    { context: { source, topics } },
  );
}
