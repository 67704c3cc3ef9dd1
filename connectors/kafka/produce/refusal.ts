import type { TidemarkError } from '../../../lib/index.ts';
import type { ErrorName } from '../client/port.ts';
import { KafkaAnswerError, KafkaSecurityError } from '../errors.ts';
import { ProducerBrokenError, ProducerFencedError } from './errors.ts';
import { coordinatorVerdict } from './verdict.ts';

/** What was to be done when the broker refused, for the message: `write to partition 3 of topic "totals"`. */
export interface Refused {
  readonly action: string;
  readonly location: string;
  readonly transactionalId: string | undefined;
  /** What the broker said beside the code. */
  readonly message?: string | undefined;
}

const advice: Readonly<Record<ErrorName, string>> = {
  MESSAGE_TOO_LARGE: 'Raise max.message.bytes of the topic, or write smaller records or batches (batchBytes).',
  RECORD_LIST_TOO_LARGE: 'Raise segment.bytes of the topic, or write smaller batches (batchBytes).',
  TOPIC_AUTHORIZATION_FAILED:
    'The user needs WRITE on a topic that is written to, and READ on one whose offsets are committed.',
  GROUP_AUTHORIZATION_FAILED: 'The user needs READ on the group.',
  CLUSTER_AUTHORIZATION_FAILED: 'The user needs IDEMPOTENT_WRITE on the cluster.',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'The user needs WRITE and DESCRIBE on the transactional id.',
  INVALID_TRANSACTION_TIMEOUT: 'The transaction timeout is above transaction.max.timeout.ms of the brokers.',
  INVALID_TIMESTAMP: 'The topic does not take records that are that old or new: see message.timestamp.*.max.ms.',
  INVALID_RECORD: 'The topic refuses it; one that is compacted takes no record without a key.',
  UNSUPPORTED_COMPRESSION_TYPE: 'Choose another compression.',
  OFFSET_METADATA_TOO_LARGE: 'Raise offset.metadata.max.bytes of the brokers.',
  POLICY_VIOLATION: 'A policy of the cluster forbids it.',
};

/** The producer cannot go on, but a new one can. */
const passesWithProducer = new Set<ErrorName>([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_TXN_STATE',
  'TRANSACTION_ABORTABLE',
  'INVALID_PRODUCER_EPOCH',
  'PRODUCER_FENCED',
  'INVALID_PRODUCER_ID_MAPPING',
  // The broker does not say more; such a failure has been seen to pass.
  'UNKNOWN_SERVER_ERROR',
]);

/** The error for an answer that no repeat mends. */
export function refusal(name: ErrorName, refused: Refused, mayHaveCommitted = false): TidemarkError {
  const { action, location, transactionalId, message } = refused;
  const said = message ? `${name} (${message})` : name;
  const what = `Kafka at ${location} refused to ${action}: ${said}.`;
  if (transactionalId !== undefined && coordinatorVerdict(name) === 'fenced') {
    return new ProducerFencedError(
      `${what} Another producer took over transactional id "${transactionalId}", or its transaction timed out.`,
      mayHaveCommitted,
    );
  }
  if (passesWithProducer.has(name)) {
    return new ProducerBrokenError(`${what} This producer cannot go on; restart from the last checkpoint.`);
  }
  const advised = advice[name] ? `${what} ${advice[name]}` : what;
  return name.endsWith('_AUTHORIZATION_FAILED') ? new KafkaSecurityError(advised) : new KafkaAnswerError(name, advised);
}
