import { SourcePositionError, TidemarkError } from '../../../lib/index.ts';
import type { TopicPartition } from '../client/port.ts';
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
