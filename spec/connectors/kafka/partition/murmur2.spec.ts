import { describe, expect, test } from 'vitest';
import { keyPartition } from '../../../../connectors/kafka/partition/key-partition.ts';
import { murmur2 } from '../../../../connectors/kafka/partition/murmur2.ts';
import { javaPartitions } from './java-partitions.ts';

describe('the hash of a key', () => {
  test.each(javaPartitions)('of %s is what the Java client computes', (key, hash, of4, of7) => {
    const bytes = Buffer.from(key, 'hex');
    expect(murmur2(bytes)).toBe(hash);
    expect(keyPartition(bytes, 4)).toBe(of4);
    expect(keyPartition(bytes, 7)).toBe(of7);
  });

  test("agrees with the values in Kafka's own test", () => {
    const known = { '21': -973932308, foobar: -790332482, 'a-little-bit-long-string': -985981536 };
    for (const [key, hash] of Object.entries(known)) expect(murmur2(Buffer.from(key))).toBe(hash);
  });

  test('of the first bytes looks at no others', () => {
    expect(murmur2(Buffer.from('foobar, and more'), 6)).toBe(murmur2(Buffer.from('foobar')));
  });
});

describe('a text as key', () => {
  test.each(['', 'SFO', 'ключ', '🦆', 'x'.repeat(300), 'ю'.repeat(9_999), 'ю'.repeat(10_001), '\ud800'])(
    'goes where its UTF-8 goes (case %#)',
    text => {
      for (const partitions of [1, 3, 1_000]) {
        expect(keyPartition(text, partitions)).toBe(keyPartition(Buffer.from(text), partitions));
      }
    },
  );
});
