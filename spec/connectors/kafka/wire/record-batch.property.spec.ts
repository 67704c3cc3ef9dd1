import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchCursor } from '../../../../connectors/kafka/client/wire/record-batch-reader.ts';
import { BatchWriter } from '../../../../connectors/kafka/client/wire/record-batch-writer.ts';
import type { Compression, Header } from '../../../../connectors/kafka/record.ts';

interface Written {
  readonly timestamp: number;
  readonly key: Uint8Array | string | null;
  readonly value: Uint8Array | string | null;
  readonly headers: readonly Header[];
}

const bytes = fc.uint8Array({ maxLength: 200 });
const field = fc.option(fc.oneof(bytes, fc.string({ unit: 'grapheme', maxLength: 60 })), { nil: null });
const header = fc.tuple(fc.string({ unit: 'grapheme', maxLength: 12 }), fc.option(bytes, { nil: null }));
const record: fc.Arbitrary<Written> = fc.record({
  timestamp: fc.oneof(fc.integer({ min: 0, max: 2 ** 42 }), fc.integer({ min: 0, max: 2 ** 52 - 1 })),
  key: field,
  value: field,
  headers: fc.array(header, { maxLength: 4 }),
});
const compression = fc.constantFrom<Compression>('none', 'gzip', 'snappy', 'lz4', 'zstd');

const plain = (field: Uint8Array | string | null) => (field === null ? null : [...Buffer.from(field)]);

function written(writer: BatchWriter, records: readonly Written[], packing: Compression): Buffer {
  writer.clear();
  for (const { timestamp, key, value, headers } of records) writer.append(timestamp, key, value, headers);
  writer.close(packing);
  return writer.encoded({ producerId: 2 ** 40 + 7, producerEpoch: 11, baseSequence: 5, isTransactional: true });
}

function readAll(cursor: BatchCursor) {
  const records: { offset: number; timestamp: number; key: unknown; value: unknown; headers: unknown }[] = [];
  while (cursor.nextBatch()) {
    while (cursor.nextRecord()) {
      records.push({
        offset: cursor.offset,
        timestamp: cursor.timestamp,
        key: plain(cursor.key()),
        value: plain(cursor.value()),
        headers: cursor.headers().map(([name, value]) => [name, plain(value)]),
      });
    }
  }
  return records;
}

describe('a record batch', () => {
  it('is read as it was written, packed in any way, also when the memory of another batch is used again', () => {
    const writer = new BatchWriter(64);
    const batches = fc.array(fc.tuple(fc.array(record, { minLength: 1, maxLength: 20 }), compression), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(batches, given => {
        const fetched = Buffer.concat(
          given.map(([records, packing]) => Buffer.from(written(writer, records, packing))),
        );
        const expected = given.flatMap(([records]) =>
          records.map(({ timestamp, key, value, headers }, offset) => ({
            offset,
            timestamp,
            key: plain(key),
            value: plain(value),
            headers: headers.map(([name, content]) => [name, plain(content)]),
          })),
        );
        expect(readAll(new BatchCursor(fetched))).toEqual(expected);
      }),
      { numRuns: 150 },
    );
  });

  it('holds texts of characters of every width in every order, key and value alike', () => {
    const writer = new BatchWriter(64);
    const characters = ['a', 'é', '€', '😀', '\ud83d'];
    let texts = [''];
    for (let length = 0; length < 4; length++) texts = ['', ...texts.flatMap(text => characters.map(c => text + c))];
    for (const text of texts) {
      const batch = written(writer, [{ timestamp: 1, key: text, value: `${text}|${text}`, headers: [] }], 'none');
      const [read] = readAll(new BatchCursor(batch));
      expect(read).toMatchObject({ key: plain(text), value: plain(`${text}|${text}`) });
    }
  });

  it('is passed over without looking at its records', () => {
    const writer = new BatchWriter();
    const records = [{ timestamp: 1, key: 'k', value: 'v', headers: [] }];
    const two = Buffer.concat([
      Buffer.from(written(writer, records, 'zstd')),
      Buffer.from(written(writer, [...records, ...records], 'none')),
    ]);
    const cursor = new BatchCursor(two);
    const counts: number[] = [];
    while (cursor.nextBatch()) counts.push(cursor.recordCount);
    expect(counts).toEqual([1, 2]);
  });

  it('that is cut off anywhere ends the walk', () => {
    const batch = Buffer.from(
      written(new BatchWriter(), [{ timestamp: 1, key: 'k', value: 'v', headers: [] }], 'none'),
    );
    for (let length = 0; length < batch.length; length++) {
      const cursor = new BatchCursor(Buffer.concat([batch, batch.subarray(0, length)]));
      expect(cursor.nextBatch()).toBe(true);
      expect(cursor.nextBatch()).toBe(false);
    }
  });

  it('with any one bit turned over behind its checksum is refused', () => {
    const batch = Buffer.from(
      written(new BatchWriter(), [{ timestamp: 1, key: 'k', value: 'v', headers: [] }], 'none'),
    );
    fc.assert(
      fc.property(fc.integer({ min: 17 * 8, max: batch.length * 8 - 1 }), bit => {
        const damaged = Buffer.from(batch);
        damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
        expect(() => new BatchCursor(damaged).nextBatch()).toThrow(/checksum does not fit|cannot be|not known/);
      }),
    );
  });

  it('takes a new identity without being written again', () => {
    const writer = new BatchWriter();
    writer.append(7, 'k', 'v', []);
    writer.close('gzip');
    const first = new BatchCursor(
      Buffer.from(writer.encoded({ producerId: 1, producerEpoch: 2, baseSequence: 3, isTransactional: true })),
    );
    const second = new BatchCursor(Buffer.from(writer.encoded(undefined)));
    expect([first.nextBatch(), second.nextBatch()]).toEqual([true, true]);
    expect(first).toMatchObject({ producerId: 1, producerEpoch: 2, baseSequence: 3, isTransactional: true });
    expect(second).toMatchObject({ producerId: -1, producerEpoch: -1, baseSequence: -1, isTransactional: false });
    expect(second.nextRecord()).toBe(true);
    expect(`${second.key()}${second.value()}`).toBe('kv');
  });
});
