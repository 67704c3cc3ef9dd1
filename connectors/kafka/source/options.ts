import { z } from 'zod';
import { type Duration, type Key, SettingsError, settingsFields, settingsProblems } from '../../../lib/index.ts';
import type { Isolation } from '../client/port.ts';
import type { Deserializer } from '../format/deserializer.ts';
import { type KafkaConnectionOptions, type KafkaConnectionSettings, kafkaConnectionSettings } from '../options.ts';
import type { PoisonPolicy } from './dead-letters.ts';
import type { NoGroupOffset, StartPosition } from './start-position.ts';
import type { StopPosition } from './stop-position.ts';
import { selects, type TopicSelection } from './topic-watch.ts';

const { choice, duration, durationOrOff, flag, functionOf, objectWith, section, wholeNumber } = settingsFields;

/** What a Kafka source takes, beside where the cluster is. */
export interface KafkaSourceOptions<T> extends KafkaConnectionOptions {
  /** The topic, several, or a pattern: every topic whose name it matches, also those that are made later. */
  readonly topic: string | readonly string[] | RegExp;
  /** Makes values of the bytes of record values: `json()`, `string()`, `bytes()`, `avro(…)`, `withMetadata(…)`, … */
  readonly value: Deserializer<T>;
  /** Ties the position to the source for life; default `kafka:` and its topics. */
  readonly name?: string;
  /** The group whose committed offsets are read at a start without a checkpoint, and follow the checkpoints; default: the name of the job. */
  readonly group?: string;
  /** Where to begin without a checkpoint; default `group-offsets`. A restored checkpoint wins. */
  readonly start?: StartPosition;
  /** What to do for partitions without a group offset; default `earliest`. */
  readonly withoutGroupOffset?: NoGroupOffset;
  /** Where to end: then the source is bounded, and completes; default: never. */
  readonly stop?: StopPosition;
  /** How often to look for new partitions and topics, which begin at their earliest record; default `1m`. A bounded source never looks. */
  readonly discovery?: Duration | 'off';
  /** Event time: that of the Kafka record (default), or made of the value, ms since 1970; `undefined` for a value that has none. */
  readonly timestamp?: 'kafka' | ((value: T) => number | undefined);
  /** What happens to a record that cannot be read; default `fail`. `{ deadLetter: topic }` writes it there with its cause. */
  readonly onBadRecord?: PoisonPolicy;
  /** What happens when the next record to read was removed (retention, a purge); default `fail`, naming the gap. */
  readonly onMissingOffset?: 'fail' | 'earliest' | 'latest';
  /** Default `read_committed`: nothing of open or aborted transactions is given. */
  readonly isolation?: Isolation;
  /** Whether the group's offsets follow the committed checkpoints, for people and monitoring; default `true`. */
  readonly commitOffsets?: boolean;
  /** How often the group's offsets are committed when the job takes no checkpoints by the clock; default `5s`. */
  readonly autoCommitInterval?: Duration | 'off';
  /**
   * Where the topics' producers put the records of a key, where tasks are per-partition and a keyed actor checks that a key is its
   * own: by the key as a text, as Kafka's Java client and `kafkaSink` do (default), or as the function says; `unknown` checks nothing.
   */
  readonly partitionOf?: PartitionOf;
  /** How long the cluster, or a partition, may be out of reach before the task fails and restarts; default `2m`. */
  readonly retryTimeout?: Duration;
  /** How long a broker may wait for records before it answers; default `500ms`. */
  readonly maxWait?: Duration;
  /** Bytes that a broker waits for, up to `maxWait`; default 1. */
  readonly minBytes?: number;
  /** The most bytes of one answer; default 8 MiB. A record that is larger still comes. */
  readonly maxRequestBytes?: number;
  /** The most bytes of one partition in an answer; default 1 MiB. A record that is larger still comes. */
  readonly maxPartitionBytes?: number;
  /** The most bytes that are fetched ahead, over all partitions; default 32 MiB. */
  readonly maxBufferedBytes?: number;
}

/** The partition, of so many, that has the records of a key. */
export type PartitionOf = 'key' | 'unknown' | ((key: Key, partitions: number) => number);

/** The options, checked and complete. */
export interface KafkaSourceSettings<T = unknown> {
  readonly connection: KafkaConnectionOptions;
  readonly location: string;
  readonly topics: TopicSelection;
  readonly value: Deserializer<T>;
  readonly name: string;
  readonly group: string | undefined;
  readonly start: StartPosition;
  readonly withoutGroupOffset: NoGroupOffset;
  readonly stop: StopPosition | undefined;
  /** ms. */
  readonly discovery: number | 'off';
  readonly timestamp: ((value: T) => number | undefined) | undefined;
  readonly onBadRecord: PoisonPolicy;
  readonly onMissingOffset: 'fail' | 'earliest' | 'latest';
  readonly isolation: Isolation;
  readonly commitOffsets: boolean;
  /** ms. */
  readonly autoCommitInterval: number | 'off';
  readonly partitionOf: PartitionOf;
  readonly retryTimeoutMs: number;
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly requestBytes: number;
  readonly partitionBytes: number;
  readonly bufferBytes: number;
}

/** The settings that do not depend on the type of the values. */
export type ReadSettings = Omit<KafkaSourceSettings, 'value' | 'timestamp'>;

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;
/** Kafka's own limit of a request's size fields. */
const mostBytes = 2 ** 31 - 1;

const topicText = 'a topic (1 to 249 letters, digits, ".", "_" or "-")';
const topicName = z
  .string({ error: topicText })
  .refine(given => /^[A-Za-z0-9._-]{1,249}$/.test(given) && given !== '.' && given !== '..', { error: topicText });
const topics = z.union(
  [
    topicName.transform(one => [one]),
    z.array(topicName, { error: topicText }).min(1, { error: topicText }),
    z.instanceof(RegExp),
  ],
  { error: `${topicText}, a list of them, or a regular expression` },
);

const groupText = 'the name of a group (1 to 249 characters)';
const text = (what: string) => z.string({ error: what }).min(1, { error: what }).max(249, { error: what });

const instant = z.union([z.date(), z.number().min(0)], { error: 'milliseconds since 1970, or a Date' });
const offsets = z.record(topicName, z.record(z.string().regex(/^\d+$/), wholeNumber(0)), {
  error: 'offsets by topic and partition: { topic: { 0: 42 } }',
});
const place = { timestamp: section({ timestamp: instant }), offsets: section({ offsets }) };

const startText = '"group-offsets", "earliest", "latest", { timestamp } or { offsets: { topic: { 0: 42 } } }';
const start = z.union([z.enum(['group-offsets', 'earliest', 'latest']), place.timestamp, place.offsets], {
  error: startText,
});
const stop = z.union([z.literal('latest'), place.timestamp, place.offsets], {
  error: '"latest", { timestamp } or { offsets: { topic: { 0: 42 } } }',
});
const onBadRecord = z.union([z.enum(['fail', 'skip']), section({ deadLetter: topicName })], {
  error: '"fail", "skip" or { deadLetter: topic }',
});
const bytes = (least: number) =>
  wholeNumber(least).max(mostBytes, { error: `a whole number from ${least} to ${mostBytes}` });

const schema = section({
  topic: topics,
  value: objectWith<Deserializer<unknown>>('a deserializer such as json()', ['deserialize']),
  name: text('a name of 1 to 249 characters').optional(),
  group: text(groupText).optional(),
  start: start.default('group-offsets'),
  withoutGroupOffset: choice('earliest', 'latest', 'fail').default('earliest'),
  stop: stop.optional(),
  discovery: durationOrOff().prefault('1m'),
  timestamp: z
    .union([z.literal('kafka'), functionOf<(value: unknown) => number | undefined>('a function')], {
      error: '"kafka", or a function from a value to milliseconds since 1970',
    })
    .default('kafka'),
  onBadRecord: onBadRecord.default('fail'),
  onMissingOffset: choice('fail', 'earliest', 'latest').default('fail'),
  isolation: choice('read_committed', 'read_uncommitted').default('read_committed'),
  commitOffsets: flag().default(true),
  autoCommitInterval: durationOrOff().prefault('5s'),
  partitionOf: z
    .union([z.enum(['key', 'unknown']), functionOf<(key: Key, partitions: number) => number>('a function')], {
      error: '"key", "unknown", or a function from a key and a number of partitions to the partition',
    })
    .default('key'),
  retryTimeout: duration().prefault('2m'),
  maxWait: duration().prefault('500ms'),
  minBytes: bytes(1).default(1),
  maxRequestBytes: bytes(kibibyte).default(8 * mebibyte),
  maxPartitionBytes: bytes(kibibyte).default(mebibyte),
  maxBufferedBytes: bytes(kibibyte).default(32 * mebibyte),
});

const connectionNames = ['brokers', 'clientId', 'ssl', 'sasl', 'connectTimeout', 'requestTimeout'] as const;

/** Checks the options; throws one `SettingsError` that names every problem, those of the connection included. */
export function kafkaSourceSettings<T>(given: KafkaSourceOptions<T>): KafkaSourceSettings<T> {
  const all: Record<string, unknown> = { ...(given as object) };
  const connection: Record<string, unknown> = {};
  for (const name of connectionNames) {
    if (all[name] !== undefined) connection[name] = all[name];
    delete all[name];
  }
  const problems: string[] = [];
  const where = connectionOf(connection, problems);
  const parsed = schema.safeParse(all, { reportInput: true });
  if (!parsed.success) problems.push(...settingsProblems(parsed.error.issues));
  else problems.push(...crossChecks(parsed.data));
  if (!parsed.success || !where || problems.length > 0) {
    throw new SettingsError('The options of the Kafka source are not right', problems);
  }
  const settings = parsed.data;
  return {
    connection,
    location: where.location,
    topics: settings.topic,
    value: settings.value as Deserializer<T>,
    name: settings.name ?? defaultName(settings.topic),
    group: settings.group,
    start: settings.start,
    withoutGroupOffset: settings.withoutGroupOffset,
    stop: settings.stop,
    discovery: settings.stop === undefined ? settings.discovery : 'off',
    timestamp: settings.timestamp === 'kafka' ? undefined : settings.timestamp,
    onBadRecord: settings.onBadRecord,
    onMissingOffset: settings.onMissingOffset,
    isolation: settings.isolation,
    commitOffsets: settings.commitOffsets,
    autoCommitInterval: settings.autoCommitInterval,
    partitionOf: settings.partitionOf,
    retryTimeoutMs: settings.retryTimeout,
    maxWaitMs: settings.maxWait,
    minBytes: settings.minBytes,
    requestBytes: settings.maxRequestBytes,
    partitionBytes: settings.maxPartitionBytes,
    bufferBytes: settings.maxBufferedBytes,
  };
}

function connectionOf(given: Record<string, unknown>, problems: string[]): KafkaConnectionSettings | undefined {
  try {
    return kafkaConnectionSettings(given);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    problems.push(...error.problems);
    return undefined;
  }
}

function crossChecks(settings: z.output<typeof schema>): string[] {
  const problems: string[] = [];
  const { topic, maxBufferedBytes, maxPartitionBytes, maxRequestBytes } = settings;
  if (!(topic instanceof RegExp)) {
    const repeated = topic.find((one, index) => topic.indexOf(one) !== index);
    if (repeated !== undefined) problems.push(`topic: "${repeated}" is named twice`);
    for (const [field, at] of [
      ['start', settings.start],
      ['stop', settings.stop],
    ] as const) {
      const named = typeof at === 'object' && 'offsets' in at ? Object.keys(at.offsets) : [];
      for (const one of named.filter(name => !topic.includes(name))) {
        problems.push(`${field}.offsets: "${one}" is none of the topics that are read`);
      }
    }
  }
  if (settings.name === undefined && defaultName(topic).length > 249) {
    problems.push('name: the default is longer than 249 characters; give a short name');
  }
  if (maxRequestBytes < maxPartitionBytes) {
    problems.push(`maxRequestBytes: ${maxRequestBytes} is less than maxPartitionBytes, ${maxPartitionBytes}`);
  }
  if (maxBufferedBytes < maxRequestBytes) {
    problems.push(`maxBufferedBytes: ${maxBufferedBytes} is less than maxRequestBytes, ${maxRequestBytes}`);
  }
  const { onBadRecord: policy } = settings;
  if (typeof policy === 'object' && selects(topic, { topic: policy.deadLetter, isInternal: false, partitions: [] })) {
    problems.push(`onBadRecord.deadLetter: "${policy.deadLetter}" is read by this source itself`);
  }
  return problems;
}

const defaultName = (selection: TopicSelection): string =>
  `kafka:${selection instanceof RegExp ? String(selection) : selection.join(',')}`;
