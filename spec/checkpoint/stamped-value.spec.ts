import { describe, expect, it } from 'vitest';
import { decodeStored, Stamped, StoredValueEncoder } from '../../lib/checkpoint/stamped-value.ts';
import { encodeValue } from '../../lib/checkpoint/value-codec.ts';
import { StateLostError } from '../../lib/errors.ts';

/** The encoding, in memory of its own. */
function bytesOf(encoder: StoredValueEncoder, value: unknown): Uint8Array {
  const { bytes, start, end } = encoder.encode(value);
  return Uint8Array.from(bytes.subarray(start, end));
}

describe('values of states that expire', () => {
  it('are stored with their time and its clock, in a form that stays as it is', () => {
    const encoder = new StoredValueEncoder();
    const hex = (value: unknown) => Buffer.from(bytesOf(encoder, value)).toString('hex');
    expect(hex(new Stamped('a', 1, 'processing'))).toBe('c1c100000000000000f03fa161');
    expect(hex(new Stamped(7, { time: 2.5 }, 'event'))).toBe('c1c101000000000000044007');
  });

  it('come back, whatever they are and wherever they lie', () => {
    const encoder = new StoredValueEncoder();
    const values = [
      undefined,
      null,
      0,
      -0,
      7n,
      'a'.repeat(1_000),
      new Date(5),
      { a: [1, new Map([[1, 2]])] },
      new Set(),
    ];
    for (const value of values) {
      const bytes = Uint8Array.from([9, 9, ...bytesOf(encoder, new Stamped(value, -5, 'event')), 9]);
      const stored = decodeStored(bytes, 2, bytes.length - 1) as Stamped;
      expect(stored).toBeInstanceOf(Stamped);
      expect(stored.value).toStrictEqual(value);
      expect([stored.time, stored.clock]).toEqual([-5, 'event']);
    }
  });

  it('whose time is not known yet say so', () => {
    const bytes = bytesOf(new StoredValueEncoder(), new Stamped(1, { time: Number.NaN }, 'event'));
    expect((decodeStored(bytes, 0, bytes.length) as Stamped).time).toBeNaN();
  });

  it('leave other values as they were stored before', () => {
    const encoder = new StoredValueEncoder();
    for (const value of [1, 'text', -0, new Map([[1, 2]]), { a: 1 }]) {
      const bytes = bytesOf(encoder, value);
      expect(bytes).toEqual(Uint8Array.from(encodeValue(value)));
      expect(decodeStored(bytes, 0, bytes.length)).toStrictEqual(value);
    }
  });

  it('by an unknown clock, or cut off, are refused', () => {
    expect(() => decodeStored(Uint8Array.from([0xc1, 0xc1, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1]), 0, 12)).toThrow(
      StateLostError,
    );
    expect(() => decodeStored(Uint8Array.from([0xc1, 0xc1, 0, 0]), 0, 4)).toThrow(StateLostError);
  });
});
