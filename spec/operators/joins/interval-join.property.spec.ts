import fc from 'fast-check';
import { map } from 'rxjs';
import { expect, test } from 'vitest';
import type { MemoryItem } from '../../../connectors/memory/index.ts';
import { StreamRecord, side as sideTag, Watermark } from '../../../lib/index.ts';
import { intervalJoin, type JoinType, union } from '../../../operators/index.ts';
import { arrivals, joined, leftOver, type Row, steps, timed } from './two-inputs.ts';

const lateLeft = sideTag<Row>('too-late');
const lateRight = sideTag<Row>('too-late');

const settings = fc
  .record({
    type: fc.constantFrom<JoinType>('inner', 'left', 'full'),
    lower: fc.integer({ min: -40, max: 30 }),
    width: fc.integer({ min: 0, max: 45 }),
    allowedLateness: fc.constantFrom(0, 0, 4),
  })
  .map(({ lower, width, ...others }) => ({ ...others, lower, upper: lower + width }));
type Settings = typeof settings extends fc.Arbitrary<infer S> ? S : never;

const show = (row: Row | undefined): string => (row ? `${row.key}${row.n}` : '-');

/** By definition: every pair of records that are not late and near enough, and what is in none. */
function reference(
  items: readonly MemoryItem<Row>[],
  { type, lower, upper, allowedLateness }: Settings,
): { results: string[]; late: string[] } {
  const results: string[] = [];
  const late: string[] = [];
  const lefts: Row[] = [];
  const rights: Row[] = [];
  for (const { row, watermark } of arrivals(items)) {
    if (row.time + allowedLateness <= watermark) late.push(show(row));
    else (row.isLeft ? lefts : rights).push(row);
  }
  const paired = new Set<Row>();
  for (const left of lefts) {
    for (const right of rights) {
      if (left.key !== right.key) continue;
      if (right.time < left.time + lower || right.time > left.time + upper) continue;
      paired.add(left).add(right);
      results.push(`${show(left)} ${show(right)} @${Math.max(left.time, right.time)}`);
    }
  }
  const alone = (row: Row, reach: number): string => `@${Math.max(row.time, row.time + reach + allowedLateness)}`;
  for (const left of type === 'inner' ? [] : lefts) {
    if (!paired.has(left)) results.push(`${show(left)} - ${alone(left, upper)}`);
  }
  for (const right of type === 'full' ? rights : []) {
    if (!paired.has(right)) results.push(`- ${show(right)} ${alone(right, -lower)}`);
  }
  return { results: results.sort(), late: late.sort() };
}

test('gives what its definition gives, whatever the order, the checkpoints and the crashes', async () => {
  await fc.assert(
    fc.asyncProperty(steps(), settings, async (items, options) => {
      const seen = await joined(items, (left, right) => {
        const pairs = intervalJoin('join', left, right, {
          ...options,
          lateLeft,
          lateRight,
          result: (left, right) => `${show(left)} ${show(right)}`,
        });
        return union(pairs.pipe(timed()), pairs.side(lateLeft).pipe(map(row => `late ${show(row)}`)));
      });
      const late = seen.filter(text => text.startsWith('late ')).map(text => text.slice(5));
      const results = seen.filter(text => !text.startsWith('late '));
      expect({ results: results.sort(), late: late.sort() }).toEqual(reference(items, options));
    }),
    { numRuns: 120 },
  );
}, 60_000);

test('keeps nothing when the watermark has left its records behind', async () => {
  await fc.assert(
    fc.asyncProperty(steps(), settings, async (items, options) => {
      const left = await leftOver('join', [...items, new Watermark(200)], (left, right) =>
        intervalJoin('join', left, right, options),
      );
      expect(left).toEqual({ values: [], entries: [], event: [], processing: [] });
    }),
    { numRuns: 50 },
  );
}, 60_000);

test('keeps a record until the watermark rules out a partner, and no longer', async () => {
  const left = (time: number) => new StreamRecord<Row>({ isLeft: true, key: 'a', time, n: time }, time);
  const kept = async (watermark: number) => {
    const items = [left(3), left(4), new Watermark(watermark)];
    const { entries, event } = await leftOver('join', items, (left, right) =>
      intervalJoin('join', left, right, { lower: 0, upper: 5 }),
    );
    return { entries: entries.length, timers: event.map(([, time]) => time) };
  };
  expect(await kept(7)).toEqual({ entries: 2, timers: [8, 9] });
  expect(await kept(8)).toEqual({ entries: 1, timers: [9] });
  expect(await kept(9)).toEqual({ entries: 0, timers: [] });
});
