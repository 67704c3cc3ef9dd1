import type { Claim } from '../member-port.ts';
import type { TopicPartition } from '../port.ts';
import { byTopic } from '../wire/api/by-topic.ts';
import { ByteReader } from '../wire/byte-reader.ts';
import { ByteWriter } from '../wire/byte-writer.ts';

// The outer form is that of Kafka's own consumers (ConsumerProtocol, version 0), so that Kafka's tools show what members
// read. The user data inside is ours.

/** What kind of group it is; Kafka keeps those of another kind out. */
export const protocolType = 'consumer';

const consumerVersion = 0;
/** In front of our user data: that of others says nothing to us. */
const mark = 0x5464;
/** A later version may only append: who knows this one goes on to understand the beginning. */
const userDataVersion = 1;

/** What a member tells the one that assigns. */
export interface Subscription {
  readonly topics: readonly string[];
  readonly claim: Claim | undefined;
}

export function encodeSubscription({ topics, claim }: Subscription): Buffer {
  const userData = new ByteWriter(64)
    .int16(mark)
    .int16(userDataVersion)
    .int32(claim?.generation ?? -1);
  writePartitions(userData, claim?.partitions ?? []);
  const into = new ByteWriter(128).int16(consumerVersion);
  into.array(topics, topic => into.string(topic)).bytes(userData.written());
  return into.written();
}

/** What cannot be read subscribes to nothing: one strange member must not stop the group. */
export function decodeSubscription(bytes: Buffer): Subscription {
  try {
    const from = new ByteReader(bytes);
    from.int16();
    const topics = from.array(() => from.string());
    return { topics, claim: claimIn(from.nullableBytes()) };
  } catch (error) {
    if (error instanceof RangeError) return { topics: [], claim: undefined };
    throw error;
  }
}

export function encodeAssignment(partitions: readonly TopicPartition[]): Buffer {
  const into = new ByteWriter(128).int16(consumerVersion);
  writePartitions(into, partitions);
  return into.int32(-1).written();
}

/** Throws a `RangeError` for what is no assignment; no bytes are an empty one, as for a member that the leader left out. */
export function decodeAssignment(bytes: Buffer): readonly TopicPartition[] {
  if (bytes.length === 0) return [];
  const from = new ByteReader(bytes);
  from.int16();
  return readPartitions(from);
}

function claimIn(userData: Buffer | null): Claim | undefined {
  if (userData === null || userData.length < 4) return undefined;
  const from = new ByteReader(userData);
  if (from.int16() !== mark || from.int16() < userDataVersion) return undefined;
  const claim = { generation: from.int32(), partitions: readPartitions(from) };
  return claim.generation < 0 ? undefined : claim;
}

function writePartitions(into: ByteWriter, partitions: readonly TopicPartition[]): void {
  into.array(byTopic(partitions), ([topic, ofTopic]) =>
    into.string(topic).array(ofTopic, ({ partition }) => into.int32(partition)),
  );
}

function readPartitions(from: ByteReader): TopicPartition[] {
  return from
    .array(() => {
      const topic = from.string();
      return from.array(() => ({ topic, partition: from.int32() }));
    })
    .flat();
}
