import fc from 'fast-check';
import * as native from 'rxjs';
import { describe, expect, it } from 'vitest';
import { crash, type MemoryItem, takeCheckpoint } from '../../connectors/memory/index.ts';
import { actor, type Key, type Op, type } from '../../lib/index.ts';
import * as ours from '../../operators/index.ts';
import { onMemory } from './windows/on-memory.ts';

interface Reading {
  readonly sensor: string;
  readonly level: number;
}

type AnyOp = Op<Reading, unknown>;

const same = (p: number, q: number): boolean => p === q;
const level = (reading: Reading): number => reading.level;
const low = (reading: Reading): boolean => reading.level < 2;
const late = (reading: Reading, index: number): boolean => reading.level === 2 && index > 0;

/** The native operator and ours, for a number from 0 to 4. */
const operators: Readonly<Record<string, (n: number) => readonly [native: AnyOp, ours: AnyOp]>> = {
  distinctUntilChanged: () => [
    native.distinctUntilChanged(same, level),
    ours.distinctUntilChanged('o', same, level) as AnyOp,
  ],
  pairwise: () => [native.pairwise(), ours.pairwise('o')],
  bufferCount: n => [native.bufferCount(n + 1), ours.bufferCount('o', n + 1)],
  'bufferCount that overlaps': n => [native.bufferCount(n + 1, 2), ours.bufferCount('o', n + 1, 2)],
  'bufferCount that leaves out': n => [native.bufferCount(2, n + 1), ours.bufferCount('o', 2, n + 1)],
  skip: n => [native.skip(n), ours.skip('o', n)],
  take: n => [native.take(n), ours.take('o', n)],
  takeWhile: () => [native.takeWhile(low), ours.takeWhile('o', low)],
  'takeWhile, inclusive': () => [native.takeWhile(low, true), ours.takeWhile('o', low, true)],
  first: () => [native.first(late, 'none'), ours.first('o', late, 'none')],
  startWith: n => [native.startWith(n, 'start'), ours.startWith('o', n, 'start')],
};

const reading = fc.record({ sensor: fc.constantFrom('a', 'b', 'c'), level: fc.integer({ min: 0, max: 2 }) });
const item: fc.Arbitrary<MemoryItem<Reading>> = fc.oneof(
  { weight: 8, arbitrary: reading },
  { weight: 2, arbitrary: fc.constant(takeCheckpoint) },
  { weight: 1, arbitrary: fc.constant(crash) },
);

/** Shows under which key an output came. */
const withKey = actor<unknown, null, readonly [Key | undefined, unknown]>('with-key', {
  emits: type<readonly [Key | undefined, unknown]>(),
  update: 'return',
  initial: () => null,
  receive(_, value, ctx) {
    ctx.emit([ctx.key, value]);
  },
});

const isReading = (item: MemoryItem<Reading>): item is Reading => typeof item === 'object' && 'sensor' in item;

async function byNative(readings: readonly Reading[], operator: AnyOp): Promise<unknown[]> {
  return native.lastValueFrom(operator(native.from(readings)).pipe(native.toArray()));
}

describe('through checkpoints and crashes, the checkpointed namesake', () => {
  describe.each(Object.entries(operators))('%s', (_, operator) => {
    it('shows of each key, once, what the native one makes of the records of that key', () =>
      fc.assert(
        fc.asyncProperty(fc.array(item, { maxLength: 40 }), fc.integer({ min: 0, max: 4 }), async (items, n) => {
          const [plain, checkpointed] = operator(n);
          const came = await onMemory(items, stream =>
            stream.pipe(
              ours.keyBy(({ sensor }) => sensor),
              checkpointed,
              withKey,
            ),
          );
          const expected: Record<string, unknown[]> = {};
          const actual: Record<string, unknown[]> = {};
          for (const sensor of ['a', 'b', 'c']) {
            const readings = items.filter(isReading).filter(item => item.sensor === sensor);
            // A key that has no record is not known.
            expected[sensor] = readings.length === 0 ? [] : await byNative(readings, plain);
            actual[sensor] = came.filter(([key]) => key === sensor).map(([, value]) => value);
          }
          expect(actual).toEqual(expected);
        }),
        { numRuns: 30 },
      ));

    it('shows without a key, once, what the native one makes of all records', () =>
      fc.assert(
        fc.asyncProperty(fc.array(item, { maxLength: 30 }), fc.integer({ min: 0, max: 4 }), async (items, n) => {
          const [plain, checkpointed] = operator(n);
          expect(await onMemory(items, stream => stream.pipe(checkpointed))).toEqual(
            await byNative(items.filter(isReading), plain),
          );
        }),
        { numRuns: 20 },
      ));
  });
});
