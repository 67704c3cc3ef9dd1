import { describe, expect, test } from 'vitest';
import { errorName } from '../../../../connectors/kafka/client/wire/error-codes.ts';
import { coordinatorVerdict, lost, produceVerdict } from '../../../../connectors/kafka/produce/verdict.ts';

const names = [lost, ...Array.from({ length: 131 }, (_, code) => errorName(code - 1))];
const namesWith = (verdict: string, of: (name: string) => string) => names.filter(name => of(name) === verdict);

describe('what becomes of a batch', () => {
  const asOldest = (name: string) => produceVerdict(name, true);
  const asLater = (name: string) => produceVerdict(name, false);

  test('it is there when the broker says so, or that it had it before', () => {
    expect(namesWith('done', asOldest)).toEqual(['NONE', 'DUPLICATE_SEQUENCE_NUMBER']);
    expect(namesWith('done', asLater)).toEqual(['NONE', 'DUPLICATE_SEQUENCE_NUMBER']);
  });

  test('it is sent again, to whoever leads then, after a lost answer and when its leader leads no more', () => {
    expect(namesWith('again elsewhere', asOldest).sort()).toEqual(
      [
        lost,
        'BROKER_NOT_AVAILABLE',
        'FENCED_LEADER_EPOCH',
        'INCONSISTENT_TOPIC_ID',
        'KAFKA_STORAGE_ERROR',
        'LEADER_NOT_AVAILABLE',
        'NETWORK_EXCEPTION',
        'NOT_LEADER_OR_FOLLOWER',
        'REPLICA_NOT_AVAILABLE',
        'UNKNOWN_LEADER_EPOCH',
        'UNKNOWN_TOPIC_ID',
        'UNKNOWN_TOPIC_OR_PARTITION',
      ].sort(),
    );
  });

  test('it is sent again to the same leader when that may do better later', () => {
    expect(namesWith('again', asOldest).sort()).toEqual(
      [
        'CONCURRENT_TRANSACTIONS',
        'COORDINATOR_LOAD_IN_PROGRESS',
        'COORDINATOR_NOT_AVAILABLE',
        'CORRUPT_MESSAGE',
        'NOT_COORDINATOR',
        'NOT_ENOUGH_REPLICAS',
        'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
        'REQUEST_TIMED_OUT',
        'THROTTLING_QUOTA_EXCEEDED',
      ].sort(),
    );
  });

  test('out of order, it is sent again while an older one is missing, and refused as the oldest', () => {
    expect(asLater('OUT_OF_ORDER_SEQUENCE_NUMBER')).toBe('again');
    expect(asOldest('OUT_OF_ORDER_SEQUENCE_NUMBER')).toBe('refused');
    expect(names.filter(name => asLater(name) !== asOldest(name))).toEqual(['OUT_OF_ORDER_SEQUENCE_NUMBER']);
  });

  test('everything else is refused', () => {
    expect(asOldest('MESSAGE_TOO_LARGE')).toBe('refused');
    expect(asOldest('INVALID_TXN_STATE')).toBe('refused');
    expect(asOldest('UNKNOWN_PRODUCER_ID')).toBe('refused');
    expect(asOldest('UNKNOWN_4711')).toBe('refused');
  });
});

describe('what becomes of a request to a coordinator', () => {
  test('it is done, asked again there or elsewhere, fenced, or refused', () => {
    expect(namesWith('done', coordinatorVerdict)).toEqual(['NONE']);
    expect(namesWith('again elsewhere', coordinatorVerdict).sort()).toEqual([
      'BROKER_NOT_AVAILABLE',
      'COORDINATOR_NOT_AVAILABLE',
      lost,
      'NETWORK_EXCEPTION',
      'NOT_COORDINATOR',
    ]);
    expect(namesWith('again', coordinatorVerdict).sort()).toEqual([
      'CONCURRENT_TRANSACTIONS',
      'COORDINATOR_LOAD_IN_PROGRESS',
      'KAFKA_STORAGE_ERROR',
      'LEADER_NOT_AVAILABLE',
      'NOT_ENOUGH_REPLICAS',
      'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
      'NOT_LEADER_OR_FOLLOWER',
      'OPERATION_NOT_ATTEMPTED',
      'REQUEST_TIMED_OUT',
      'THROTTLING_QUOTA_EXCEEDED',
      'UNKNOWN_TOPIC_OR_PARTITION',
    ]);
    expect(coordinatorVerdict('INVALID_TXN_STATE')).toBe('refused');
    expect(coordinatorVerdict('UNKNOWN_4711')).toBe('refused');
  });

  test('a producer is fenced by another epoch, and by another id', () => {
    const fenced = ['INVALID_PRODUCER_EPOCH', 'INVALID_PRODUCER_ID_MAPPING', 'PRODUCER_FENCED'];
    expect(namesWith('fenced', coordinatorVerdict).sort()).toEqual(fenced);
    expect(namesWith('fenced', name => produceVerdict(name, true)).sort()).toEqual(fenced);
  });
});
