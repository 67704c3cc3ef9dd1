import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeName } from '../../lib/checkpoint/encoded-name.ts';
import { folderName } from '../../lib/checkpoint/store-file/folder-name.ts';

/** Names with what breaks paths and keys, lone surrogates included. */
const name = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 8 }).map(units => String.fromCharCode(...units)),
  fc.stringMatching(/^[aA%u0-9./\\:{}~-]{0,12}$/),
);

/** The name that was encoded. */
function decodeName(encoded: string): string {
  if (encoded === '%') return '';
  return encoded.replace(/%u([0-9a-f]{4})|%([0-9a-f]{2})/g, (_, wide, narrow) =>
    String.fromCharCode(Number.parseInt(wide ?? narrow, 16)),
  );
}

describe('encoded names', () => {
  it.each([
    ['card-totals_2', 'card-totals_2'],
    ['Card', '%43ard'],
    ['..', '%2e%2e'],
    ['a/b', 'a%2fb'],
    ['', '%'],
    ['%', '%25'],
    ['ü☃', '%fc%u2603'],
  ])('%j is %s', (given, expected) => {
    expect(encodeName(given)).toBe(expected);
  });

  it('can be told apart, also where case is ignored, and hold nothing that means something elsewhere', () =>
    fc.assert(
      fc.property(name, given => {
        const encoded = encodeName(given);
        expect(decodeName(encoded)).toBe(given);
        expect(encoded).toMatch(/^[a-z0-9_%-]+$/);
      }),
      { numRuns: 2_000 },
    ));
});

describe('folder names', () => {
  it('fit into a file system, and long ones that differ at the end stay distinct', () => {
    const long = ['x'.repeat(300), `${'x'.repeat(299)}y`, 'ü'.repeat(300), 'x'.repeat(200), 'x'.repeat(201)].map(
      folderName,
    );
    for (const each of long) expect(each.length).toBeLessThanOrEqual(200);
    expect(new Set(long).size).toBe(long.length);
    expect(folderName('x'.repeat(200))).toBe('x'.repeat(200));
    expect(long[0]).toMatch(/^x{120}~[0-9a-f]{64}$/);
  });
});
