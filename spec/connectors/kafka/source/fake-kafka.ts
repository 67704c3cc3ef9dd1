import type {
  CommittedOffset,
  FetchedPartition,
  FetchRequest,
  KafkaClient,
  KafkaNode,
  TopicMetadata,
  TopicPartition,
} from '../../../../connectors/kafka/client/port.ts';
import { PartitionMap } from '../../../../connectors/kafka/source/partitions.ts';
import type { SourceServices } from '../../../../connectors/kafka/source/source-services.ts';
import { FakeLog } from './fake-log.ts';

const notAsked = () => Promise.reject(new Error('a source does not ask this'));

/** A cluster in memory whose answers a spec can bend. */
export class FakeKafka {
  id = 'fake-cluster';
  readonly logs = new PartitionMap<FakeLog>();
  readonly leaders = new PartitionMap<number>();
  readonly groups = new Map<string, PartitionMap<number>>();
  readonly settings = new Map<string, string>();
  /** Fetches that were asked, by node. */
  readonly fetches: { readonly node: number; readonly request: FetchRequest }[] = [];
  readonly commits: { readonly group: string; readonly offsets: readonly CommittedOffset[] }[] = [];
  /** Takes the place of the answer to a fetch; throws for a lost connection. */
  onFetch: ((request: FetchRequest, node: number) => readonly FetchedPartition[] | undefined) | undefined;
  /** An error for each partition that is committed. */
  commitError = 'NONE';
  /** An error of the group's offsets. */
  offsetFetchError: (() => string) | undefined;
  listError: ((of: TopicPartition) => string) | undefined;
  /** What each answer about offsets, found out before, waits for. */
  beforeListAnswer: (() => Promise<void>) | undefined;
  /** Before a setting is told; throws for a lost connection. */
  onSetting: (() => void) | undefined;
  onTopics: (() => void) | undefined;
  forgotten = 0;
  isClosed = false;
  /** Fetches that wait for records; told at each append through `changed`. */
  readonly #waiting = new Set<() => void>();

  /** Makes a topic with empty partitions, led by node 1. */
  /** The ids of topics; where there is none, the broker gives none. */
  readonly ids = new Map<string, string>();

  topic(topic: string, partitions = 1, node = 1): FakeLog[] {
    return Array.from({ length: partitions }, (_, partition) => {
      const known = this.logs.get({ topic, partition });
      if (known) return known;
      const log = new FakeLog();
      this.logs.set({ topic, partition }, log);
      this.leaders.set({ topic, partition }, node);
      return log;
    });
  }

  /** Answers the fetches that wait, as a broker does when records have come or its time is over. */
  changed(): void {
    for (const answer of [...this.#waiting]) answer();
  }

  services(): SourceServices {
    return { client: () => this.client(), ownClient: () => this.client() };
  }

  client(): KafkaClient {
    return {
      location: 'kafka://fake:9092',
      connect: async () => {},
      clusterId: async () => this.id,
      topics: async names => {
        this.onTopics?.();
        return this.#metadata().filter(({ topic }) => names === 'all' || names.includes(topic));
      },
      leader: of => {
        const node = this.leaders.get(of);
        return node === undefined || node < 0 ? undefined : this.node(node);
      },
      forgetLeader: () => {
        this.forgotten++;
      },
      coordinator: async () => this.node(1),
      forgetCoordinator: () => {
        this.forgotten++;
      },
      createTopics: notAsked,
      setting: async (_, name) => {
        this.onSetting?.();
        return this.settings.get(name);
      },
      supports: notAsked,
      close: async () => {
        this.isClosed = true;
      },
    };
  }

  node(id: number): KafkaNode {
    const notProducing = {
      produce: notAsked,
      initProducerId: notAsked,
      addPartitionsToTxn: notAsked,
      deleteRecords: notAsked,
    };
    const notCommitting = { addOffsetsToTxn: notAsked, txnOffsetCommit: notAsked, endTxn: notAsked };
    const notJoining = { joinGroup: notAsked, syncGroup: notAsked, heartbeat: notAsked, leaveGroup: notAsked };
    return {
      id,
      address: `fake-${id}:9092`,
      ...notProducing,
      ...notCommitting,
      ...notJoining,
      fetch: request => this.#fetch(id, request),
      listOffsets: async (queries, isolation) => {
        const answers = queries.map(({ topic, partition, at }) => {
          const error = this.listError?.({ topic, partition }) ?? 'NONE';
          const offset = error === 'NONE' ? (this.logs.get({ topic, partition })?.offsetAt(at, isolation) ?? -1) : -1;
          return { topic, partition, error, offset, timestamp: -1 };
        });
        await this.beforeListAnswer?.();
        return answers;
      },
      offsetFetch: async (group, partitions, requireStable) => ({
        error: requireStable ? (this.offsetFetchError?.() ?? 'NONE') : 'asked for what may still change',
        partitions: (partitions ?? []).map(({ topic, partition }) => {
          const offset = this.groups.get(group)?.get({ topic, partition }) ?? -1;
          return { topic, partition, offset, metadata: '', error: 'NONE' };
        }),
      }),
      offsetCommit: async ({ group, offsets }) => {
        this.commits.push({ group, offsets });
        return offsets.map(({ topic, partition }) => ({ topic, partition, error: this.commitError }));
      },
    };
  }

  /** As a broker: waits when there is nothing. */
  async #fetch(node: number, request: FetchRequest): Promise<readonly FetchedPartition[]> {
    this.fetches.push({ node, request });
    await new Promise(resolve => setImmediate(resolve));
    const bent = this.onFetch?.(request, node);
    if (bent) return bent;
    const answers = this.#answers(request, node);
    if (answers.some(({ error, records }) => error !== 'NONE' || records.length > 0)) return answers;
    await new Promise<void>(resolve => {
      const answer = () => {
        this.#waiting.delete(answer);
        resolve();
      };
      this.#waiting.add(answer);
    });
    return this.onFetch?.(request, node) ?? this.#answers(request, node);
  }

  /** What a broker would answer now. */
  answers(request: FetchRequest, node = 1): FetchedPartition[] {
    return this.#answers(request, node);
  }

  #answers({ partitions, isolation, maxBytes }: FetchRequest, node: number): FetchedPartition[] {
    let left = maxBytes;
    return partitions.map(({ topic, partition, offset, maxBytes: most }) => {
      const log = this.logs.get({ topic, partition });
      const empty = { topic, partition, highWatermark: -1, lastStableOffset: -1, logStartOffset: -1 };
      const nothing = { ...empty, abortedTransactions: [], records: Buffer.alloc(0) };
      if (!log) return { ...nothing, error: 'UNKNOWN_TOPIC_OR_PARTITION' };
      if (this.leaders.get({ topic, partition }) !== node) return { ...nothing, error: 'NOT_LEADER_OR_FOLLOWER' };
      const answer = log.fetch({ topic, partition }, offset, Math.min(left, most), isolation);
      if (left <= 0) return { ...answer, records: Buffer.alloc(0) };
      left -= answer.records.length;
      return answer;
    });
  }

  #metadata(): TopicMetadata[] {
    return [...this.logs.topics()].map(([topic, partitions]) => ({
      topic,
      ...(this.ids.has(topic) ? { id: this.ids.get(topic) as string } : {}),
      isInternal: topic.startsWith('__'),
      partitions: [...partitions.keys()].map(partition => ({
        ...{ topic, partition, leader: this.leaders.get({ topic, partition }) ?? -1, leaderEpoch: 0 },
      })),
    }));
  }
}
