import { randomUUID } from 'node:crypto';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import { kafkaClient } from '../../../../connectors/kafka/client/kafkajs/kafka-client.ts';
import type { KafkaClient, ProducerIdentity } from '../../../../connectors/kafka/client/port.ts';
import { BatchWriter } from '../../../../connectors/kafka/client/wire/record-batch-writer.ts';
import type { Json, Source } from '../../../../lib/index.ts';
import { keptLog, SourceProbe } from '../../../contract/source-probe.ts';
import '../../../../tools/services/kafka/without-timer-warning.ts';

export interface WrittenRecord {
  readonly key?: Uint8Array | string | null;
  readonly value: Uint8Array | string | null;
  /** ms since 1970. */
  readonly timestamp?: number;
}

/** A producer with an open transaction, whose requests a spec makes one by one: transactions can interleave as it wants. */
export class OpenTransaction {
  readonly #cluster: SourceCluster;
  readonly #identity: ProducerIdentity;
  readonly #sequences = new Map<string, number>();

  constructor(cluster: SourceCluster, identity: ProducerIdentity) {
    this.#cluster = cluster;
    this.#identity = identity;
  }

  /** One batch; answers its first offset. */
  async write(topic: string, partition: number, records: readonly WrittenRecord[]): Promise<number> {
    const coordinator = await this.#cluster.client.coordinator('transaction', this.#identity.transactionalId);
    const place = `${topic}-${partition}`;
    const baseSequence = this.#sequences.get(place) ?? 0;
    await this.#cluster.untilDone(async () => {
      const [added] = await coordinator.addPartitionsToTxn(this.#identity, [{ topic, partition }]);
      return added?.error ?? 'NOTHING';
    });
    this.#sequences.set(place, baseSequence + records.length);
    const { producerId, producerEpoch, transactionalId } = this.#identity;
    return this.#cluster.produce(topic, partition, records, {
      identity: { producerId, producerEpoch, baseSequence, isTransactional: true },
      transactionalId,
    });
  }

  /** Resolves when the markers are written: the last stable offset has moved. */
  async end(outcome: 'commit' | 'abort', topic: string, partition: number): Promise<void> {
    const before = await this.#cluster.end(topic, partition);
    const coordinator = await this.#cluster.client.coordinator('transaction', this.#identity.transactionalId);
    await this.#cluster.untilDone(() => coordinator.endTxn(this.#identity, outcome));
    while ((await this.#cluster.end(topic, partition)) === before);
  }
}

/** What specs of the source do to the cluster that they share. */
export class SourceCluster {
  readonly client: KafkaClient = kafkaClient({ clientId: 'source-spec' }, keptLog([]));
  readonly #kafka = new Kafka({
    clientId: 'source-spec',
    brokers: (process.env.KAFKA_BROKERS ?? '').split(','),
    logLevel: logLevel.NOTHING,
  });
  readonly #admin: Admin = this.#kafka.admin();
  readonly #topics = new Set<string>();
  readonly #probes: SourceProbe<unknown>[] = [];

  async connect(): Promise<void> {
    await Promise.all([this.client.connect(), this.#admin.connect()]);
  }

  async close(): Promise<void> {
    await this.closeProbes();
    const topics = [...this.#topics];
    if (topics.length > 0) await this.#admin.deleteTopics({ topics });
    await this.#admin.disconnect();
    await this.client.close();
  }

  async closeProbes(): Promise<void> {
    for (const probe of this.#probes.splice(0)) await probe.close();
  }

  /** A probe that is closed with the cluster. */
  async open<T>(source: Source<T>, position?: Json): Promise<SourceProbe<T>> {
    const probe = await SourceProbe.open(source, position);
    this.#probes.push(probe as SourceProbe<unknown>);
    return probe;
  }

  /** What a bounded source gives from a position. */
  async read<T>(source: Source<T>, position?: Json): Promise<SourceProbe<T>> {
    const probe = await this.open(source, position);
    probe.start();
    await probe.untilCompleted();
    return probe;
  }

  /** Resolves when the topic is there and each of its partitions has a leader. */
  async topic(partitions = 1, { name = `source-spec-${randomUUID()}`, settings = {} } = {}): Promise<string> {
    await this.client.createTopics([{ topic: name, partitions, settings }]);
    this.#topics.add(name);
    await this.#untilPartitions(name, partitions);
    return name;
  }

  async addPartitions(topic: string, count: number): Promise<void> {
    await this.#admin.createPartitions({ topicPartitions: [{ topic, count }] });
    await this.#untilPartitions(topic, count);
  }

  async deleteTopic(topic: string): Promise<void> {
    await this.#admin.deleteTopics({ topics: [topic] });
    this.#topics.delete(topic);
    while ((await this.client.topics([topic])).length > 0);
  }

  /** Removes the records before an offset, as retention does. */
  async purge(topic: string, partition: number, offset: number): Promise<void> {
    // kafkajs deletes only in topics whose leaders it knows, and finds them here.
    await this.#admin.fetchTopicOffsets(topic);
    await this.#admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] });
  }

  async commitOffsets(group: string, topic: string, offsets: Readonly<Record<number, number>>): Promise<void> {
    const coordinator = await this.client.coordinator('group', group);
    const committed = Object.entries(offsets).map(([partition, offset]) => ({
      ...{ topic, partition: Number(partition), offset, metadata: '' },
    }));
    await this.untilDone(async () => {
      const answers = await coordinator.offsetCommit({ group, offsets: committed });
      return answers.find(({ error }) => error !== 'NONE')?.error ?? 'NONE';
    });
  }

  /** By partition; those without are left out. */
  async committedOffsets(groupId: string, topic: string): Promise<Record<number, number>> {
    const [found] = await this.#admin.fetchOffsets({ groupId, topics: [topic] });
    const known = (found?.partitions ?? []).filter(({ offset }) => Number(offset) >= 0);
    return Object.fromEntries(known.map(({ partition, offset }) => [partition, Number(offset)]));
  }

  /** One batch without a transaction; answers its first offset. */
  write(topic: string, partition: number, records: readonly (WrittenRecord | string)[]): Promise<number> {
    return this.produce(
      topic,
      partition,
      records.map(one => (typeof one === 'string' ? { value: one } : one)),
    );
  }

  async produce(
    topic: string,
    partition: number,
    records: readonly WrittenRecord[],
    by: { identity?: Parameters<BatchWriter['encoded']>[0]; transactionalId?: string } = {},
  ): Promise<number> {
    const writer = new BatchWriter();
    for (const { key = null, value, timestamp = Date.now() } of records) writer.append(timestamp, key, value, []);
    writer.close('none');
    const node = await this.client.leader({ topic, partition });
    const [answer] = await (node as NonNullable<typeof node>).produce({
      acks: -1,
      timeoutMs: 10_000,
      transactionalId: by.transactionalId,
      batches: [{ topic, partition, records: writer.encoded(by.identity) }],
    });
    if (answer?.error !== 'NONE') throw new Error(`${answer?.error}: ${topic}-${partition} was not written`);
    return answer.baseOffset;
  }

  async transaction(): Promise<OpenTransaction> {
    const transactionalId = `source-spec-${randomUUID()}`;
    const coordinator = await this.client.coordinator('transaction', transactionalId);
    let identity: ProducerIdentity | undefined;
    await this.untilDone(async () => {
      const { error, producerId, producerEpoch } = await coordinator.initProducerId(transactionalId, 60_000);
      identity = { transactionalId, producerId, producerEpoch };
      return error;
    });
    return new OpenTransaction(this, identity as ProducerIdentity);
  }

  /** The offset behind the last record or marker. */
  async end(topic: string, partition: number): Promise<number> {
    const node = await this.client.leader({ topic, partition });
    const [answer] = await (node as NonNullable<typeof node>).listOffsets(
      [{ topic, partition, at: 'latest' }],
      'read_uncommitted',
    );
    return answer?.offset ?? -1;
  }

  /** Asks again while the broker is busy with what was asked before. */
  async untilDone(ask: () => Promise<string>): Promise<void> {
    for (;;) {
      const error = await ask();
      if (error === 'NONE') return;
      if (error !== 'CONCURRENT_TRANSACTIONS' && error !== 'COORDINATOR_LOAD_IN_PROGRESS') throw new Error(error);
    }
  }

  /** Until each partition has a leader that knows it is the leader. */
  async #untilPartitions(topic: string, count: number): Promise<void> {
    for (let partition = 0; partition < count; ) {
      const node = await this.client.leader({ topic, partition });
      const [answer] = (await node?.listOffsets([{ topic, partition, at: 'latest' }], 'read_uncommitted')) ?? [];
      if (answer?.error === 'NONE') partition++;
      else this.client.forgetLeader({ topic, partition });
    }
  }
}
