import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ByteRange,
  EntryReader,
  type RawSegment,
  readEntries,
  SegmentWriter,
} from '../../lib/checkpoint/segment-entries.ts';
import { StateLostError } from '../../lib/errors.ts';

interface Entry {
  kind: number;
  key: Uint8Array;
  /** Missing for a tombstone. */
  value?: Uint8Array;
}

function write(entries: readonly Entry[], maxBytes?: number): RawSegment[] {
  const writer = new SegmentWriter(maxBytes === undefined ? {} : { maxBytes });
  for (const { kind, key, value } of entries) {
    if (value) writer.put(kind, key, value);
    else writer.remove(kind, key);
  }
  return writer.finish();
}

/** The same bytes in the middle of others. */
function within(bytes: Uint8Array): ByteRange {
  return { bytes: new Uint8Array([1, 2, 3, ...bytes, 4]), start: 3, end: 3 + bytes.length };
}

function read(segments: readonly RawSegment[], slice: number): Entry[] {
  const entries: Entry[] = [];
  for (const { raw } of segments) {
    const reader = new EntryReader(raw);
    while (
      reader.next(slice, (kind, buffer, keyStart, keyEnd, valueStart, valueEnd) => {
        const key = buffer.slice(keyStart, keyEnd);
        entries.push(valueEnd < 0 ? { kind, key } : { kind, key, value: buffer.slice(valueStart, valueEnd) });
      })
    );
  }
  return entries;
}

const plain = (entries: readonly Entry[]) =>
  entries.map(({ kind, key, value }) => [
    kind,
    Buffer.from(key).toString('hex'),
    value && Buffer.from(value).toString('hex'),
  ]);

const bytes = fc.oneof(
  { weight: 6, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(0, 23, 24, 127, 128, 300, 16_383, 16_384, 20_000).map(n => new Uint8Array(n).fill(n)),
  },
);
const entry: fc.Arbitrary<Entry> = fc.oneof(
  fc.record({ kind: fc.nat(15), key: bytes, value: bytes }),
  fc.record({ kind: fc.nat(15), key: bytes }),
);

describe('the entries of a segment', () => {
  it('are the same when they are copied from the middle of other bytes', () => {
    fc.assert(
      fc.property(bytes, bytes, (key, value) => {
        const writer = new SegmentWriter();
        writer.putRange(3, within(key), within(value));
        expect(plain(read(writer.finish(), 9))).toEqual(plain([{ kind: 3, key, value }]));
      }),
    );
  });

  it('are read as they were written, in their order, whatever the size of segments and slices', () => {
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 60, size: 'max' }),
        fc.integer({ min: 1, max: 5_000 }),
        fc.integer({ min: 1, max: 9 }),
        (entries, maxBytes, slice) => {
          const segments = write(entries, maxBytes);
          expect(plain(read(segments, slice))).toEqual(plain(entries));
          expect(segments.reduce((sum, { entries }) => sum + entries, 0)).toBe(entries.length);
          for (const { raw } of segments.slice(0, -1)) expect(raw.length).toBeGreaterThanOrEqual(maxBytes);
        },
      ),
    );
  });

  it('fill a segment up to its size, and the next one is a new one', () => {
    const writer = new SegmentWriter({ maxBytes: 100 });
    const value = new Uint8Array(47);
    writer.put(0, new Uint8Array([1]), value);
    writer.put(0, new Uint8Array([2]), value);
    expect(writer.takeClosed()).toHaveLength(1);
    expect(writer.takeClosed()).toHaveLength(0);
    writer.remove(2, new Uint8Array([3]));
    expect(writer.rawBytes).toBe(2 * 51 + 3);
    expect(writer.finish()).toMatchObject([{ entries: 1 }]);
    expect(writer.finish()).toEqual([]);
  });

  it('may be larger than a segment', () => {
    const [segment] = write([{ kind: 1, key: new Uint8Array(3), value: new Uint8Array(1_000_000).fill(7) }], 1_000);
    expect(read(segment ? [segment] : [], 1)[0]?.value).toHaveLength(1_000_000);
  });

  it('own their memory, so that a segment can be given to a thread', () => {
    const writer = new SegmentWriter();
    for (let i = 0; i < 10_000; i++) writer.put(0, Buffer.from(`key-${i}`), new Uint8Array(20));
    const [segment] = writer.finish();
    const [moved] = structuredClone([segment?.raw], { transfer: [segment?.raw.buffer as ArrayBuffer] });
    expect(segment?.raw).toHaveLength(0);
    expect(moved?.length).toBeGreaterThan(200_000);
  });

  it('can be copied byte by byte into another segment', () => {
    const from = write([
      { kind: 3, key: new Uint8Array([1]), value: new Uint8Array([2]) },
      { kind: 1, key: new Uint8Array([9]) },
    ]);
    const raw = from[0]?.raw as Uint8Array;
    const writer = new SegmentWriter();
    const reader = new EntryReader(raw);
    for (let start = 0; start < raw.length; start = reader.position) {
      reader.next(1, () => undefined);
      writer.copy(raw, start, reader.position);
    }
    expect(writer.finish()).toEqual(from);
  });

  it('are refused when they end too early or carry a flag from the future', () => {
    const raw = write([{ kind: 0, key: new Uint8Array([1, 2, 3]), value: new Uint8Array(200) }])[0]?.raw as Uint8Array;
    for (let cut = 1; cut < raw.length; cut += 7) {
      expect(() => readEntries(raw.subarray(0, cut), () => undefined)).toThrow(StateLostError);
    }
    expect(() => readEntries(new Uint8Array([0x20, 1, 1, 1, 1]), () => undefined)).toThrow(StateLostError);
  });
});
