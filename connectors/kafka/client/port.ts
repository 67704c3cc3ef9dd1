import type { MaybePromise } from '../../../lib/index.ts';
import type { GroupNode } from './member-port.ts';

/** A partition of a topic. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** A partition as the cluster's metadata has it. */
export interface PartitionMetadata extends TopicPartition {
  /** Node id of its leader; -1 while there is none. */
  readonly leader: number;
  readonly leaderEpoch: number;
}

export interface TopicMetadata {
  readonly topic: string;
  /** Another one when the topic is deleted and made again; brokers before Kafka 2.8 have none. */
  readonly id?: string;
  readonly isInternal: boolean;
  /** By partition number, without gaps. */
  readonly partitions: readonly PartitionMetadata[];
}

/** What Kafka's error codes of an answer are called: 'NONE', 'NOT_LEADER_OR_FOLLOWER', 'INVALID_PRODUCER_EPOCH', …; 'UNKNOWN_<code>' for others. */
export type ErrorName = string;

export type CoordinatorKind = 'group' | 'transaction';

/**
 * One Kafka cluster: finds nodes and asks them. Error codes of an answer are part of the answer; what is thrown is a
 * `KafkaConnectionError` (no connection, no answer in time: whether the request took effect is not known) or a
 * `KafkaSecurityError`. Nothing in it repeats a request that changes something. All offsets are plain numbers.
 */
export interface KafkaClient {
  /** The bootstrap addresses, without credentials. */
  readonly location: string;
  /** Connects once, repeating within the connect timeout; then it is an `KafkaConnectionError` that names the brokers. */
  connect(): Promise<void>;
  clusterId(): Promise<string>;
  /** Fresh from the cluster. Topics that do not exist are left out; nothing is created. */
  topics(names: readonly string[] | 'all'): Promise<readonly TopicMetadata[]>;
  /** Leads the partition as far as is known; asks the cluster when it is not known. `undefined` while there is none. */
  leader(of: TopicPartition): MaybePromise<KafkaNode | undefined>;
  /** The leader is another one, or gone: ask the cluster at the next `leader`. */
  forgetLeader(of: TopicPartition): void;
  /** The coordinator of a group or a transactional id; asks the cluster when it is not known. */
  coordinator(kind: CoordinatorKind, key: string): MaybePromise<KafkaNode>;
  forgetCoordinator(kind: CoordinatorKind, key: string): void;
  /** Answers what became of each; 'TOPIC_ALREADY_EXISTS' is no failure of the call. */
  createTopics(topics: readonly NewTopic[]): Promise<readonly { readonly topic: string; readonly error: ErrorName }[]>;
  /** A setting of a broker (`transaction.max.timeout.ms`) or a topic; `undefined` when it may not be read. */
  setting(of: { readonly topic: string } | { readonly broker: 'any' }, name: string): Promise<string | undefined>;
  /** The highest version of an API that every connected broker understands; `undefined` where it does not know it at all. */
  supports(api: string): Promise<number | undefined>;
  /** Gives back every connection; idempotent. What waits for an answer fails. */
  close(): Promise<void>;
}

export interface NewTopic {
  readonly topic: string;
  readonly partitions: number;
  /** Left out: the broker's default. */
  readonly replicationFactor?: number;
  readonly settings?: Readonly<Record<string, string>>;
}

/** One broker. Each method is one request and its answer, whose topics and partitions come in any order. */
export interface KafkaNode extends GroupNode {
  readonly id: number;
  readonly address: string;
  fetch(request: FetchRequest): Promise<readonly FetchedPartition[]>;
  /** With `acks: 0` it answers at once, with nothing. */
  produce(request: ProduceRequest): Promise<readonly ProducedPartition[]>;
  listOffsets(
    queries: readonly OffsetQuery[],
    isolation: Isolation,
  ): Promise<
    readonly (TopicPartition & { readonly error: ErrorName; readonly offset: number; readonly timestamp: number })[]
  >;
  /** Deletes the records before these offsets. */
  deleteRecords(
    partitions: readonly (TopicPartition & { readonly before: number })[],
  ): Promise<readonly (TopicPartition & { readonly error: ErrorName })[]>;
  /** `partitions` undefined: all that the group has. `requireStable`: an offset of an open transaction answers UNSTABLE_OFFSET_COMMIT. */
  offsetFetch(
    group: string,
    partitions: readonly TopicPartition[] | undefined,
    requireStable: boolean,
  ): Promise<{ readonly error: ErrorName; readonly partitions: readonly FetchedOffset[] }>;
  offsetCommit(request: OffsetCommitRequest): Promise<readonly (TopicPartition & { readonly error: ErrorName })[]>;
  initProducerId(
    transactionalId: string | undefined,
    transactionTimeoutMs: number,
  ): Promise<{ readonly error: ErrorName; readonly producerId: number; readonly producerEpoch: number }>;
  addPartitionsToTxn(
    producer: ProducerIdentity,
    partitions: readonly TopicPartition[],
  ): Promise<readonly (TopicPartition & { readonly error: ErrorName })[]>;
  addOffsetsToTxn(producer: ProducerIdentity, group: string): Promise<ErrorName>;
  txnOffsetCommit(
    producer: ProducerIdentity,
    group: string,
    offsets: readonly CommittedOffset[],
  ): Promise<readonly (TopicPartition & { readonly error: ErrorName })[]>;
  endTxn(producer: ProducerIdentity, outcome: 'commit' | 'abort'): Promise<ErrorName>;
}

export interface ProducerIdentity {
  readonly transactionalId: string;
  readonly producerId: number;
  readonly producerEpoch: number;
}

export type Isolation = 'read_committed' | 'read_uncommitted';

export interface OffsetQuery extends TopicPartition {
  /** 'latest' under read_committed is the last stable offset. A number: the first record with this timestamp or later (-1 when there is none). */
  readonly at: 'earliest' | 'latest' | number;
}

export interface CommittedOffset extends TopicPartition {
  /** The next offset to read. */
  readonly offset: number;
  readonly metadata: string;
}

export interface FetchedOffset extends CommittedOffset {
  readonly error: ErrorName;
}

export interface OffsetCommitRequest {
  readonly group: string;
  /** Of a member; left out for a group that nobody joins. */
  readonly member?: { readonly memberId: string; readonly generation: number };
  readonly offsets: readonly CommittedOffset[];
}

export interface FetchRequest {
  readonly isolation: Isolation;
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly partitions: readonly (TopicPartition & { readonly offset: number; readonly maxBytes: number })[];
}

export interface FetchedPartition extends TopicPartition {
  readonly error: ErrorName;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  /** In the order received, which is that of their markers. */
  readonly abortedTransactions: readonly AbortedTransaction[];
  /** Record batches as they came, undecoded; the last one may be cut off. */
  readonly records: Buffer;
}

export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

export interface ProduceRequest {
  /** -1 for all. */
  readonly acks: -1 | 0 | 1;
  readonly timeoutMs: number;
  readonly transactionalId: string | undefined;
  /** One encoded record batch for each; the bytes must not change before the answer. */
  readonly batches: readonly (TopicPartition & { readonly records: Buffer })[];
}

export interface ProducedPartition extends TopicPartition {
  readonly error: ErrorName;
  /** Of the first record; -1 when there is an error. */
  readonly baseOffset: number;
  /** From the broker, when it has said more than the code. */
  readonly message?: string;
}
