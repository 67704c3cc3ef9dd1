import { expect, it } from 'vitest';
import { BatchSize } from '../../../../connectors/kafka/source/batch-size.ts';

it('is a thousand records while these take no longer than 20 ms', () => {
  const size = new BatchSize();
  for (const ms of [0, 1, 20]) size.took(1_000, ms);
  expect(size.records).toBe(1_000);
});

it('becomes what fits into 20 ms at once, and at least ten', () => {
  const size = new BatchSize();
  size.took(1_000, 300);
  expect(size.records).toBe(66);
  size.took(66, 20_000);
  expect(size.records).toBe(10);
});

it('doubles with each batch that was fast, up to a thousand', () => {
  const size = new BatchSize();
  size.took(1_000, 1_000);
  expect(size.records).toBe(20);
  const seen = Array.from({ length: 7 }, () => {
    size.took(size.records, 1);
    return size.records;
  });
  expect(seen).toEqual([40, 80, 160, 320, 640, 1_000, 1_000]);
});

it('does not change by a batch of nothing, and not below its bounds when the clock was set back', () => {
  const size = new BatchSize();
  size.took(0, 500);
  expect(size.records).toBe(1_000);
  size.took(1_000, -5_000);
  expect(size.records).toBe(1_000);
});
