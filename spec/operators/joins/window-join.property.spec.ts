import fc from 'fast-check';
import { map } from 'rxjs';
import { expect, test } from 'vitest';
import type { MemoryItem } from '../../../connectors/memory/index.ts';
import { type DataStream, side as sideTag, Watermark } from '../../../lib/index.ts';
import { coGroup, type JoinType, type TimeWindow, union, windowJoin } from '../../../operators/index.ts';
import { arrivals, joined, leftOver, type Row, steps, timed } from './two-inputs.ts';

const lateLeft = sideTag<Row>('too-late');
const lateRight = sideTag<Row>('too-late');

const settings = fc
  .record({
    type: fc.constantFrom<JoinType>('inner', 'left', 'full'),
    slide: fc.integer({ min: 1, max: 12 }),
    times: fc.integer({ min: 1, max: 4 }),
    rest: fc.integer({ min: 0, max: 11 }),
    offset: fc.integer({ min: 0, max: 5 }),
  })
  .map(({ slide, times, rest, ...others }) => ({
    ...others,
    slide,
    size: slide * times + (times > 1 ? rest % slide : 0),
  }));
type Settings = typeof settings extends fc.Arbitrary<infer S> ? S : never;

const show = (row: Row | undefined): string => (row ? `${row.key}${row.n}` : '-');
const sorted = (rows: readonly Row[]): string =>
  rows
    .map(({ n }) => n)
    .sort((a, b) => a - b)
    .join();

/** By definition: every window that holds a record and was not complete when the record came. */
function windowsOf(items: readonly MemoryItem<Row>[], { slide, size, offset }: Settings) {
  const windows: { key: string; window: TimeWindow; lefts: Row[]; rights: Row[] }[] = [];
  const late: string[] = [];
  for (const { row, watermark } of arrivals(items)) {
    let isLate = true;
    for (let start = offset - 100 * slide; start <= row.time; start += slide) {
      const end = start + size;
      if (end <= row.time || watermark >= end - 1) continue;
      isLate = false;
      let found = windows.find(({ key, window }) => key === row.key && window.start === start);
      if (!found) {
        found = { key: row.key, window: { start, end }, lefts: [], rights: [] };
        windows.push(found);
      }
      (row.isLeft ? found.lefts : found.rights).push(row);
    }
    if (isLate) late.push(show(row));
  }
  return { windows, late: late.sort() };
}

function pairsOf(items: readonly MemoryItem<Row>[], options: Settings): string[] {
  const pairs: string[] = [];
  for (const { window, lefts, rights } of windowsOf(items, options).windows) {
    const at = `@${window.end - 1}`;
    for (const left of lefts) for (const right of rights) pairs.push(`${show(left)} ${show(right)} ${at}`);
    if (rights.length === 0 && options.type !== 'inner') for (const left of lefts) pairs.push(`${show(left)} - ${at}`);
    if (lefts.length === 0 && options.type === 'full') for (const right of rights) pairs.push(`- ${show(right)} ${at}`);
  }
  return pairs.sort();
}

const lateOf = (seen: readonly string[]): string[] =>
  seen
    .filter(text => text.startsWith('late '))
    .map(text => text.slice(5))
    .sort();
const resultsOf = (seen: readonly string[]): string[] => seen.filter(text => !text.startsWith('late ')).sort();
const withLate = (results: DataStream<string, string>) =>
  union(results.pipe(timed()), results.side(lateLeft).pipe(map(row => `late ${show(row)}`)));

test('windowJoin gives what its definition gives, whatever the order, the checkpoints and the crashes', async () => {
  await fc.assert(
    fc.asyncProperty(steps(), settings, async (items, options) => {
      const result = (left: Row | undefined, right: Row | undefined) => `${show(left)} ${show(right)}`;
      const seen = await joined(items, (left, right) =>
        withLate(windowJoin('join', left, right, { ...options, lateLeft, lateRight, result })),
      );
      expect(resultsOf(seen)).toEqual(pairsOf(items, options));
      expect(lateOf(seen)).toEqual(windowsOf(items, options).late);
    }),
    { numRuns: 120 },
  );
}, 60_000);

test('coGroup gives what its definition gives, whatever the order, the checkpoints and the crashes', async () => {
  await fc.assert(
    fc.asyncProperty(steps(), settings, async (items, { type: _, ...options }) => {
      const seen = await joined(items, (left, right) =>
        withLate(
          coGroup('group', left, right, {
            ...options,
            lateLeft,
            lateRight,
            result: (key, lefts, rights, { start, end }) => `${key} ${start} ${end} ${sorted(lefts)} ${sorted(rights)}`,
          }),
        ),
      );
      const { windows, late } = windowsOf(items, { ...options, type: 'inner' });
      const expected = windows.map(
        ({ key, window: { start, end }, lefts, rights }) =>
          `${key} ${start} ${end} ${sorted(lefts)} ${sorted(rights)} @${end - 1}`,
      );
      expect(resultsOf(seen)).toEqual(expected.sort());
      expect(lateOf(seen)).toEqual(late);
    }),
    { numRuns: 80 },
  );
}, 60_000);

test('windows keep nothing when the watermark has reached their ends', async () => {
  await fc.assert(
    fc.asyncProperty(steps(), settings, async (items, options) => {
      const left = await leftOver('join', [...items, new Watermark(200)], (left, right) =>
        windowJoin('join', left, right, options),
      );
      expect(left).toEqual({ values: [], entries: [], event: [], processing: [] });
    }),
    { numRuns: 50 },
  );
}, 60_000);
