import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Api } from '../../../../connectors/kafka/client/wire/api/api.ts';
import { encodeRequest } from '../../../../connectors/kafka/client/wire/api/api.ts';
import {
  createTopicsApi,
  describeConfigsApi,
  findCoordinatorApi,
  metadataApi,
} from '../../../../connectors/kafka/client/wire/api/cluster.ts';
import { fetchApi } from '../../../../connectors/kafka/client/wire/api/fetch.ts';
import {
  heartbeatApi,
  joinGroupApi,
  leaveGroupApi,
  syncGroupApi,
} from '../../../../connectors/kafka/client/wire/api/groups.ts';
import { apiKey } from '../../../../connectors/kafka/client/wire/api/keys.ts';
import { listOffsetsApi } from '../../../../connectors/kafka/client/wire/api/offsets.ts';
import { produceApi } from '../../../../connectors/kafka/client/wire/api/produce.ts';
import {
  addOffsetsToTxnApi,
  addPartitionsToTxnApi,
  endTxnApi,
  initProducerIdApi,
} from '../../../../connectors/kafka/client/wire/api/transactions.ts';
import { ByteReader } from '../../../../connectors/kafka/client/wire/byte-reader.ts';
import { ByteWriter } from '../../../../connectors/kafka/client/wire/byte-writer.ts';
import { errorName, isRetriable } from '../../../../connectors/kafka/client/wire/error-codes.ts';
import { BatchCursor } from '../../../../connectors/kafka/client/wire/record-batch-reader.ts';
import { BatchWriter } from '../../../../connectors/kafka/client/wire/record-batch-writer.ts';

// Another implementation of the same protocol, to compare with.
const load = createRequire(import.meta.url);
const theirs = (file: string) => load(`kafkajs/src/protocol/${file}`);
const theirEncoder = theirs('encoder');
const theirDecoder = theirs('decoder');

interface TheirRequest {
  encode(): Promise<{ buffer: Buffer }>;
}

async function theirBytes(request: TheirRequest): Promise<string> {
  const message = await theirs('request')({ correlationId: 7, clientId: 'me', request });
  return Buffer.from(message.buffer).toString('hex');
}

function ourBytes<Q>(api: Api<Q, unknown>, version: number, request: Q): string {
  return encodeRequest(api, version, { correlationId: 7, clientId: 'me' }, request, 16).toString('hex');
}

const me = { transactionalId: 'é', producerId: 2 ** 40 + 3, producerEpoch: 9 };
const theirMe = { transactionalId: 'é', producerId: String(2 ** 40 + 3), producerEpoch: 9 };
const twoTopics = [
  { topic: 'a', partition: 0 },
  { topic: 'b', partition: 5 },
  { topic: 'a', partition: 3 },
];

describe('a request is encoded as kafkajs does', () => {
  it('Fetch', async () => {
    const theirTopics = [
      {
        topic: 'a',
        partitions: [
          { partition: 0, fetchOffset: String(2 ** 50), maxBytes: 1_000 },
          { partition: 3, fetchOffset: '1', maxBytes: 1_000 },
        ],
      },
      { topic: 'b', partitions: [{ partition: 5, fetchOffset: '0', maxBytes: 1_000 }] },
    ];
    const offsets = [2 ** 50, 0, 1];
    const partitions = twoTopics.map((of, i) => ({ ...of, offset: offsets[i] as number, maxBytes: 1_000 }));
    const limits = { maxWaitMs: 500, minBytes: 1, maxBytes: 5_000 };
    const theirLimits = { replicaId: -1, maxWaitTime: 500, minBytes: 1, maxBytes: 5_000, topics: theirTopics };
    for (const version of [10, 11]) {
      const request = theirs(`requests/fetch/v${version}/request`);
      for (const [isolation, isolationLevel] of [['read_uncommitted', 0] as const, ['read_committed', 1] as const]) {
        expect(ourBytes(fetchApi, version, { isolation, ...limits, partitions })).toBe(
          await theirBytes(request({ ...theirLimits, isolationLevel })),
        );
      }
    }
  });

  it('Produce, the record batch included', async () => {
    const writer = new BatchWriter(64);
    const messages = [
      { key: 'k', value: Buffer.from('v'), timestamp: 1_700_000_000_000, headers: { h: Buffer.from('x') } },
      { key: null, value: 'é', timestamp: 1_700_000_000_500 },
    ];
    writer.append(1_700_000_000_000, 'k', Buffer.from('v'), [['h', Buffer.from('x')]]);
    writer.append(1_700_000_000_500, null, 'é', []);
    writer.close('none');
    const identity = { producerId: me.producerId, producerEpoch: me.producerEpoch };
    const records = writer.encoded({ ...identity, baseSequence: 4, isTransactional: true });
    records.writeInt32BE(0, 12); // the leader's epoch, which the broker sets: kafkajs writes 0, Java's client -1
    const batches = [{ topic: 'a', partition: 3, records }];
    const request = theirs('requests/produce/v7/request')({
      ...theirMe,
      acks: -1,
      timeout: 1_000,
      topicData: [{ topic: 'a', partitions: [{ partition: 3, firstSequence: 4, messages }] }],
    });
    const ours = { acks: -1, timeoutMs: 1_000, transactionalId: 'é', batches } as const;
    expect(ourBytes(produceApi, 7, ours)).toBe(await theirBytes(request));
  });

  it.each([
    [
      'ListOffsets',
      () =>
        ourBytes(listOffsetsApi, 2, {
          queries: [{ topic: 'a', partition: 1, at: 'latest' }],
          isolation: 'read_committed',
        }),
      () =>
        theirs('requests/listOffsets/v2/request')({
          replicaId: -1,
          isolationLevel: 1,
          topics: [{ topic: 'a', partitions: [{ partition: 1, timestamp: -1 }] }],
        }),
    ],
    [
      'InitProducerId',
      () => ourBytes(initProducerIdApi, 1, { transactionalId: 'é', transactionTimeoutMs: 60_000 }),
      () => theirs('requests/initProducerId/v1/request')({ transactionalId: 'é', transactionTimeout: 60_000 }),
    ],
    [
      'AddPartitionsToTxn',
      () => ourBytes(addPartitionsToTxnApi, 1, { producer: me, partitions: twoTopics }),
      () =>
        theirs('requests/addPartitionsToTxn/v1/request')({
          ...theirMe,
          topics: [
            { topic: 'a', partitions: [0, 3] },
            { topic: 'b', partitions: [5] },
          ],
        }),
    ],
    [
      'AddOffsetsToTxn',
      () => ourBytes(addOffsetsToTxnApi, 1, { producer: me, group: 'g' }),
      () => theirs('requests/addOffsetsToTxn/v1/request')({ ...theirMe, groupId: 'g' }),
    ],
    [
      'EndTxn',
      () => ourBytes(endTxnApi, 1, { producer: me, outcome: 'abort' }),
      () => theirs('requests/endTxn/v1/request')({ ...theirMe, transactionResult: false }),
    ],
    [
      'FindCoordinator',
      () => ourBytes(findCoordinatorApi, 2, { kind: 'transaction', key: 'k' }),
      () => theirs('requests/findCoordinator/v2/request')({ coordinatorKey: 'k', coordinatorType: 1 }),
    ],
    [
      'DescribeConfigs',
      () => ourBytes(describeConfigsApi, 1, { of: 'broker', resource: '1', settings: ['a.b'] }),
      () =>
        theirs('requests/describeConfigs/v1/request')({ resources: [{ type: 4, name: '1', configNames: ['a.b'] }] }),
    ],
  ])('%s', async (_, ours, request) => {
    expect(ours()).toBe(await theirBytes(request()));
  });

  it.each([undefined, 'é-1'])('JoinGroup, SyncGroup, Heartbeat and LeaveGroup of the instance %s', async instanceId => {
    const member = { group: 'g', generation: 7, memberId: 'm', instanceId };
    const theirMember = { groupId: 'g', memberId: 'm', groupInstanceId: instanceId ?? null };
    const metadata = Buffer.from([0, 1, 2]);
    const protocols = [
      { name: 'p', metadata },
      { name: 'q', metadata: Buffer.alloc(0) },
    ];
    const join = {
      ...member,
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 60_001,
      protocolType: 'consumer',
      protocols,
    };
    const theirJoin = {
      ...{ ...theirMember, sessionTimeout: 10_000, rebalanceTimeout: 60_001 },
      ...{ protocolType: 'consumer', groupProtocols: protocols },
    };
    expect(ourBytes(joinGroupApi, 5, join)).toBe(await theirBytes(theirs('requests/joinGroup/v5/request')(theirJoin)));
    const assignments = [{ memberId: 'm', assignment: metadata }];
    const groupAssignment = [{ memberId: 'm', memberAssignment: metadata }];
    expect(ourBytes(syncGroupApi, 3, { ...member, assignments })).toBe(
      await theirBytes(theirs('requests/syncGroup/v3/request')({ ...theirMember, generationId: 7, groupAssignment })),
    );
    expect(ourBytes(heartbeatApi, 3, member)).toBe(
      await theirBytes(theirs('requests/heartbeat/v3/request')({ ...theirMember, groupGenerationId: 7 })),
    );
    expect(ourBytes(leaveGroupApi, 3, member)).toBe(
      await theirBytes(theirs('requests/leaveGroup/v3/request')({ groupId: 'g', members: [theirMember] })),
    );
  });

  // kafkajs stops a version before ours, with the same bytes behind the header.
  const behindVersion = (hex: string) => hex.slice(16);

  it('CreateTopics and Metadata, a version later', async () => {
    const topics = [{ topic: 'a', partitions: 3, replicationFactor: 2, settings: { 'b.c': 'd' } }];
    const theirTopics = [
      { topic: 'a', numPartitions: 3, replicationFactor: 2, configEntries: [{ name: 'b.c', value: 'd' }] },
    ];
    expect(behindVersion(ourBytes(createTopicsApi, 4, { topics, timeoutMs: 50 }))).toBe(
      behindVersion(await theirBytes(theirs('requests/createTopics/v3/request')({ topics: theirTopics, timeout: 50 }))),
    );
    const metadata = theirs('requests/metadata/v6/request')({ topics: ['a', 'b'], allowAutoTopicCreation: false });
    expect(behindVersion(ourBytes(metadataApi, 7, { names: ['a', 'b'] }))).toBe(
      behindVersion(await theirBytes(metadata)),
    );
  });
});

describe('an answer is decoded as kafkajs does', () => {
  it('Fetch, its record batches included', async () => {
    const fixtures = path.join(import.meta.dirname, 'fixtures');
    const records = readFileSync(path.join(fixtures, 'transactions.bin'));
    const answer = new ByteWriter(16);
    answer
      .int32(0)
      .int16(0)
      .int32(0)
      .array(['t'], topic => {
        const into = answer
          .string(topic)
          .int32(1)
          .int32(6)
          .int16(3)
          .int64(9)
          .int64(8)
          .int64(2 ** 45);
        into.array([[170, 1]], ([id, first]) => into.int64(id as number).int64(first as number));
      });
    answer.int32(-1).bytes(records);
    const bytes = answer.written();
    const ours = fetchApi.decode(new ByteReader(bytes), 11);
    const theirAnswer = await theirs('requests/fetch/v11/response').decode(bytes);
    const [
      {
        partitions: [partition],
      },
    ] = theirAnswer.responses;
    expect(ours.partitions).toEqual([
      {
        topic: 't',
        partition: partition.partition,
        error: errorName(partition.errorCode),
        highWatermark: Number(partition.highWatermark),
        lastStableOffset: Number(partition.lastStableOffset),
        logStartOffset: Number(partition.lastStartOffset ?? partition.logStartOffset),
        abortedTransactions: [{ producerId: 170, firstOffset: 1 }],
        records,
      },
    ]);
    const cursor = new BatchCursor(records);
    const seen: unknown[] = [];
    while (cursor.nextBatch()) {
      while (cursor.nextRecord()) {
        const { offset, timestamp, isControl, producerId } = cursor;
        seen.push([offset, timestamp, `${cursor.key()}`, `${cursor.value()}`, isControl, producerId]);
      }
    }
    expect(seen).toEqual(
      partition.messages.map((message: Record<string, unknown> & { batchContext: { producerId: unknown } }) => [
        Number(message.offset),
        Number(message.timestamp),
        `${message.key}`,
        `${message.value}`,
        message.isControlRecord,
        Number(message.batchContext.producerId),
      ]),
    );
  });

  it('JoinGroup, SyncGroup, Heartbeat and LeaveGroup', async () => {
    const joined = new ByteWriter().int32(5).int16(0).int32(9).string('p').string('m1').string('m2').int32(2);
    joined.string('m1').string(null).bytes(Buffer.from('x')).string('m2').string('i2').bytes(Buffer.alloc(0));
    const their = await theirs('requests/joinGroup/v5/response').decode(joined.written());
    const ours = joinGroupApi.decode(new ByteReader(joined.written()), 5);
    expect([ours.generation, ours.protocol, ours.leaderId, ours.memberId]).toEqual([
      ...[their.generationId, their.groupProtocol, their.leaderId, their.memberId],
    ]);
    expect([ours.generation, ours.leaderId, ours.memberId]).toEqual([9, 'm1', 'm2']);
    expect(ours.members).toEqual(
      their.members.map((member: Record<string, unknown>) => ({
        memberId: member.memberId,
        instanceId: member.groupInstanceId ?? undefined,
        metadata: member.memberMetadata,
      })),
    );
    expect(ours.members.map(({ memberId, instanceId }) => [memberId, instanceId])).toEqual([
      ['m1', undefined],
      ['m2', 'i2'],
    ]);
    const synced = new ByteWriter().int32(0).int16(27).bytes(Buffer.from('a')).written();
    const { errorCode, memberAssignment } = await theirs('requests/syncGroup/v3/response').decode(synced);
    expect(syncGroupApi.decode(new ByteReader(synced), 3)).toEqual({
      error: errorName(errorCode),
      assignment: memberAssignment,
    });
    const beat = new ByteWriter().int32(0).int16(82).written();
    expect(heartbeatApi.decode(new ByteReader(beat), 3)).toBe('FENCED_INSTANCE_ID');
    expect((await theirs('requests/heartbeat/v3/response').decode(beat)).errorCode).toBe(82);
    const left = (error: number, ofMember: number) => {
      const answer = new ByteWriter().int32(0).int16(error).int32(1).string('m').string(null).int16(ofMember);
      return leaveGroupApi.decode(new ByteReader(answer.written()), 3);
    };
    expect([left(0, 0), left(0, 25), left(16, 0)]).toEqual(['NONE', 'UNKNOWN_MEMBER_ID', 'NOT_COORDINATOR']);
    const empty = new ByteWriter().int32(0).int16(15).int32(0).written();
    expect(leaveGroupApi.decode(new ByteReader(empty), 3)).toBe('COORDINATOR_NOT_AVAILABLE');
  });

  it('numbers of 64 bits', () => {
    for (const value of [0, 1, -1, -2, 2 ** 31, 2 ** 32, 2 ** 32 - 1, -(2 ** 32), 2 ** 52 + 1, -(2 ** 52) - 1]) {
      const bytes = new theirEncoder().writeInt64(String(value)).buffer;
      expect(new ByteReader(bytes).int64()).toBe(value);
      expect(Number(new theirDecoder(new ByteWriter().int64(value).written()).readInt64())).toBe(value);
    }
  });

  it('error codes, but for the names that have changed since', () => {
    const changed: Record<string, string> = {
      UNKNOWN: 'UNKNOWN_SERVER_ERROR',
      NOT_LEADER_FOR_PARTITION: 'NOT_LEADER_OR_FOLLOWER',
      GROUP_LOAD_IN_PROGRESS: 'COORDINATOR_LOAD_IN_PROGRESS',
      GROUP_COORDINATOR_NOT_AVAILABLE: 'COORDINATOR_NOT_AVAILABLE',
      NOT_COORDINATOR_FOR_GROUP: 'NOT_COORDINATOR',
    };
    for (const { code, type, retriable } of theirs('error').errorCodes) {
      const name = changed[type] ?? type;
      expect([code, errorName(code), isRetriable(errorName(code))]).toEqual([code, name, retriable]);
    }
    expect([errorName(0), errorName(90), errorName(120), errorName(999)]).toEqual([
      'NONE',
      'PRODUCER_FENCED',
      'TRANSACTION_ABORTABLE',
      'UNKNOWN_999',
    ]);
  });

  it('keys of requests, but for the name that has changed since', () => {
    for (const [name, key] of Object.entries(theirs('requests/apiKeys'))) {
      if (name === 'GroupCoordinator') expect(apiKey('FindCoordinator')).toBe(key);
      else if ((key as number) <= 37) expect(apiKey(name)).toBe(key);
    }
    expect(apiKey('NoSuchRequest')).toBeUndefined();
  });
});
