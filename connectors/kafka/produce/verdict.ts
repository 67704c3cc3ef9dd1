import type { ErrorName } from '../client/port.ts';

/** What an answer means for what was asked; 'again elsewhere': after another look at who is in charge. */
export type Verdict = 'done' | 'again' | 'again elsewhere' | 'fenced' | 'refused';

/** No answer, or one that leaves out what was asked: it may have taken effect. */
export const lost = 'LOST';

const namesIn = (text: string): ReadonlySet<ErrorName> => new Set(text.split(/\s+/));

const fenced = namesIn('INVALID_PRODUCER_EPOCH PRODUCER_FENCED INVALID_PRODUCER_ID_MAPPING');

const passesOnLeader = namesIn(
  `REQUEST_TIMED_OUT CORRUPT_MESSAGE NOT_ENOUGH_REPLICAS NOT_ENOUGH_REPLICAS_AFTER_APPEND THROTTLING_QUOTA_EXCEEDED
  COORDINATOR_LOAD_IN_PROGRESS COORDINATOR_NOT_AVAILABLE NOT_COORDINATOR CONCURRENT_TRANSACTIONS`,
);
const otherLeader = namesIn(
  `NOT_LEADER_OR_FOLLOWER LEADER_NOT_AVAILABLE UNKNOWN_TOPIC_OR_PARTITION FENCED_LEADER_EPOCH UNKNOWN_LEADER_EPOCH
  REPLICA_NOT_AVAILABLE BROKER_NOT_AVAILABLE KAFKA_STORAGE_ERROR NETWORK_EXCEPTION UNKNOWN_TOPIC_ID
  INCONSISTENT_TOPIC_ID`,
);

/**
 * What becomes of a batch. A broker that has it already says so, which is success. A batch that is out of order is sent
 * again while an older one is missing; as the oldest it means that the broker has lost what it acknowledged.
 */
export function produceVerdict(error: ErrorName | typeof lost, isOldest: boolean): Verdict {
  if (error === 'NONE' || error === 'DUPLICATE_SEQUENCE_NUMBER') return 'done';
  if (error === lost || otherLeader.has(error)) return 'again elsewhere';
  if (passesOnLeader.has(error)) return 'again';
  if (error === 'OUT_OF_ORDER_SEQUENCE_NUMBER') return isOldest ? 'refused' : 'again';
  return fenced.has(error) ? 'fenced' : 'refused';
}

const passesOnCoordinator = namesIn(
  `COORDINATOR_LOAD_IN_PROGRESS CONCURRENT_TRANSACTIONS REQUEST_TIMED_OUT UNKNOWN_TOPIC_OR_PARTITION
  LEADER_NOT_AVAILABLE NOT_LEADER_OR_FOLLOWER NOT_ENOUGH_REPLICAS NOT_ENOUGH_REPLICAS_AFTER_APPEND KAFKA_STORAGE_ERROR
  THROTTLING_QUOTA_EXCEEDED OPERATION_NOT_ATTEMPTED`,
);
const otherCoordinator = namesIn('NOT_COORDINATOR COORDINATOR_NOT_AVAILABLE NETWORK_EXCEPTION BROKER_NOT_AVAILABLE');

/** What becomes of a request to a coordinator: InitProducerId, AddPartitionsToTxn, AddOffsetsToTxn, TxnOffsetCommit, EndTxn. */
export function coordinatorVerdict(error: ErrorName | typeof lost): Verdict {
  if (error === 'NONE') return 'done';
  if (error === lost || otherCoordinator.has(error)) return 'again elsewhere';
  if (passesOnCoordinator.has(error)) return 'again';
  return fenced.has(error) ? 'fenced' : 'refused';
}
