import {
  type CommitPointContext,
  type CommitPointIdentity,
  type CommitPointResolver,
  type CommitRecord,
  type ExternalCommitPoint,
  type Json,
  type Manifest,
  UnsupportedVersionError,
} from '../../../lib/index.ts';
import type { KafkaClient } from '../client/port.ts';
import { KafkaAnswerError, KafkaSecurityError } from '../errors.ts';
import { type KafkaConnectionOptions, kafkaConnectionSettings } from '../options.ts';
import { askCoordinator } from '../produce/coordinator-requests.ts';
import type { ProducerOptions } from '../produce/options.ts';
import { TransactionalProducer } from '../produce/transactional-producer.ts';
import { coordinatorVerdict } from '../produce/verdict.ts';
import { sharedClient } from '../shared-client.ts';
import { commitGroup, commitPartition, decodeRecord, encodeRecord } from './commit-record.ts';
import { ensureCommitTopic } from './internal-topic.ts';
import { clusterOf, sourceOffsets } from './source-offsets.ts';
import { KafkaTransaction } from './transaction.ts';
import { transactionTimeout } from './transaction-timeout.ts';

export interface KafkaCommitPointOptions {
  readonly connection: KafkaConnectionOptions;
  /** ms; left out: what fits. */
  readonly transactionTimeout?: number | undefined;
  readonly producer: Omit<ProducerOptions, 'acks'>;
}

/** The first version of OffsetFetch that waits for transactions (KIP-447): Kafka 2.5. */
const stableOffsetFetch = 7;
const readMs = 60_000;

/** Decides by a Kafka transaction that holds the output since the last checkpoint, the sources' offsets and the commit record. */
export class KafkaCommitPoint implements ExternalCommitPoint {
  readonly kind = 'kafka';
  readonly #options: KafkaCommitPointOptions;
  readonly #context: CommitPointContext;
  readonly #client: KafkaClient;
  readonly #group: string;
  readonly #stopped = new AbortController();
  #transaction: KafkaTransaction | undefined;

  constructor(options: KafkaCommitPointOptions, context: CommitPointContext, client?: KafkaClient) {
    this.#options = options;
    this.#context = context;
    this.#client = client ?? sharedClient(context, options.connection);
    this.#group = commitGroup(context);
  }

  /** Once open; the sinks write into it. */
  get transaction(): KafkaTransaction | undefined {
    return this.#transaction;
  }

  async open(): Promise<CommitPointIdentity> {
    const client = this.#client;
    await client.connect();
    const version = (await client.supports('OffsetFetch')) ?? -1;
    if (version < stableOffsetFetch) {
      throw new UnsupportedVersionError(
        `Exactly-once needs Kafka 2.5 or newer (OffsetFetch ${stableOffsetFetch}, which waits for transactions); ${client.location} ` +
          `has OffsetFetch ${version}. Use the guarantee at-least-once, or newer brokers.`,
      );
    }
    const clusterId = await client.clusterId();
    const allowed = await client.setting({ broker: 'any' }, 'transaction.max.timeout.ms');
    const brokerMax = allowed === undefined || Number.isNaN(Number(allowed)) ? undefined : Number(allowed);
    const { scheduler, logger, settings } = this.#context;
    const timeoutMs = transactionTimeout(this.#options.transactionTimeout, brokerMax, settings);
    await ensureCommitTopic(client);
    this.#transaction = new KafkaTransaction(
      client,
      {
        logger,
        scheduler,
        transactionalId: this.#group,
        checkpoint: () => this.#context.checkpoint(),
        error: error => this.#context.error(error),
      },
      { clusterId, timeoutMs, producer: this.#options.producer },
    );
    return { kind: this.kind, clusterId, location: client.location };
  }

  async read(isStable: boolean): Promise<CommitRecord | undefined> {
    const group = this.#group;
    const answer = await askCoordinator(
      this.#client,
      {
        kind: 'group',
        key: group,
        action: `read the commit record of group "${group}"`,
        ask: async node => {
          const { error, partitions } = await node.offsetFetch(group, [commitPartition], isStable);
          const [found] = partitions;
          if (error !== 'NONE' || found === undefined) return { error, offset: -1, metadata: '' };
          return found;
        },
        judge: ({ error }) => {
          // Of the last the broker does not say more; such a failure has been seen to pass.
          if (error === 'UNSTABLE_OFFSET_COMMIT' || error === 'UNKNOWN_SERVER_ERROR') return 'again';
          // The topic was made a moment ago, and not every broker knows it: nothing can have been committed.
          if (error === 'UNKNOWN_TOPIC_OR_PARTITION') return 'done';
          const verdict = coordinatorVerdict(error);
          if (verdict === 'done' || verdict === 'again' || verdict === 'again elsewhere') return verdict;
          const what = `The commit record of group "${group}" could not be read from ${this.#client.location}: ${error}.`;
          if (!error.endsWith('_AUTHORIZATION_FAILED')) throw new KafkaAnswerError(error, what);
          throw new KafkaSecurityError(
            `${what} The user needs READ on the group, and DESCRIBE on the topic tidemark.commits.`,
          );
        },
        withinMs: readMs,
      },
      this.#stopped.signal,
    );
    return decodeRecord(answer.offset, answer.metadata, group);
  }

  fence(): Promise<void> {
    return this.#opened().init();
  }

  began(): void {
    this.#transaction?.began();
  }

  abandoned(): void {
    this.#transaction?.over();
  }

  async commit(manifest: Manifest, record: CommitRecord): Promise<void> {
    const transaction = this.#opened();
    const groups: [string, { topic: string; partition: number; offset: number; metadata: string }[]][] = [];
    for (const [group, offsets] of sourceOffsets(manifest, transaction.clusterId)) groups.push([group, [...offsets]]);
    groups.push([this.#group, [{ ...commitPartition, ...encodeRecord(record) }]]);
    await transaction.commit(groups, this.#context.settings.commitTimeout);
  }

  /** The offsets of sources on this cluster are in the transaction. */
  publishes(position: Json): boolean {
    return clusterOf(position) === this.#transaction?.clusterId;
  }

  async confirmed(): Promise<void> {
    const transaction = this.#opened();
    await transaction.renew();
    transaction.over();
  }

  /** A producer of its own, so that whatever was under way has come to its end before. */
  async forget(record: CommitRecord): Promise<void> {
    const { timeoutMs } = this.#opened();
    const producer = new TransactionalProducer(this.#client, this.#options.producer, { failed() {} });
    try {
      await producer.init(this.#group, timeoutMs);
      await producer.sendOffsets(this.#group, [{ ...commitPartition, ...encodeRecord(record) }]);
      await producer.end('commit', this.#context.settings.commitTimeout);
    } finally {
      producer.close();
    }
  }

  async close(): Promise<void> {
    this.#stopped.abort(new Error('the task has ended'));
    await this.#transaction?.close();
  }

  #opened(): KafkaTransaction {
    if (!this.#transaction) throw new Error('the commit point is not open');
    return this.#transaction;
  }
}

/** Names a cluster on which checkpoints were decided, for the setting `recovery.previousCommitPoint`. */
export function kafkaCommitPoint(connection: KafkaConnectionOptions = {}): CommitPointResolver {
  kafkaConnectionSettings(connection);
  return {
    async resolve(identity, context) {
      if (identity.kind !== 'kafka') return undefined;
      const client = sharedClient(context, connection);
      await client.connect();
      if ((await client.clusterId()) !== identity.clusterId) return undefined;
      return new KafkaCommitPoint({ connection, producer: {} }, context, client);
    },
  };
}
