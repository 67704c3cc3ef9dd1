import { describe, expect, it } from 'vitest';
import { judgeRange, retryDelay, verdictOn } from '../../../../connectors/kafka/source/fetch-failure.ts';

describe('verdictOn', () => {
  it.each([
    ['OFFSET_OUT_OF_RANGE', 'out of range'],
    ['NOT_LEADER_OR_FOLLOWER', 'leader changed'],
    ['LEADER_NOT_AVAILABLE', 'leader changed'],
    ['FENCED_LEADER_EPOCH', 'leader changed'],
    ['UNKNOWN_LEADER_EPOCH', 'leader changed'],
    ['UNKNOWN_TOPIC_OR_PARTITION', 'leader changed'],
    ['KAFKA_STORAGE_ERROR', 'leader changed'],
    ['OFFSET_NOT_AVAILABLE', 'leader changed'],
    ['REQUEST_TIMED_OUT', 'try again'],
    ['COORDINATOR_LOAD_IN_PROGRESS', 'try again'],
    ['UNSTABLE_OFFSET_COMMIT', 'try again'],
    ['UNKNOWN_SERVER_ERROR', 'try again'],
    ['TOPIC_AUTHORIZATION_FAILED', 'not permitted'],
    ['GROUP_AUTHORIZATION_FAILED', 'not permitted'],
    ['INVALID_REQUEST', 'failed'],
    ['UNSUPPORTED_VERSION', 'failed'],
    ['UNKNOWN_4711', 'failed'],
  ] as const)('judges %s as "%s"', (error, verdict) => {
    expect(verdictOn(error)).toBe(verdict);
  });
});

describe('judgeRange', () => {
  it('tells what was removed from what lies beyond the end, and from an answer that was stale', () => {
    expect(judgeRange(4, 5, 10)).toBe('removed');
    expect(judgeRange(5, 5, 10)).toBe('stale');
    expect(judgeRange(10, 5, 10)).toBe('stale');
    expect(judgeRange(11, 5, 10)).toBe('beyond the end');
  });
});

describe('retryDelay', () => {
  it('doubles from 100 ms up to 5 s', () => {
    expect([1, 2, 3, 6, 7, 60, 6_000].map(retryDelay)).toEqual([100, 200, 400, 3_200, 5_000, 5_000, 5_000]);
  });
});
