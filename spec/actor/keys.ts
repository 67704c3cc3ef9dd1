import fc from 'fast-check';
import type { Key, KeyAtom } from '../../lib/stream/elements.ts';

const text = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
  // Made of what the encodings themselves are made of, lone surrogates and the byte order mark included.
  {
    weight: 4,
    arbitrary: fc
      .array(fc.constantFrom('\u0000', 't', 'u', 's', 'd', 'T', '1', ':', ';', '\ud800', '\udc00', 'é', '\ufeff'), {
        maxLength: 8,
      })
      .map(parts => parts.join('')),
  },
  { weight: 1, arbitrary: fc.string({ minLength: 50, maxLength: 90 }) },
);

/** Every kind of primitive key, with those that a `Map` tells apart in an odd way. */
export const atoms: fc.Arbitrary<KeyAtom> = fc.oneof(
  text,
  fc.double(),
  fc.integer(),
  fc.constantFrom(0, -0, Number.NaN, 1, 2 ** 31, -(2 ** 31), 2 ** 53, Number.POSITIVE_INFINITY, 5e-324),
  fc.bigInt(),
  fc.constantFrom(0n, 1n, 2n ** 63n - 1n, 2n ** 63n, -(2n ** 63n), -(2n ** 63n) - 1n, 10n ** 40n),
  fc.boolean(),
);

export const keys: fc.Arbitrary<Key> = fc.oneof(atoms, fc.array(atoms, { maxLength: 3 }));

/** Whether a `Map` would take these for one key, tuples compared atom by atom: the definition, not the code under test. */
export function sameKey(a: Key | undefined, b: Key | undefined): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((atom, i) => sameKey(atom, b[i]));
  return !Array.isArray(a) && !Array.isArray(b) && new Map([[a, 1]]).has(b);
}
