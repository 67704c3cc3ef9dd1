import type { Logger, TaskSlice } from '../../../lib/index.ts';
import { PartitionCountChangedError, SourcePositionError } from '../../../lib/index.ts';
import type { KafkaClient, OffsetQuery, TopicMetadata, TopicPartition } from '../client/port.ts';
import { OffsetGapError, TopicError, whatIsMissing } from './errors.ts';
import { judgeRange } from './fetch-failure.ts';
import { committedOffsets, listOffsets } from './offset-lookup.ts';
import type { ReadSettings } from './options.ts';
import { listed, PartitionMap, partitionText } from './partitions.ts';
import type { Patience } from './patience.ts';
import type { GoneTopic, KafkaPosition } from './position.ts';
import { type PlannedStart, planStart, withGroupOffsets } from './start-position.ts';
import { stopOffsets, stopQueries } from './stop-position.ts';
import { selects, TopicWatch } from './topic-watch.ts';

/** Where one partition begins and ends. */
export interface StartedPartition extends TopicPartition {
  readonly next: number;
  readonly stop: number | undefined;
  /** From where on progress is counted. */
  readonly first: number;
}

export interface SourceStart {
  readonly cluster: string;
  readonly watch: TopicWatch;
  readonly partitions: readonly StartedPartition[];
  /** Topics that the checkpoint knows, that match, and that are not there. */
  readonly gone: ReadonlyMap<string, GoneTopic>;
}

export interface StartServices {
  readonly client: KafkaClient;
  readonly patience: Patience;
  readonly settings: ReadSettings;
  readonly group: string;
  readonly logger: Logger;
  /** The share of the partitions that is read; left out: all. */
  readonly slice?: TaskSlice | undefined;
}

/** Whether a task with this share reads the partition. */
export const isInSlice = (slice: TaskSlice | undefined, { partition }: Pick<TopicPartition, 'partition'>): boolean =>
  slice === undefined || partition % slice.count === slice.index;

/** Finds the partitions and decides where each begins and ends. `undefined` when the source was closed in the meantime. */
export async function startSource(
  services: StartServices,
  restored: KafkaPosition | undefined,
): Promise<SourceStart | undefined> {
  const { client, settings } = services;
  const cluster = await client.clusterId();
  if (restored && restored.cluster !== cluster) throw otherCluster(services, restored.cluster, cluster);
  const { watch, partitions: all, known, gone } = await findPartitions(services, restored);
  verifyNotGrown(services, all);
  const partitions = all.filter(partition => isInSlice(services.slice, partition));
  const planned = await plan(services, partitions, known);
  if (!planned) return undefined;
  const log = await logExtents(services, partitions);
  const beginnings = planned && log && (await offsetsOf(services, planned, log));
  if (!log || !beginnings) return undefined;
  const stops = settings.stop && (await stopsOf(services, partitions));
  if (settings.stop && !stops) return undefined;
  tell(services, planned, restored);
  const started = partitions.map(partition => {
    const next = beginnings.get(partition) ?? 0;
    const first = restored ? Math.min(next, log.starts.get(partition) ?? next) : next;
    return { ...partition, next, stop: stops?.get(partition), first };
  });
  return { cluster, watch, partitions: started, gone };
}

/** A task that restarts, or moves, has missed what a running one would have seen come. */
function verifyNotGrown({ settings, slice }: StartServices, found: readonly TopicPartition[]): void {
  if (!slice || slice.mayGrow) return;
  const added = found.filter(({ topic, partition }) => partition >= (slice.partitions[topic] ?? Infinity));
  if (added[0]) throw grown(settings.name, added);
}

/** The topics that are to be read and exist; throws a `TopicError` that names those that do not. */
export function verifyTopics(settings: ReadSettings, metadata: readonly TopicMetadata[], location: string): void {
  if (settings.topics instanceof RegExp) return;
  const present = new Set(metadata.map(({ topic }) => topic));
  const missing = settings.topics.filter(topic => !present.has(topic));
  if (missing.length === 0) return;
  const what = missing.length === 1 ? `The topic ${missing[0]} does` : `The topics ${missing.join(', ')} do`;
  throw new TopicError(
    `${what} not exist in Kafka at ${location}, or this client may not see them. Create them, correct the names, or allow DESCRIBE.`,
    { context: { source: settings.name, topics: missing } },
  );
}

interface FoundPartitions {
  readonly watch: TopicWatch;
  readonly partitions: readonly TopicPartition[];
  /** The positions of the checkpoint that mean something now; `undefined` without one. */
  readonly known: PartitionMap<number> | undefined;
  readonly gone: SourceStart['gone'];
}

async function findPartitions(
  { client, patience, settings, logger }: Omit<StartServices, 'group'>,
  restored: KafkaPosition | undefined,
): Promise<FoundPartitions> {
  const before = topicsBefore(restored);
  const watch = new TopicWatch(settings.topics);
  const metadata = await topicsOf({ client, patience, settings }, watch, [...before.keys()]);
  verifyTopics(settings, metadata, client.location);
  const partitions = [...watch.look(metadata).added];
  if (partitions.length === 0) logger.warn({ topic: String(settings.topics) }, 'no topic matches yet');
  const counts = new Map<string, number>();
  for (const { topic } of partitions) counts.set(topic, (counts.get(topic) ?? 0) + 1);
  const known = new PartitionMap<number>();
  const gone = new Map<string, GoneTopic>();
  const [dropped, remade]: [string[], string[]] = [[], []];
  for (const [topic, { id, offsets }] of before) {
    const now = watch.ids.get(topic);
    const from = Math.max(-1, ...offsets.keys()) + 1;
    const to = counts.get(topic);
    if (to === undefined) {
      if (id !== undefined && isSelected(settings, topic)) gone.set(topic, { id, offsets });
      else dropped.push(topic);
    } else if (id !== undefined && now !== undefined && id !== now) {
      if (!(settings.topics instanceof RegExp)) throw madeAnew(settings.name, topic);
      remade.push(topic);
    } else if (to < from) throw shrunk(settings.name, topic, from, to);
    else for (const [partition, offset] of offsets) known.set({ topic, partition }, offset);
  }
  const tell = (topics: readonly string[], what: string) => topics.length > 0 && logger.warn({ topics }, what);
  tell(dropped, 'the checkpoint holds positions of topics that are not read any more: they are dropped');
  tell(
    [...gone.keys()],
    'the checkpoint holds positions of topics that are not there: they are kept until these are back',
  );
  tell(remade, 'topics were deleted and made anew since the checkpoint: they are read from their beginning');
  return { watch, partitions, known: restored && known, gone };
}

/** What the checkpoint knows of each topic. */
function topicsBefore(
  restored: KafkaPosition | undefined,
): Map<string, { readonly id: string | undefined; readonly offsets: ReadonlyMap<number, number> }> {
  const topics = new Map<string, { id: string | undefined; offsets: ReadonlyMap<number, number> }>(restored?.gone);
  for (const [topic, offsets] of restored?.partitions.topics() ?? []) {
    topics.set(topic, { id: restored?.ids.get(topic), offsets });
  }
  return topics;
}

const isSelected = ({ topics }: ReadSettings, topic: string): boolean =>
  selects(topics, { topic, isInternal: false, partitions: [] });

/** How long to wait before topics that are not seen are looked for again: a cluster that restarts may not name them for a moment. */
const secondLookMs = 1_000;

/** What the cluster has; asked a second time where it lacks a topic that is to be read, or whose position is known. */
async function topicsOf(
  { client, patience, settings }: Pick<StartServices, 'client' | 'patience' | 'settings'>,
  watch: TopicWatch,
  known: readonly string[],
): Promise<readonly TopicMetadata[]> {
  const metadata = await client.topics(watch.asked);
  const present = new Set(metadata.map(({ topic }) => topic));
  const wanted = settings.topics instanceof RegExp ? known : settings.topics;
  if (wanted.every(topic => present.has(topic))) return metadata;
  await patience.wait(secondLookMs);
  return client.topics(watch.asked);
}

async function plan(
  { client, patience, settings, group }: StartServices,
  partitions: readonly TopicPartition[],
  restored: PartitionMap<number> | undefined,
): Promise<readonly PlannedStart[] | undefined> {
  const planned = planStart(partitions, restored, settings.start);
  const asked = planned.filter(({ beginning }) => beginning.at === 'group-offset');
  if (asked.length === 0) return planned;
  const committed = await committedOffsets(
    client,
    patience,
    group,
    asked.map(({ topic, partition }) => ({ topic, partition })),
  );
  if (!committed) return undefined;
  const filled = withGroupOffsets(planned, committed, settings.withoutGroupOffset);
  if (filled.missing.length > 0) {
    throw new SourcePositionError(
      `Group ${group} has committed no offset for ${listed(filled.missing.map(partitionText))}, and withoutGroupOffset is ` +
        "'fail'. Commit one, name the offsets in start, or choose 'earliest' or 'latest'.",
      { context: { source: settings.name } },
    );
  }
  return filled.planned;
}

interface LogExtents {
  readonly starts: PartitionMap<number>;
  /** High watermarks. */
  readonly ends: PartitionMap<number>;
}

async function logExtents(
  { client, patience }: StartServices,
  partitions: readonly TopicPartition[],
): Promise<LogExtents | undefined> {
  const at = (at: OffsetQuery['at']) => partitions.map(partition => ({ ...partition, at }));
  const starts = await listOffsets(client, patience, at('earliest'), 'read_uncommitted');
  const ends = starts && (await listOffsets(client, patience, at('latest'), 'read_uncommitted'));
  return starts && ends ? { starts, ends } : undefined;
}

/** The first offset to read of each partition. */
async function offsetsOf(
  services: StartServices,
  planned: readonly PlannedStart[],
  { starts, ends }: LogExtents,
): Promise<PartitionMap<number> | undefined> {
  const { client, patience, settings } = services;
  const queries = planned.flatMap(({ topic, partition, beginning }): OffsetQuery[] => {
    if (beginning.at === 'timestamp') return [{ topic, partition, at: beginning.timestamp }];
    return [];
  });
  // The ends first: a record that comes between the two questions is then behind the end that stands in for its time. Under
  // read_committed the end is where the first open transaction begins: what it commits is still to come.
  const latest = await latestOffsets(services, planned);
  const byTime = latest && (await listOffsets(client, patience, queries, settings.isolation));
  if (!byTime || !latest) return undefined;
  const offsets = new PartitionMap<number>();
  for (const { topic, partition, beginning } of planned) {
    const of = { topic, partition };
    const end = latest.get(of) ?? 0;
    if (beginning.at === 'offset') {
      const gap = { ...of, wanted: beginning.offset, logStart: starts.get(of) ?? 0, logEnd: ends.get(of) ?? 0 };
      offsets.set(of, presentOffset(services, gap, end));
    } else if (beginning.at === 'earliest') offsets.set(of, starts.get(of) ?? 0);
    else if (beginning.at === 'timestamp') {
      const found = byTime.get(of) ?? -1;
      offsets.set(of, found < 0 ? end : found);
    } else offsets.set(of, end);
  }
  return offsets;
}

function latestOffsets(
  { client, patience, settings }: StartServices,
  partitions: readonly TopicPartition[],
): Promise<PartitionMap<number> | undefined> {
  const queries = partitions.map(({ topic, partition }) => ({ topic, partition, at: 'latest' as const }));
  return listOffsets(client, patience, queries, settings.isolation);
}

/** The wanted offset, or what `onMissingOffset` puts in its place; throws an `OffsetGapError` when that is not allowed. */
export function presentOffset(
  { settings, logger }: Pick<StartServices, 'settings' | 'logger'>,
  gap: TopicPartition & { readonly wanted: number; readonly logStart: number; readonly logEnd: number },
  latest: number,
): number {
  if (judgeRange(gap.wanted, gap.logStart, gap.logEnd) === 'stale') return gap.wanted;
  if (settings.onMissingOffset === 'fail') throw new OffsetGapError(gap, settings.name);
  const offset = settings.onMissingOffset === 'earliest' ? gap.logStart : latest;
  logger.warn({ ...gap, offset, onMissingOffset: settings.onMissingOffset }, whatIsMissing(gap));
  return offset;
}

async function stopsOf(
  { client, patience, settings }: StartServices,
  partitions: readonly TopicPartition[],
): Promise<PartitionMap<number> | undefined> {
  const { stop, isolation } = settings;
  if (stop === undefined) return undefined;
  const at = partitions.map(partition => ({ ...partition, at: 'latest' as const }));
  // The ends first, as for the beginnings: what comes later belongs behind the stop.
  const ends = await listOffsets(client, patience, at, isolation);
  const answers = ends && (await listOffsets(client, patience, stopQueries(partitions, stop), isolation));
  return answers && stopOffsets(partitions, stop, answers, ends);
}

function tell(
  { logger, settings, group }: StartServices,
  planned: readonly PlannedStart[],
  restored?: KafkaPosition,
): void {
  const by = (what: PlannedStart['by']) => planned.filter(one => one.by === what).map(partitionText);
  if (!restored) {
    const counts = { partitions: planned.length, withoutGroupOffset: by('missing group offset').length };
    logger.info({ ...counts, start: shown(settings.start), group }, 'reads from where its start setting says');
    return;
  }
  logger.info(
    { partitions: by('checkpoint').length, start: shown(settings.start) },
    'goes on from the restored checkpoint: the start setting and the offsets of the group are not used',
  );
  const added = by('discovery');
  if (added.length > 0) {
    logger.info(
      { partitions: listed(added) },
      'partitions that the checkpoint does not know begin at their earliest record',
    );
  }
}

const shown = (start: ReadSettings['start']): string =>
  typeof start === 'string' ? start : (Object.keys(start)[0] ?? '');

export function shrunk(source: string, topic: string, from: number, to: number): SourcePositionError {
  return new SourcePositionError(
    `The topic ${topic} has ${to} partitions and had ${from}: it was deleted and made anew, and the positions in it mean ` +
      'nothing any more. Start the job afresh, or read the new topic under another source name.',
    { context: { source, topic, from, to } },
  );
}

export function madeAnew(source: string, topic: string): SourcePositionError {
  return new SourcePositionError(
    `The topic ${topic} was deleted and made anew since it was read: the positions in it mean nothing any more. Start the job ` +
      'afresh, or read the new topic under another source name.',
    { context: { source, topic } },
  );
}

function otherCluster({ settings, client }: StartServices, was: string, is: string): SourcePositionError {
  return new SourcePositionError(
    `The checkpointed position of source "${settings.name}" is of Kafka cluster ${was}, and ${client.location} is cluster ` +
      `${is}: its offsets mean something else there. Connect to the old cluster, or start the job afresh.`,
    { context: { source: settings.name } },
  );
}

export function grown(source: string, added: readonly TopicPartition[]): PartitionCountChangedError {
  return new PartitionCountChangedError(
    `The source "${source}" has new partitions (${listed(added.map(partitionText))}), and its job keeps state by keys in per-partition tasks: ` +
      'records of a key may come to another task from now on than the one that has its state. Take a savepoint of the job and start from that: ' +
      'it spreads the state over the partitions that there are now.',
    { context: { source } },
  );
}
