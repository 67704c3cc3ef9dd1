import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Compression, openSegment, sealSegment } from '../../lib/checkpoint/segment.ts';
import { StateLostError } from '../../lib/errors.ts';
import { isPromise } from '../../lib/maybe-promise.ts';

const text = Buffer.from('state '.repeat(50_000));
const where = 'cards/totals 7-1-ab';

describe('a sealed segment', () => {
  it.each<[Compression, boolean]>([
    ['zstd', true],
    ['zstd', false],
    ['none', true],
    ['none', false],
  ])('is opened as it was sealed (%s, sync %s)', async (compression, sync) => {
    for (const raw of [text, Buffer.alloc(0), text.subarray(3, 9), new Uint8Array(text)]) {
      const sealed = sealSegment(raw, { compression, sync });
      if (sync) expect(isPromise(sealed)).toBe(false);
      const { bytes, checksum } = await sealed;
      const opened = openSegment(bytes, checksum, where, { sync });
      if (sync) expect(isPromise(opened)).toBe(false);
      expect(Buffer.from(await opened).equals(raw)).toBe(true);
    }
  });

  it('is small, and opened either way, whichever way it was sealed', async () => {
    for (const sync of [true, false]) {
      const { bytes, checksum } = await sealSegment(text, { compression: 'zstd', sync });
      expect(bytes.length).toBeLessThan(1_000);
      expect(await openSegment(bytes, checksum, where, { sync: !sync })).toEqual(text);
    }
  });

  it('is refused, with its name, when any byte of it changed or is missing', async () => {
    for (const compression of ['zstd', 'none'] as const) {
      const { bytes, checksum } = await sealSegment(text.subarray(0, 500), { compression });
      await fc.assert(
        fc.asyncProperty(
          fc.nat(bytes.length - 1),
          fc.integer({ min: 1, max: 255 }),
          fc.boolean(),
          async (at, flip, sync) => {
            const changed = Uint8Array.from(bytes);
            changed[at] = (changed[at] as number) ^ flip;
            for (const damaged of [changed, bytes.subarray(0, at)]) {
              const opened = (async () => openSegment(damaged, checksum, where, { sync }))();
              await expect(opened).rejects.toThrow(StateLostError);
              await expect(opened).rejects.toThrow(where);
            }
          },
        ),
        { numRuns: 50 },
      );
    }
  });

  it.each<[string, (bytes: Uint8Array) => Uint8Array, string]>([
    ['of another version', bytes => bytes.with(4, 9), 'format 9.1, which this version of Tidemark does not read'],
    ['of an unknown compression', bytes => bytes.with(5, 7), 'format 1.7'],
    ['that is something else', bytes => bytes.with(0, 0), 'is not a segment'],
    ['too short to be one', bytes => bytes.subarray(0, 5), 'is not a segment'],
    ['with a broken content', bytes => bytes.with(20, 0xff).with(21, 0xff), 'cannot be read'],
    ['smaller than it says', bytes => bytes.with(11, 1), 'bytes instead of'],
    ['larger than it says', bytes => bytes.with(9, 0).with(10, 0), 'cannot be read'],
  ])('is refused %s, though the checksum fits', async (_, change, message) => {
    const { bytes } = await sealSegment(text, { compression: 'zstd' });
    const other = change(Uint8Array.from(bytes));
    const checksum = Buffer.from(await crypto.subtle.digest('SHA-256', Uint8Array.from(other))).toString('hex');
    for (const sync of [true, false]) {
      const opened = (async () => openSegment(other, checksum, where, { sync }))();
      await expect(opened).rejects.toThrow(StateLostError);
      await expect(opened).rejects.toThrow(message);
      await expect(opened).rejects.toThrow(where);
    }
  });
});
