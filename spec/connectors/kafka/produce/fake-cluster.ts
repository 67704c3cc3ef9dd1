import type {
  CoordinatorKind,
  KafkaClient,
  KafkaNode,
  ProducedPartition,
  ProduceRequest,
  ProducerIdentity,
  TopicPartition,
} from '../../../../connectors/kafka/client/port.ts';
import { BatchCursor } from '../../../../connectors/kafka/client/wire/record-batch-reader.ts';
import { KafkaConnectionError } from '../../../../connectors/kafka/errors.ts';

/** A batch as a node got it. */
export interface SeenBatch extends TopicPartition {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly isTransactional: boolean;
  readonly values: readonly string[];
}

/** One request: to which node, what, and with which batches. */
export interface Seen {
  readonly node: number;
  readonly api: string;
  readonly what: unknown;
  readonly batches: readonly SeenBatch[];
}

type Answer = (seen: Seen) => unknown;

export const noConnection = () => {
  throw new KafkaConnectionError('the connection was cut');
};

/**
 * Brokers that answer as a spec says: `next` for one request of an API, else `answers`, else that all is well. What it was
 * asked is in `seen`.
 */
export class FakeCluster {
  readonly seen: Seen[] = [];
  readonly forgotten: string[] = [];
  readonly answers = new Map<string, Answer>();
  readonly leaders = new Map<string, number | undefined>();
  coordinatorOf: (kind: CoordinatorKind, key: string) => number = () => 9;
  epoch = 0;
  readonly #once = new Map<string, Answer[]>();
  readonly #nodes = new Map<number, KafkaNode>();

  /** For one coming request of this API. */
  next(api: string, answer: Answer): void {
    this.#once.set(api, [...(this.#once.get(api) ?? []), answer]);
  }

  /** For one coming request: it is held until the returned function is called. */
  hold(api: string, answer?: Answer): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.next(api, async seen => {
      await promise;
      return (answer ?? (one => this.#well(one)))(seen);
    });
    return resolve;
  }

  of(api: string): Seen[] {
    return this.seen.filter(one => one.api === api);
  }

  /** `node: topic/partition@sequence values` of each batch, in the order in which they came. */
  get batches(): string[] {
    return this.of('produce').flatMap(({ node, batches }) =>
      batches.map(
        ({ topic, partition, baseSequence, values }) =>
          `${node}: ${topic}/${partition}@${baseSequence} ${values.join(' ')}`,
      ),
    );
  }

  get client(): KafkaClient {
    const client: Partial<KafkaClient> = {
      location: 'kafka://fake',
      leader: ({ topic, partition }) => {
        const id = this.leaders.has(topic) ? this.leaders.get(topic) : partition % 2;
        return id === undefined ? undefined : this.node(id);
      },
      forgetLeader: ({ topic, partition }) => void this.forgotten.push(`${topic}/${partition}`),
      coordinator: (kind, key) => this.node(this.coordinatorOf(kind, key)),
      forgetCoordinator: (kind, key) => void this.forgotten.push(`${kind} ${key}`),
    };
    return client as KafkaClient;
  }

  node(id: number): KafkaNode {
    const known = this.#nodes.get(id);
    if (known) return known;
    const ask = async (api: string, what: unknown, batches: readonly SeenBatch[] = []): Promise<never> => {
      const seen = { node: id, api, what, batches };
      this.seen.push(seen);
      const answer = this.#once.get(api)?.shift() ?? this.answers.get(api) ?? (one => this.#well(one));
      return (await answer(seen)) as never;
    };
    const node: Partial<KafkaNode> = {
      id,
      address: `fake:${id}`,
      produce: request => ask('produce', request, request.batches.map(seenBatch)),
      initProducerId: (transactionalId, timeoutMs) => ask('initProducerId', { transactionalId, timeoutMs }),
      addPartitionsToTxn: (producer, partitions) => ask('addPartitionsToTxn', { producer, partitions }),
      addOffsetsToTxn: (producer, group) => ask('addOffsetsToTxn', { producer, group }),
      txnOffsetCommit: (producer, group, partitions) => ask('txnOffsetCommit', { producer, group, partitions }),
      endTxn: (producer, outcome) => ask('endTxn', { producer, outcome }),
    };
    this.#nodes.set(id, node as KafkaNode);
    return node as KafkaNode;
  }

  #well({ api, what, batches }: Seen): unknown {
    if (api === 'produce') return (what as ProduceRequest).acks === 0 ? [] : answered(batches, 'NONE');
    if (api === 'initProducerId') return { error: 'NONE', producerId: 7, producerEpoch: this.epoch++ };
    if (api === 'addPartitionsToTxn' || api === 'txnOffsetCommit') return answered(partitionsOf(what), 'NONE');
    return 'NONE';
  }
}

/** The same answer for each of these partitions. */
export const answered = (partitions: readonly TopicPartition[], error: string): ProducedPartition[] =>
  partitions.map(({ topic, partition }) => ({ topic, partition, error, baseOffset: 0 }));

export const partitionsOf = (what: unknown) =>
  (what as { readonly producer: ProducerIdentity; readonly partitions: readonly TopicPartition[] }).partitions;

function seenBatch({ topic, partition, records }: ProduceRequest['batches'][number]): SeenBatch {
  const cursor = new BatchCursor(records);
  cursor.nextBatch();
  const { producerId, producerEpoch, baseSequence, isTransactional } = cursor;
  const values: string[] = [];
  while (cursor.nextRecord()) values.push(String(cursor.value()));
  return { topic, partition, producerId, producerEpoch, baseSequence, isTransactional, values };
}

/** Lets everything happen that waits for nothing but its turn. */
export const turn = () => new Promise<void>(resolve => setImmediate(resolve));

/** Comes back when this is so; a spec that waits in vain ends by its timeout. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(resolve => setTimeout(resolve, 1));
}
