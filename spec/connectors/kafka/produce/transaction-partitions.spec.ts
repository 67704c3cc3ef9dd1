import { expect, test } from 'vitest';
import { TransactionPartitions } from '../../../../connectors/kafka/produce/transaction-partitions.ts';

const of = (topic: string, partition: number) => ({ topic, partition });

test('keeps what is wanted until it is added, each once', () => {
  const partitions = new TransactionPartitions();
  for (const one of [of('a', 0), of('a', 1), of('b', 0), of('a', 0)]) partitions.want(one);
  expect(partitions.wanted).toEqual([of('a', 0), of('a', 1), of('b', 0)]);

  partitions.added(of('a', 1));
  partitions.want(of('a', 1));
  expect(partitions.has(of('a', 1))).toBe(true);
  expect(partitions.has(of('b', 1))).toBe(false);
  expect(partitions.wanted).toEqual([of('a', 0), of('b', 0)]);
  expect(partitions.wantsMore).toBe(true);
  for (const one of partitions.wanted) partitions.added(one);
  expect(partitions.wantsMore).toBe(false);
});

test('has none in the next transaction', () => {
  const partitions = new TransactionPartitions();
  partitions.added(of('a', 0));
  partitions.want(of('a', 1));
  partitions.clear();
  expect(partitions.has(of('a', 0))).toBe(false);
  expect(partitions.wantsMore).toBe(false);
});
