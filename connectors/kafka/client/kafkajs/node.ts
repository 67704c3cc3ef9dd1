import type {
  GroupMemberRequest,
  JoinedGroup,
  JoinGroupRequest,
  LeaveGroupRequest,
  SyncGroupRequest,
} from '../member-port.ts';
import type {
  CommittedOffset,
  FetchedPartition,
  FetchRequest,
  Isolation,
  KafkaNode,
  OffsetCommitRequest,
  OffsetQuery,
  ProducedPartition,
  ProduceRequest,
  ProducerIdentity,
  TopicPartition,
} from '../port.ts';
import { deleteRecordsApi } from '../wire/api/delete-records.ts';
import { fetchApi } from '../wire/api/fetch.ts';
import { heartbeatApi, joinGroupApi, leaveGroupApi, syncGroupApi } from '../wire/api/groups.ts';
import { listOffsetsApi, offsetCommitApi, offsetFetchApi } from '../wire/api/offsets.ts';
import { produceApi, produceBytes } from '../wire/api/produce.ts';
import {
  addOffsetsToTxnApi,
  addPartitionsToTxnApi,
  endTxnApi,
  initProducerIdApi,
  txnOffsetCommitApi,
} from '../wire/api/transactions.ts';
import type { BrokerLink } from './broker-link.ts';

const nothing = Buffer.alloc(0);
/** How long followers may take to know of a deletion. */
const deletionTimeoutMs = 10_000;

/** One broker, by its id; its address may change. */
export class Node implements KafkaNode {
  readonly id: number;
  link: BrokerLink;

  constructor(id: number, link: BrokerLink) {
    this.id = id;
    this.link = link;
  }

  get address(): string {
    return this.link.address;
  }

  async fetch(request: FetchRequest): Promise<readonly FetchedPartition[]> {
    const { error, partitions } = await this.link.askToWait(fetchApi, request, { moreMs: request.maxWaitMs });
    if (error === 'NONE') return partitions;
    const unknown = { highWatermark: -1, lastStableOffset: -1, logStartOffset: -1 };
    return request.partitions.map(({ topic, partition }) => {
      return { topic, partition, error, ...unknown, abortedTransactions: [], records: nothing };
    });
  }

  async produce(request: ProduceRequest): Promise<readonly ProducedPartition[]> {
    const expectsAnswer = request.acks !== 0;
    const answer = await this.link.askToAppend(produceApi, request, {
      expectsAnswer,
      moreMs: request.timeoutMs,
      bytesExpected: produceBytes(request),
    });
    return expectsAnswer ? answer : [];
  }

  listOffsets(queries: readonly OffsetQuery[], isolation: Isolation) {
    return this.link.ask(listOffsetsApi, { queries, isolation });
  }

  deleteRecords(partitions: readonly (TopicPartition & { readonly before: number })[]) {
    return this.link.ask(deleteRecordsApi, { partitions, timeoutMs: deletionTimeoutMs });
  }

  offsetFetch(group: string, partitions: readonly TopicPartition[] | undefined, requireStable: boolean) {
    return this.link.ask(offsetFetchApi, { group, partitions, requireStable });
  }

  offsetCommit(request: OffsetCommitRequest) {
    return this.link.ask(offsetCommitApi, request);
  }

  initProducerId(transactionalId: string | undefined, transactionTimeoutMs: number) {
    return this.link.ask(initProducerIdApi, { transactionalId, transactionTimeoutMs });
  }

  addPartitionsToTxn(producer: ProducerIdentity, partitions: readonly TopicPartition[]) {
    return this.link.ask(addPartitionsToTxnApi, { producer, partitions });
  }

  addOffsetsToTxn(producer: ProducerIdentity, group: string) {
    return this.link.ask(addOffsetsToTxnApi, { producer, group });
  }

  txnOffsetCommit(producer: ProducerIdentity, group: string, offsets: readonly CommittedOffset[]) {
    return this.link.ask(txnOffsetCommitApi, { producer, group, offsets });
  }

  endTxn(producer: ProducerIdentity, outcome: 'commit' | 'abort') {
    return this.link.ask(endTxnApi, { producer, outcome });
  }

  joinGroup(request: JoinGroupRequest): Promise<JoinedGroup> {
    return this.link.askToWait(joinGroupApi, request, { moreMs: request.rebalanceTimeoutMs });
  }

  syncGroup(request: SyncGroupRequest) {
    return this.link.askToWait(syncGroupApi, request);
  }

  heartbeat(request: GroupMemberRequest, withinMs: number) {
    return this.link.askToWait(heartbeatApi, request, { withinMs });
  }

  leaveGroup(request: LeaveGroupRequest) {
    return this.link.askToWait(leaveGroupApi, request);
  }
}
