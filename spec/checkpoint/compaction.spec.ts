import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CompactOptions, compact, compactStored, type StoredSegment } from '../../lib/checkpoint/compaction.ts';
import { readEntries, SegmentWriter, sealSegment } from '../../lib/checkpoint/segment.ts';
import { StateLostError } from '../../lib/errors.ts';
import { isPromise } from '../../lib/maybe-promise.ts';

interface Entry {
  kind: number;
  key: string;
  /** Missing for a deletion. */
  value?: string;
}

function segment(entries: readonly Entry[]): Uint8Array {
  const writer = new SegmentWriter();
  for (const { kind, key, value } of entries) {
    if (value === undefined) writer.remove(kind, Buffer.from(key, 'latin1'));
    else writer.put(kind, Buffer.from(key, 'latin1'), Buffer.from(value));
  }
  return writer.finish()[0]?.raw ?? new Uint8Array(0);
}

/** What a restore makes of segments: for each kind, keys and values in order. */
function restored(segments: readonly Uint8Array[]): [number, [string, string][]][] {
  const kinds = new Map<number, Map<string, string>>();
  for (const raw of segments) {
    readEntries(raw, (kind, buffer, keyStart, keyEnd, valueStart, valueEnd) => {
      const state = kinds.get(kind) ?? new Map<string, string>();
      kinds.set(kind, state);
      const key = Buffer.from(buffer).toString('latin1', keyStart, keyEnd);
      if (valueEnd < 0) state.delete(key);
      else state.set(key, Buffer.from(buffer).toString('utf8', valueStart, valueEnd));
    });
  }
  return [...kinds]
    .map(([kind, state]) => [kind, [...state]] as [number, [string, string][]])
    .sort(([a], [b]) => a - b);
}

function countEntries(segments: readonly Uint8Array[]): number {
  let count = 0;
  for (const raw of segments) readEntries(raw, () => count++);
  return count;
}

const compacted = (segments: readonly Uint8Array[], options?: CompactOptions): Uint8Array[] =>
  compact(segments, options).map(result => result.raw);

const key = fc.constantFrom('a', 'b', 'c', '\u0080', '\u00ff', '');
const entry: fc.Arbitrary<Entry> = fc.oneof(
  fc.record({ kind: fc.nat(2), key, value: fc.string({ maxLength: 5 }) }),
  fc.record({ kind: fc.nat(2), key }),
);
const chain = fc.array(fc.array(entry, { maxLength: 12, size: 'max' }).map(segment), { maxLength: 5 });
const filled = (state: [number, [string, string][]][]) => state.filter(([, entries]) => entries.length > 0);

describe('compaction', () => {
  it('gives what its segments give one after another, in the same order, and nothing else', () => {
    fc.assert(
      fc.property(chain, fc.integer({ min: 1, max: 100 }), (segments, maxBytes) => {
        const result = compacted(segments, { maxBytes });
        expect(restored(result)).toEqual(filled(restored(segments)));
        expect(countEntries(result)).toBe(restored(result).reduce((sum, [, entries]) => sum + entries.length, 0));
      }),
      { numRuns: 1_000 },
    );
  });

  it('of the newer part of a chain changes nothing of what the whole chain gives', () => {
    fc.assert(
      fc.property(chain, chain, (older, newer) => {
        const result = compacted(newer, { keepDeletions: true });
        expect(restored([...older, ...result])).toEqual(restored([...older, ...newer]));
        expect(countEntries(result)).toBeLessThanOrEqual(countEntries(newer));
      }),
      { numRuns: 1_000 },
    );
  });

  it('keeps deletions only where something older may hold the key', () => {
    const deltas = [segment([{ kind: 0, key: 'a', value: '1' }]), segment([{ kind: 0, key: 'a' }])];
    expect(countEntries(compacted(deltas, { keepDeletions: true }))).toBe(1);
    expect(compacted(deltas)).toEqual([]);
  });

  it('closes segments at their size', () => {
    const many = segment(Array.from({ length: 100 }, (_, i) => ({ kind: 0, key: `key-${i}`, value: 'value' })));
    const results = compact([many], { maxBytes: 200 });
    expect(results.length).toBeGreaterThan(5);
    expect(results.reduce((sum, { entries }) => sum + entries, 0)).toBe(100);
  });

  it('of stored segments answers at once when it is asked to', async () => {
    const raw = segment([{ kind: 0, key: 'a', value: '1' }]);
    const sealed = await sealSegment(raw, { compression: 'none' });
    const stored: StoredSegment[] = [
      { ...sealed, where: 'one' },
      { ...sealed, where: 'two' },
    ];
    const result = compactStored(stored, { compression: 'none', sync: true });
    expect(isPromise(result)).toBe(false);
    expect(await result).toEqual([{ ...sealed, entries: 1 }]);
    expect(await compactStored(stored, { compression: 'none' })).toEqual([{ ...sealed, entries: 1 }]);
  });

  it('refuses a damaged segment and names it', async () => {
    const sealed = await sealSegment(segment([{ kind: 0, key: 'a', value: '1' }]), { compression: 'zstd' });
    const damaged = { ...sealed, checksum: '00', where: 'cards/totals 3-1-ff' };
    expect(() => compactStored([damaged], { compression: 'zstd', sync: true })).toThrow(StateLostError);
    await expect((async () => compactStored([damaged], { compression: 'zstd' }))()).rejects.toThrow(
      'cards/totals 3-1-ff',
    );
  });
});
