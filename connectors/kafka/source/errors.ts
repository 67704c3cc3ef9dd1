import { ExternalError, SourcePositionError, TidemarkError } from '../../../lib/index.ts';
import type { TopicPartition } from '../client/port.ts';
import { BatchCursor } from '../client/wire/record-batch-reader.ts';
import { CorruptRecordsError, KafkaAnswerError, KafkaSecurityError } from '../errors.ts';
import { verdictOn } from './fetch-failure.ts';
import { partitionText } from './partitions.ts';

/** What is known of an offset that is wanted and not there. */
export interface OffsetGap extends TopicPartition {
  /** The offset that was to be read next. */
  readonly wanted: number;
  /** The first offset that the partition still has. */
  readonly logStart: number;
  /** The offset behind its last record. */
  readonly logEnd: number;
}

/** The records at a position were removed (retention, a purge), or the position lies behind the end of the log. */
export class OffsetGapError extends SourcePositionError {
  readonly topic: string;
  readonly partition: number;
  readonly wanted: number;
  readonly logStart: number;
  readonly logEnd: number;

  constructor(gap: OffsetGap, source: string) {
    super(`${whatIsMissing(gap)} ${advice}`, {
      context: { source, topic: gap.topic, partition: gap.partition, wanted: gap.wanted, logStart: gap.logStart },
    });
    this.topic = gap.topic;
    this.partition = gap.partition;
    this.wanted = gap.wanted;
    this.logStart = gap.logStart;
    this.logEnd = gap.logEnd;
  }
}

/** The gap in words. */
export function whatIsMissing({ wanted, logStart, logEnd, ...partition }: OffsetGap): string {
  const name = partitionText(partition);
  return wanted < logStart
    ? `Offset ${wanted} of ${name} is to be read next, but the log begins at ${logStart}: the ${logStart - wanted} offsets ${wanted} to ${logStart - 1} were removed (retention or a purge).`
    : `Offset ${wanted} of ${name} is to be read next, but the log ends at ${logEnd}: the topic was made anew, or lost its end.`;
}

const advice =
  "Set onMissingOffset: 'earliest' to go on with what is left or 'latest' with what comes, or start the job afresh.";

/** A topic that a source is to read does not exist, or is not the one that it was. */
export class TopicError extends TidemarkError {
  readonly code = 'KAFKA_TOPIC';
  readonly fault = 'user';
  readonly retriable = false;
}

/** A broker refuses to give the records of a partition, and will again. */
export function refusal(asked: TopicPartition & { readonly offset: number }, error: string): TidemarkError {
  const { topic, partition, offset } = asked;
  const name = partitionText(asked);
  const options = { context: { topic, partition, offset } };
  return verdictOn(error) === 'not permitted'
    ? new KafkaSecurityError(`Kafka does not let this client read ${name}: ${error}. Allow READ on the topic.`, options)
    : new KafkaAnswerError(
        error,
        `Kafka refuses to give the records of ${name} from offset ${offset}: ${error}`,
        options,
      );
}

/** What was fetched of a partition holds no batch that leads on. */
export function unreadable(partition: TopicPartition, offset: number, records: Buffer): unknown {
  try {
    new BatchCursor(records).nextBatch();
  } catch (error) {
    return ofPartition(error, partition);
  }
  return ofPartition(
    new CorruptRecordsError(
      `What the broker gives from offset ${offset} on holds no whole record batch behind it: its replica or the way from it is damaged. ` +
        'If another broker shows the same, begin behind it.',
      { context: { offset } },
    ),
    partition,
  );
}

/** Records that cannot be read say of which partition they are; other errors stay as they are. */
export function ofPartition(error: unknown, { topic, partition }: TopicPartition): unknown {
  if (!(error instanceof CorruptRecordsError) || 'partition' in (error.context ?? {})) return error;
  return new CorruptRecordsError(`${partitionText({ topic, partition })}: ${error.message}`, {
    cause: error,
    context: { ...error.context, topic, partition },
  });
}

/** Partitions could not be read for longer than the source waits; a restart may help. */
export function outOfReach(names: string, location: string, ms: number, why: string, cause: unknown): ExternalError {
  return new ExternalError(
    `${names} of Kafka at ${location} could not be read for ${ms} ms (retryTimeout): ${why.replace(/[.\s]+$/, '')}. Check that the cluster runs and can be reached.`,
    { ...(cause === undefined ? {} : { cause }), context: { location } },
  );
}
