import { describe, expect, test } from 'vitest';
import { chosenPartition, type Partitioner } from '../../../../connectors/kafka/partition/partitioner.ts';
import { StickyPartition } from '../../../../connectors/kafka/partition/sticky-partition.ts';
import { UserCodeError } from '../../../../lib/index.ts';

const record = { topic: 'totals', key: Buffer.from('k'), partitions: 4 };

describe("a user's partitioner", () => {
  test('is given value, topic, key and number of partitions, and its choice counts', () => {
    const partitioner: Partitioner<{ cents: number }> = ({ cents }, { topic, key, partitions }) =>
      (cents + topic.length + (key?.length ?? 0)) % partitions;
    expect(chosenPartition(partitioner, { cents: 5 }, record)).toBe(0);
  });

  test.each([-1, 4, 0.5, Number.NaN, Number.POSITIVE_INFINITY, '1', undefined, null, 1n, Promise.resolve(1)])(
    'that answers %s is refused with what is accepted',
    answer => {
      const partitioner = (() => answer) as unknown as Partitioner<string>;
      expect(() => chosenPartition(partitioner, 'v', record)).toThrow(UserCodeError);
      expect(() => chosenPartition(partitioner, 'v', record)).toThrow(
        /topic "totals", which has 4 partitions: it must answer a whole number from 0 to 3/,
      );
    },
  );
});

describe('records without key', () => {
  test('fill one batch after another, each in the next partition', () => {
    const sticky = new StickyPartition(100, 2);
    const taken = Array.from({ length: 9 }, () => sticky.take(50, 4));
    expect(taken).toEqual([2, 2, 3, 3, 0, 0, 1, 1, 2]);
  });

  test('go on in the next partition when a batch was closed before it was full', () => {
    const sticky = new StickyPartition(100, 0);
    expect(sticky.take(10, 3)).toBe(0);
    sticky.moveOn();
    expect([sticky.take(60, 3), sticky.take(60, 3), sticky.take(60, 3)]).toEqual([1, 1, 2]);
  });

  test('stay inside the topic when it has more partitions than before, and behind the largest number', () => {
    const sticky = new StickyPartition(1, 0x7fffffff);
    expect([sticky.take(1, 4), sticky.take(1, 4), sticky.take(1, 5)]).toEqual([3, 0, 1]);
  });

  test('do not begin in the same partition in every sink', () => {
    const first = new Set(Array.from({ length: 100 }, () => new StickyPartition(100).take(1, 1_000)));
    expect(first.size).toBeGreaterThan(50);
  });
});
