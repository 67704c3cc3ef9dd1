import fc from 'fast-check';
import { unpack } from 'msgpackr';
import { expect, it } from 'vitest';
import { packWords } from '../../../../connectors/redis/sink/pack-words.ts';

const word = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.integer({ min: 0, max: 70_000 }).map(length => 'x'.repeat(length)),
);

it('packs words so that any reader of MessagePack gets them back', () => {
  fc.assert(
    fc.property(fc.array(fc.array(word, { maxLength: 20 }), { maxLength: 20 }), lists => {
      expect(unpack(packWords(lists))).toEqual(lists);
    }),
    { numRuns: 60 },
  );
});

it('packs bytes as raw strings, and long lists', () => {
  expect(packWords([[Buffer.from([0xc4, 0xff])]])).toEqual(Buffer.from([0x91, 0x91, 0xa2, 0xc4, 0xff]));
  const many = [Array.from({ length: 70_000 }, () => 'w'), Array.from({ length: 16 }, () => 'w')];
  expect(unpack(packWords(many))).toEqual(many);
});
