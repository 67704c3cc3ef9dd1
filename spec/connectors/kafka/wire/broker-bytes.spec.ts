import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { BatchCursor } from '../../../../connectors/kafka/client/wire/record-batch-reader.ts';

// Bytes that Kafka's own producer wrote and a Kafka 4.4 broker answered; `fixtures/make.ts` and `Written.java` made them.
const fixture = (name: string) => readFileSync(path.join(import.meta.dirname, 'fixtures', name));

const text = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString());

const written = Array.from({ length: 20 }, (_, i) => ({
  offset: i,
  timestamp: 1_700_000_000_000 - i * 1_000,
  key: i % 5 === 0 ? null : `k${i}`,
  value: i % 7 === 0 ? null : `value ${i};`.repeat(30),
  headers:
    i % 3 === 0
      ? [
          ['h', `x${i}`],
          ['é', null],
        ]
      : [],
}));

function recordsOf(cursor: BatchCursor) {
  const records: { offset: number; timestamp: number; key: unknown; value: unknown; headers: unknown }[] = [];
  while (cursor.nextRecord()) {
    const { offset, timestamp } = cursor;
    const headers = cursor.headers().map(([name, value]) => [name, text(value)]);
    records.push({ offset, timestamp, key: text(cursor.key()), value: text(cursor.value()), headers });
  }
  return records;
}

describe("a broker's bytes", () => {
  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)('with %s as compression are read', compression => {
    const cursor = new BatchCursor(fixture(`${compression}.bin`));
    expect(cursor.nextBatch()).toBe(true);
    expect(cursor).toMatchObject({
      compression,
      baseOffset: 0,
      lastOffset: 19,
      recordCount: 20,
      isControl: false,
      isTransactional: false,
      isLogAppendTime: false,
      maxTimestamp: 1_700_000_000_000,
      baseSequence: 0,
    });
    expect(recordsOf(cursor)).toEqual(written);
    expect(cursor.nextBatch()).toBe(false);
  });

  it("that have the broker's time give it to every record", () => {
    const cursor = new BatchCursor(fixture('log-append-time.bin'));
    expect(cursor.nextBatch()).toBe(true);
    expect(cursor.isLogAppendTime).toBe(true);
    expect(cursor.maxTimestamp).toBeGreaterThan(1_790_000_000_000);
    expect(recordsOf(cursor)).toEqual(written.map(record => ({ ...record, timestamp: cursor.maxTimestamp })));
  });

  it('of interleaved transactions tell whose each batch is, and what each marker says', () => {
    const { abortedTransactions } = JSON.parse(fixture('transactions.json').toString());
    // In the order of their markers: the one that began later was aborted first.
    const [{ producerId: b }, { producerId: a }] = abortedTransactions;
    expect(abortedTransactions).toEqual([
      { producerId: b, firstOffset: 1 },
      { producerId: a, firstOffset: 0 },
    ]);
    const cursor = new BatchCursor(fixture('transactions.bin'));
    const batches: unknown[] = [];
    while (cursor.nextBatch()) {
      const { baseOffset, producerId, isControl } = cursor;
      expect(cursor.isTransactional).toBe(true);
      const content = isControl ? cursor.controlType() : recordsOf(cursor).map(({ key, value }) => [key, value]);
      batches.push([baseOffset, producerId, content]);
    }
    expect(batches).toEqual([
      [0, a, [['k', 'a0']]],
      [1, b, [['k', 'b0']]],
      [2, a, [['k', 'a1']]],
      [3, b, 'abort'],
      [4, a, 'abort'],
      [5, a, [['\0\0\0\0', 'a2']]],
      [6, b, [['k', 'b1']]],
      [7, a, 'commit'],
      [8, b, 'commit'],
    ]);
  });

  it('of a marker can still be walked as records, and are asked twice', () => {
    const cursor = new BatchCursor(fixture('transactions.bin'));
    while (cursor.nextBatch() && !cursor.isControl);
    expect(cursor.controlType()).toBe('abort');
    expect(cursor.controlType()).toBe('abort');
    expect(cursor.nextRecord()).toBe(false);
    expect(cursor.lastOffset).toBe(3);
  });

  it('of a data batch are no marker', () => {
    const cursor = new BatchCursor(fixture('none.bin'));
    cursor.nextBatch();
    expect(cursor.controlType()).toBe('other');
    expect(recordsOf(cursor)).toHaveLength(20);
  });

  it('of a format before the present one are refused, and say so', () => {
    const old = Buffer.from(fixture('none.bin'));
    old[16] = 1;
    expect(() => new BatchCursor(old).nextBatch()).toThrow(/offset 0 have format 1.*format 2/);
  });
});
