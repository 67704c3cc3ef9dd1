import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sequenceAfter } from '../../../../connectors/kafka/produce/sequence.ts';

const largest = 2 ** 31 - 1;

/** As `DefaultRecordBatch.incrementSequence` of Kafka has it. */
const inKafka = (sequence: number, count: number) =>
  sequence > largest - count ? count - (largest - sequence) - 1 : sequence + count;

test('goes from the largest int32 to 0', () => {
  expect(sequenceAfter(0, 1)).toBe(1);
  expect(sequenceAfter(largest - 1, 1)).toBe(largest);
  expect(sequenceAfter(largest, 1)).toBe(0);
  expect(sequenceAfter(largest - 2, 5)).toBe(2);
});

test('is what a broker expects', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: largest }), fc.integer({ min: 1, max: 1_000_000 }), (sequence, count) => {
      expect(sequenceAfter(sequence, count)).toBe(inKafka(sequence, count));
    }),
  );
});
