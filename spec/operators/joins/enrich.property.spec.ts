import fc from 'fast-check';
import { map } from 'rxjs';
import { expect, test } from 'vitest';
import type { MemoryItem } from '../../../connectors/memory/index.ts';
import { StreamRecord, side as sideTag, Watermark } from '../../../lib/index.ts';
import { enrich, union } from '../../../operators/index.ts';
import { arrivals, joined, leftOver, type Row, steps, timed } from './two-inputs.ts';

const late = sideTag<Row>('too-late');
const deletes = (row: Row): boolean => row.n % 4 === 0;
const show = (row: Row | undefined): string => (row ? `${row.key}${row.n}` : '-');
const result = (record: Row, value: Row | undefined) => `${show(record)} ${show(value)}`;

/** By definition: the value that the table has when the record comes. */
function latest(items: readonly MemoryItem<Row>[], type: 'inner' | 'left'): string[] {
  const table = new Map<string, Row>();
  const results: string[] = [];
  for (const { row } of arrivals(items)) {
    if (row.isLeft) {
      const value = table.get(row.key);
      if (value || type === 'left') results.push(`${result(row, value)} @${row.time}`);
    } else if (deletes(row)) table.delete(row.key);
    else table.set(row.key, row);
  }
  return results;
}

/** By definition: a record gets, when the watermark has reached it, the newest value from its time or before. */
function asOfRecord(items: readonly MemoryItem<Row>[], type: 'inner' | 'left', retention: number) {
  const results: string[] = [];
  const tooLate: string[] = [];
  let waiting: Row[] = [];
  /** Every change that counts, in the order in which it came. */
  let changes: Row[] = [];
  const newest = (key: string, time: number): Row | undefined =>
    changes
      .filter(row => row.key === key && row.time <= time)
      .reduce<Row | undefined>((best, row) => (best === undefined || row.time >= best.time ? row : best), undefined);
  const give = (row: Row) => {
    const found = newest(row.key, row.time);
    const value = found && !deletes(found) ? found : undefined;
    if (value || type === 'left') results.push(`${result(row, value)} @${row.time}`);
  };
  /** A removal that the watermark has left behind is forgotten, with all before it. */
  const forget = (horizon: number) => {
    for (const key of ['a', 'b']) {
      const last = newest(key, horizon);
      if (last && deletes(last)) changes = changes.filter(row => row.key !== key || row.time > horizon);
    }
  };
  const advance = (watermark: number) => {
    for (const row of waiting) if (row.time <= watermark) give(row);
    waiting = waiting.filter(row => row.time > watermark);
    forget(watermark - retention);
  };
  for (const { row, watermark } of arrivals(items)) {
    advance(watermark);
    const isLate = row.time + retention <= watermark;
    if (row.isLeft) {
      if (row.time > watermark) waiting.push(row);
      else if (isLate) tooLate.push(show(row));
      else give(row);
    } else if (!isLate || (newest(row.key, watermark - retention)?.time ?? -1) <= row.time) changes.push(row);
  }
  advance(Number.POSITIVE_INFINITY);
  return { results: results.sort(), late: tooLate.sort() };
}

const types = fc.constantFrom('inner' as const, 'left' as const);

test('gives what the table has when a record comes, whatever the checkpoints and the crashes', async () => {
  await fc.assert(
    fc.asyncProperty(steps(), types, async (items, type) => {
      const seen = await joined(items, (stream, table) =>
        enrich('enrich', stream, table, { asOf: 'latest', type, deletes, result }).pipe(timed()),
      );
      expect(seen).toEqual(latest(items, type));
    }),
    { numRuns: 80 },
  );
}, 60_000);

test('gives what was valid at the time of a record, whatever the order, the checkpoints and the crashes', async () => {
  await fc.assert(
    fc.asyncProperty(steps(), types, fc.constantFrom(0, 0, 5, 15), async (items, type, retention) => {
      const seen = await joined(items, (stream, table) => {
        const enriched = enrich('enrich', stream, table, { asOf: 'record', type, retention, late, deletes, result });
        return union(enriched.pipe(timed()), enriched.side(late).pipe(map(row => `late ${show(row)}`)));
      });
      const expected = asOfRecord(items, type, retention);
      expect(seen.filter(text => !text.startsWith('late ')).sort()).toEqual(expected.results);
      const sentToTheSide = seen.filter(text => text.startsWith('late ')).map(text => text.slice(5));
      expect(sentToTheSide.sort()).toEqual(expected.late);
    }),
    { numRuns: 150 },
  );
}, 60_000);

test('keeps one value of a key at most, and nothing else, when the watermark has left all behind', async () => {
  await fc.assert(
    fc.asyncProperty(steps(), fc.constantFrom('record' as const, 'latest' as const), async (items, asOf) => {
      const left = await leftOver('enrich', [...items, new Watermark(200)], (stream, table) =>
        enrich('enrich', stream, table, { asOf, deletes }),
      );
      expect(left.event).toEqual([]);
      const kept = asOf === 'latest' ? left.values.map(([key]) => key) : left.entries.map(name => keyIn(name));
      expect(kept.length).toBe(new Set(kept).size);
      expect((asOf === 'latest' ? left.entries : left.values).length).toBe(0);
    }),
    { numRuns: 60 },
  );
}, 60_000);

const keyIn = (name: unknown): unknown => (name as readonly unknown[])[1];

test('keeps past values for as long as retention says, and forgets a removed key', async () => {
  const change = (time: number, n: number) => new StreamRecord<Row>({ isLeft: false, key: 'a', time, n }, time);
  const kept = async (items: MemoryItem<Row>[], retention: number) => {
    const { entries } = await leftOver('enrich', items, (stream, table) =>
      enrich('enrich', stream, table, { asOf: 'record', retention, deletes }),
    );
    return entries.length;
  };
  const changes = [change(3, 1), change(6, 2), change(9, 3)];
  expect(await kept([...changes, new Watermark(9)], 0)).toBe(1);
  expect(await kept([...changes, new Watermark(9)], 2)).toBe(2);
  expect(await kept([...changes, new Watermark(9)], 5)).toBe(3);
  expect(await kept([...changes, change(10, 4), new Watermark(12)], 5)).toBe(3);
  expect(await kept([...changes, change(10, 4), new Watermark(15)], 5)).toBe(0);
});
