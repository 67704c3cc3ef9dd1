import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyOf, mapKey } from '../../lib/actor/key.ts';
import { InvalidKeyError } from '../../lib/errors.ts';
import type { Key } from '../../lib/stream/elements.ts';
import { atoms, keys, sameKey } from './keys.ts';

describe('mapKey', () => {
  it('leaves plain keys as they are', () => {
    for (const key of ['', 'a', '__proto__', 1, 1.5, Number.NaN, 12n, true, false]) expect(mapKey(key)).toBe(key);
  });

  it('makes 0 and -0 one key, and keeps 1, "1", 1n and true apart', () => {
    expect(Object.is(mapKey(-0), 0)).toBe(true);
    expect(mapKey([-0])).toBe(mapKey([0]));
    expect(mapKey([Number.NaN])).toBe(mapKey([Number.NaN]));
    expect(new Set([1, '1', 1n, true].map(mapKey)).size).toBe(4);
    expect(new Set([[1], ['1'], [1n], [true], 1, [], '', undefined].map(key => mapKey(key))).size).toBe(8);
  });

  it('keeps a plain string apart from a tuple, from "un-keyed" and from an escaped string that looks the same', () => {
    const disguised = [mapKey(['a', 1]), mapKey(undefined), mapKey('\u0000u')] as string[];
    for (const text of disguised) expect(mapKey(text)).not.toBe(text);
  });

  it('gives equal results exactly for equal keys', () => {
    fc.assert(
      fc.property(keys, keys, (a, b) => {
        expect(mapKey(a) === mapKey(b) || (Number.isNaN(a) && Number.isNaN(b))).toBe(sameKey(a, b));
      }),
    );
  });

  it('gives distinct results for tuples that differ in one atom only', () => {
    fc.assert(
      fc.property(fc.array(atoms, { minLength: 1, maxLength: 3 }), fc.nat(2), atoms, (tuple, at, atom) => {
        const other = tuple.with(at % tuple.length, atom);
        expect(mapKey(tuple) === mapKey(other)).toBe(sameKey(tuple, other));
      }),
    );
  });

  it('is undone by keyOf', () => {
    fc.assert(
      fc.property(keys, key => {
        expect(sameKey(keyOf(mapKey(key)), key)).toBe(true);
      }),
    );
    expect(keyOf(mapKey(undefined))).toBeUndefined();
    expect(keyOf(mapKey('\u0000tT'))).toBe('\u0000tT');
  });

  it.each([
    [{ id: 7 }, '{ id: 7 }'],
    [null, 'null'],
    [Symbol('s'), 'Symbol(s)'],
    [() => 1, '[Function'],
    [['a', ['b']], "which holds [ 'b' ]"],
    [['a', undefined], 'which holds undefined'],
    [['a', null], 'which holds null'],
    [new Array(1), 'which holds undefined'],
    [new Date(0), '1970-01-01T00:00:00.000Z'],
  ])('refuses %s and names it', (key, shown) => {
    expect(() => mapKey(key as unknown as Key)).toThrow(InvalidKeyError);
    expect(() => mapKey(key as unknown as Key)).toThrow(shown);
  });
});
