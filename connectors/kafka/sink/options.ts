import { z } from 'zod';
import { type Duration, type Key, SettingsError, settingsFields, settingsProblems } from '../../../lib/index.ts';
import type { Serializer } from '../format/serializer.ts';
import { type KafkaConnectionOptions, kafkaConnectionSettings } from '../options.ts';
import type { Partitioner } from '../partition/partitioner.ts';
import type { ProducerOptions } from '../produce/options.ts';
import type { Compression, Header } from '../record.ts';

const { choice, duration, functionOf, objectWith, section, wholeNumber } = settingsFields;

/** How a topic is made that is not there. */
export interface NewTopicOptions {
  /** Default: what the brokers are set to (`num.partitions`). */
  readonly partitions?: number;
  /** Default: what the brokers are set to. */
  readonly replicationFactor?: number;
  /** Settings of the topic, such as `{ 'cleanup.policy': 'compact' }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** What a Kafka sink takes, beside where the cluster is. */
export interface KafkaSinkOptions<T> extends KafkaConnectionOptions {
  /** Where records go; a function chooses for each. */
  readonly topic: string | ((value: T) => string);
  /** Makes the bytes of record values: `json()`, `string()`, `bytes()`, `avro(…)`, …; `null` is written as a record without value. */
  readonly value: Serializer<T>;
  /** The key of a record; default: the stream's key as a text (a tuple as JSON), `null` on a stream without one. */
  readonly key?: (value: T, key: Key | undefined) => string | Uint8Array | null;
  readonly headers?: (value: T) => readonly Header[] | Readonly<Record<string, string | Uint8Array | null>>;
  /** ms since 1970; default: the record's event time, or now where it has none. */
  readonly timestamp?: (value: T, eventTime: number) => number;
  /** Default: by key as Kafka's Java client does (murmur2); records without a key fill one partition's batch after another. */
  readonly partitioner?: Partitioner<T>;
  /**
   * `exactly-once` (default): in the transaction that is the checkpoint. `at-least-once`: acknowledged before the checkpoint.
   * `none`: as it comes.
   */
  readonly guarantee?: 'none' | 'at-least-once' | 'exactly-once';
  /** Ties what checkpoints hold to the sink for life; default `kafka:` and its topic. Needed when `topic` is a function. */
  readonly name?: string;
  /** What to do when a topic is not there: `create` (default), how to create it, or `fail`. */
  readonly missingTopics?: 'create' | 'fail' | NewTopicOptions;
  /** How old a transaction can get before the broker aborts it; default `15m`, or what the brokers allow. */
  readonly transactionTimeout?: Duration;
  /** Whose acknowledgement is waited for; default `all`, the only choice unless the guarantee is `none`. */
  readonly acks?: 'all' | 'leader' | 'none';
  /** How batches are packed; default `none`. */
  readonly compression?: Compression;
  /** Bytes at which the batch of a partition is sent; default 128 KiB. */
  readonly batchBytes?: number;
  /** How long a smaller batch waits for more; default `5ms`. */
  readonly linger?: Duration;
  /** Requests to one broker that may lack their answer, 1 to 5; default 5. */
  readonly maxInFlight?: number;
  /** Bytes that may lack their acknowledgement before sources pause; default 32 MiB. */
  readonly bufferBytes?: number;
  /** How long Kafka may be out of reach before the task fails; default `2m`. */
  readonly deliveryTimeout?: Duration;
}

export interface KafkaSinkSettings<T> {
  readonly connection: KafkaConnectionOptions;
  readonly name: string;
  readonly topic: string | ((value: T) => string);
  readonly value: Serializer<T>;
  readonly key: KafkaSinkOptions<T>['key'];
  readonly headers: KafkaSinkOptions<T>['headers'];
  readonly timestamp: KafkaSinkOptions<T>['timestamp'];
  readonly partitioner: Partitioner<T> | undefined;
  readonly guarantee: 'none' | 'at-least-once' | 'exactly-once';
  readonly missingTopics: 'fail' | NewTopicOptions;
  readonly transactionTimeoutMs: number | undefined;
  readonly producer: ProducerOptions;
}

const topicText = 'a topic (1 to 249 letters, digits, ".", "_" or "-"), or a function that chooses one';
const isTopic = (given: string): boolean => /^[A-Za-z0-9._-]{1,249}$/.test(given) && given !== '.' && given !== '..';
const anyFunction = (what: string) => functionOf<(...given: never[]) => unknown>(what);

const schema = section({
  topic: z.union([z.string().refine(isTopic, { error: topicText }), anyFunction(topicText)], { error: topicText }),
  value: objectWith<Serializer<unknown>>('a serializer such as json()', ['serialize']),
  key: anyFunction('a function of the value and the key of the stream').optional(),
  headers: anyFunction('a function of the value').optional(),
  timestamp: anyFunction('a function of the value and its event time').optional(),
  partitioner: anyFunction('a function of the value and its record').optional(),
  guarantee: choice('none', 'at-least-once', 'exactly-once').default('exactly-once'),
  name: z.string({ error: 'a name' }).min(1, { error: 'a name' }).optional(),
  missingTopics: z
    .union(
      [
        z.literal('create').transform(() => ({})),
        z.literal('fail'),
        section({
          partitions: wholeNumber(1).optional(),
          replicationFactor: wholeNumber(1).optional(),
          settings: z.record(z.string(), z.string()).optional(),
        }),
      ],
      { error: '"create", "fail" or { partitions, replicationFactor, settings }' },
    )
    .prefault('create'),
  transactionTimeout: duration().optional(),
  acks: choice('all', 'leader', 'none').default('all'),
  compression: choice('none', 'gzip', 'snappy', 'lz4', 'zstd').default('none'),
  batchBytes: wholeNumber(1).default(128 * 1024),
  linger: duration({ zero: true }).prefault('5ms'),
  maxInFlight: wholeNumber(1).max(5, { error: 'a whole number from 1 to 5' }).default(5),
  bufferBytes: wholeNumber(1).default(32 * 1024 * 1024),
  deliveryTimeout: duration().prefault('2m'),
});

const connectionNames = ['brokers', 'clientId', 'ssl', 'sasl', 'connectTimeout', 'requestTimeout'] as const;

/** Checks the options; throws one `SettingsError` that names every problem, those of the connection included. */
export function kafkaSinkSettings<T>(given: KafkaSinkOptions<T>): KafkaSinkSettings<T> {
  const all: Record<string, unknown> = { ...(given as object) };
  const connection: Record<string, unknown> = {};
  for (const name of connectionNames) {
    if (all[name] !== undefined) connection[name] = all[name];
    delete all[name];
  }
  const problems: string[] = connectionProblems(connection);
  const parsed = schema.safeParse(all, { reportInput: true });
  if (!parsed.success) problems.push(...settingsProblems(parsed.error.issues));
  else problems.push(...crossChecks(parsed.data));
  if (!parsed.success || problems.length > 0) {
    throw new SettingsError('The options of the Kafka sink are not right', problems);
  }
  const settings = parsed.data;
  const { topic, guarantee, acks, compression, batchBytes, maxInFlight, bufferBytes } = settings;
  return {
    connection,
    name: settings.name ?? `kafka:${topic as string}`,
    topic: topic as KafkaSinkSettings<T>['topic'],
    value: given.value,
    key: given.key,
    headers: given.headers,
    timestamp: given.timestamp,
    partitioner: given.partitioner,
    guarantee,
    missingTopics: settings.missingTopics as KafkaSinkSettings<T>['missingTopics'],
    transactionTimeoutMs: settings.transactionTimeout,
    producer: {
      acks,
      compression,
      batchBytes,
      lingerMs: settings.linger,
      maxInFlight,
      bufferBytes,
      deliveryTimeoutMs: settings.deliveryTimeout,
    },
  };
}

function connectionProblems(given: Record<string, unknown>): readonly string[] & string[] {
  try {
    kafkaConnectionSettings(given);
    return [];
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return [...error.problems];
  }
}

function crossChecks({ topic, name, guarantee, acks, transactionTimeout }: z.output<typeof schema>): string[] {
  const problems: string[] = [];
  if (typeof topic === 'function' && name === undefined) {
    problems.push('name: needed when topic is a function, because it ties checkpoints to the sink');
  }
  if (guarantee !== 'none' && acks !== 'all') {
    problems.push(
      `acks: "${acks}" was given, but ${guarantee} needs "all"; a leader alone can lose what it acknowledged`,
    );
  }
  if (guarantee !== 'exactly-once' && transactionTimeout !== undefined) {
    problems.push(`transactionTimeout: there is no transaction when the guarantee is ${guarantee}`);
  }
  return problems;
}
