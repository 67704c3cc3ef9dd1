import { lineSuffix } from '../line-suffix.ts';
import type { Assignment, Claim } from '../member-port.ts';
import { ByteReader } from '../wire/byte-reader.ts';
import { ByteWriter } from '../wire/byte-writer.ts';

// The outer form is that of Kafka's own consumers (ConsumerProtocol, version 0), so that Kafka's tools show the members: task t as
// partition t of each topic. The user data inside is ours, and what counts.

/** What kind of group it is; Kafka keeps those of another kind out. */
export const protocolType = 'consumer';

/**
 * How tasks are assigned: members that speak of another number of tasks, or of other state (`spread`) behind them, have none in common, and the
 * brokers keep them out.
 */
export const protocolName = (tasks: number, spread?: string): string =>
  `tidemark-tasks-${tasks}${lineSuffix('-', spread)}`;

const consumerVersion = 0;
/** In front of our user data: that of others says nothing to us. */
const mark = 0x5464;
/** A later version may only append: who knows this one goes on to understand the beginning. */
const userDataVersion = 1;

const leaving = 1;
const again = 1;
const partial = 2;

const nothing: Claim = { generation: -1, running: [], ending: [], isLeaving: false };
/** Of a member that says nothing about itself that we understand: it gets no task, because nobody knows what it would do with it. */
const strange: Claim = { ...nothing, isLeaving: true };

export function encodeSubscription(topics: readonly string[], claim: Claim): Buffer {
  const userData = new ByteWriter(64).int16(mark).int16(userDataVersion);
  userData.int16(claim.isLeaving ? leaving : 0).int32(claim.generation);
  writeTasks(userData, claim.running);
  writeTasks(userData, claim.ending);
  const into = new ByteWriter(128).int16(consumerVersion);
  into.array(topics, topic => into.string(topic)).bytes(userData.written());
  return into.written();
}

/** One strange member must not stop the group. */
export function decodeSubscription(bytes: Buffer): Claim {
  try {
    const from = new ByteReader(bytes);
    from.int16();
    from.array(() => from.string());
    const userData = ours(from.nullableBytes());
    if (userData === undefined) return strange;
    const isLeaving = (userData.int16() & leaving) !== 0;
    return { generation: userData.int32(), running: readTasks(userData), ending: readTasks(userData), isLeaving };
  } catch (error) {
    if (error instanceof RangeError) return strange;
    throw error;
  }
}

export function encodeAssignment({ tasks, comesAgain, isPartial }: Assignment, topics: readonly string[]): Buffer {
  const userData = new ByteWriter(64).int16(mark).int16(userDataVersion);
  userData.int16((comesAgain ? again : 0) | (isPartial ? partial : 0));
  writeTasks(userData, tasks);
  const into = new ByteWriter(128).int16(consumerVersion);
  into.array(topics, topic => writeTasks(into.string(topic), tasks)).bytes(userData.written());
  return into.written();
}

/** Throws a `RangeError` for what is no assignment; no bytes are an empty one, as for a member that the leader left out. */
export function decodeAssignment(bytes: Buffer): Assignment {
  const none: Assignment = { tasks: [], comesAgain: false, isPartial: false };
  if (bytes.length === 0) return none;
  const from = new ByteReader(bytes);
  from.int16();
  from.array(() => [from.string(), readTasks(from)]);
  const userData = ours(from.nullableBytes());
  if (userData === undefined) return none;
  const flags = userData.int16();
  return { tasks: readTasks(userData), comesAgain: (flags & again) !== 0, isPartial: (flags & partial) !== 0 };
}

function ours(userData: Buffer | null): ByteReader | undefined {
  if (userData === null || userData.length < 4) return undefined;
  const from = new ByteReader(userData);
  return from.int16() === mark && from.int16() >= userDataVersion ? from : undefined;
}

const writeTasks = (into: ByteWriter, tasks: readonly number[]) => into.array(tasks, task => into.int32(task));

const readTasks = (from: ByteReader): number[] => from.array(() => from.int32());
