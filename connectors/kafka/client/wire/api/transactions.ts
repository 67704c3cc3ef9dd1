import type { CommittedOffset, ErrorName, ProducerIdentity, TopicPartition } from '../../port.ts';
import type { ByteWriter } from '../byte-writer.ts';
import { errorName } from '../error-codes.ts';
import type { Api } from './api.ts';
import { byTopic } from './by-topic.ts';
import { partitionsWithErrors, writeOffsets } from './offsets.ts';

// From version 2 on, a fenced producer is told so (PRODUCER_FENCED) and not that its epoch is invalid.

const identity = (into: ByteWriter, { transactionalId, producerId, producerEpoch }: ProducerIdentity) =>
  into.string(transactionalId).int64(producerId).int16(producerEpoch);

export const initProducerIdApi: Api<
  { readonly transactionalId: string | undefined; readonly transactionTimeoutMs: number },
  { readonly error: ErrorName; readonly producerId: number; readonly producerEpoch: number }
> = {
  name: 'InitProducerId',
  key: 22,
  lowest: 0,
  highest: 1,
  encode(into, { transactionalId, transactionTimeoutMs }) {
    into.string(transactionalId).int32(transactionTimeoutMs);
  },
  decode(from) {
    from.int32(); // throttled
    return { error: errorName(from.int16()), producerId: from.int64(), producerEpoch: from.int16() };
  },
};

export const addPartitionsToTxnApi: Api<
  { readonly producer: ProducerIdentity; readonly partitions: readonly TopicPartition[] },
  readonly (TopicPartition & { readonly error: ErrorName })[]
> = {
  name: 'AddPartitionsToTxn',
  key: 24,
  lowest: 0,
  highest: 2,
  encode(into, { producer, partitions }) {
    identity(into, producer).array(byTopic(partitions), ([topic, ofTopic]) =>
      into.string(topic).array(ofTopic, ({ partition }) => into.int32(partition)),
    );
  },
  decode(from) {
    from.int32(); // throttled
    return partitionsWithErrors(from);
  },
};

export const addOffsetsToTxnApi: Api<{ readonly producer: ProducerIdentity; readonly group: string }, ErrorName> = {
  name: 'AddOffsetsToTxn',
  key: 25,
  lowest: 0,
  highest: 2,
  encode(into, { producer, group }) {
    identity(into, producer).string(group);
  },
  decode(from) {
    from.int32(); // throttled
    return errorName(from.int16());
  },
};

export const txnOffsetCommitApi: Api<
  { readonly producer: ProducerIdentity; readonly group: string; readonly offsets: readonly CommittedOffset[] },
  readonly (TopicPartition & { readonly error: ErrorName })[]
> = {
  name: 'TxnOffsetCommit',
  key: 28,
  lowest: 2,
  highest: 2,
  encode(into, { producer, group, offsets }) {
    into.string(producer.transactionalId).string(group).int64(producer.producerId).int16(producer.producerEpoch);
    writeOffsets(into, offsets);
  },
  decode(from) {
    from.int32(); // throttled
    return partitionsWithErrors(from);
  },
};

export const endTxnApi: Api<{ readonly producer: ProducerIdentity; readonly outcome: 'commit' | 'abort' }, ErrorName> =
  {
    name: 'EndTxn',
    key: 26,
    lowest: 0,
    highest: 2,
    encode(into, { producer, outcome }) {
      identity(into, producer).bool(outcome === 'commit');
    },
    decode(from) {
      from.int32(); // throttled
      return errorName(from.int16());
    },
  };
