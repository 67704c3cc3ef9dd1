import { TidemarkError } from '../../../lib/index.ts';
import type { ErrorName } from '../client/port.ts';
import { isRetriable } from '../client/wire/error-codes.ts';
import { KafkaAnswerError } from '../errors.ts';

/** What becomes of a partition whose answer holds an error. */
export type FetchVerdict = 'leader changed' | 'try again' | 'out of range' | 'not permitted' | 'failed';

const leaderChanges = new Set([
  'NOT_LEADER_OR_FOLLOWER',
  'LEADER_NOT_AVAILABLE',
  'REPLICA_NOT_AVAILABLE',
  'BROKER_NOT_AVAILABLE',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNKNOWN_TOPIC_ID',
  'INCONSISTENT_TOPIC_ID',
  'KAFKA_STORAGE_ERROR',
  'OFFSET_NOT_AVAILABLE',
]);

const refusals = new Set(['TOPIC_AUTHORIZATION_FAILED', 'GROUP_AUTHORIZATION_FAILED', 'CLUSTER_AUTHORIZATION_FAILED']);

/** Judges an error code of a fetch, of an offset list or of a group's offsets. */
export function verdictOn(error: ErrorName): FetchVerdict {
  if (error === 'OFFSET_OUT_OF_RANGE') return 'out of range';
  if (leaderChanges.has(error)) return 'leader changed';
  if (refusals.has(error)) return 'not permitted';
  // The broker does not say more; such a failure has been seen to pass.
  return isRetriable(error) || error === 'UNKNOWN_SERVER_ERROR' ? 'try again' : 'failed';
}

/** What an offset that the broker refuses means, once the log was asked for its limits. */
export function judgeRange(wanted: number, logStart: number, logEnd: number): 'removed' | 'beyond the end' | 'stale' {
  if (wanted < logStart) return 'removed';
  // In range after all: a replica that was behind had answered.
  return wanted > logEnd ? 'beyond the end' : 'stale';
}

const firstDelayMs = 100;
const longestDelayMs = 5_000;

/** ms to wait after so many failures in a row, at least one: doubled each time, up to 5 s. */
export function retryDelay(failures: number): number {
  return Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(failures - 1, 16));
}

/**
 * Whether trying again cannot help: what a client throws says so itself, anything else is a fault of ours. Of an
 * UNKNOWN_SERVER_ERROR the broker does not say more; such a failure has been seen to pass.
 */
export function isLasting(error: unknown): boolean {
  if (error instanceof KafkaAnswerError && error.errorName === 'UNKNOWN_SERVER_ERROR') return false;
  return !(error instanceof TidemarkError) || !error.retriable;
}
