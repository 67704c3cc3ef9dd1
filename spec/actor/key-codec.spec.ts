import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mapKey } from '../../lib/actor/key.ts';
import { decodeKey, encodeKey, KeyEncoder } from '../../lib/actor/key-codec.ts';
import { StateLostError } from '../../lib/errors.ts';
import { keys } from './keys.ts';

describe('the key codec', () => {
  it('brings every key back', () => {
    fc.assert(
      fc.property(keys, fc.boolean(), (key, plain) => {
        const encoded = encodeKey(mapKey(key));
        const bytes = new Uint8Array([9, 9, ...encoded, 9]);
        expect(decodeKey(plain ? bytes : Buffer.from(bytes), 2, 2 + encoded.length)).toStrictEqual(mapKey(key));
      }),
      { numRuns: 500 },
    );
  });

  it('encodes equal keys, and only those, as equal bytes', () => {
    fc.assert(
      fc.property(keys, keys, (a, b) => {
        const same = Buffer.compare(encodeKey(mapKey(a)), encodeKey(mapKey(b))) === 0;
        expect(same).toBe(new Map([[mapKey(a), 1]]).has(mapKey(b)));
      }),
      { numRuns: 500 },
    );
    expect(encodeKey(-0)).toEqual(encodeKey(0));
    const otherNaN = new Float64Array(new BigUint64Array([0xfff8000000000001n]).buffer)[0] as number;
    expect(encodeKey(otherNaN)).toEqual(encodeKey(Number.NaN));
  });

  it('encodes keys one after another as it does alone', () => {
    fc.assert(
      fc.property(fc.array(keys), some => {
        const encoder = new KeyEncoder();
        for (const key of some.map(mapKey)) {
          const { bytes, start, end } = encoder.encode(key);
          expect(Buffer.compare(bytes.subarray(start, end), encodeKey(key))).toBe(0);
        }
      }),
    );
  });

  it('refuses a type that it does not know', () => {
    expect(() => decodeKey(new Uint8Array([200, 1]), 0, 2)).toThrow(StateLostError);
  });
});
