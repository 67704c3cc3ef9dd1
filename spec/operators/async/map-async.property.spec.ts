import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { map } from 'rxjs';
import { expect, test } from 'vitest';
import { crash, type MemoryItem, takeCheckpoint } from '../../../connectors/memory/index.ts';
import { StreamRecord, Watermark } from '../../../lib/index.ts';
import { aggregates, keyBy, mapAsync, scan, tumblingWindow } from '../../../operators/index.ts';
import { onMemory } from '../windows/on-memory.ts';

interface Order {
  readonly n: number;
  readonly shop: string;
  /** Turns of the event loop that each attempt takes; all but the last fail. */
  readonly attempts: readonly number[];
}

const step = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      shop: fc.constantFrom('a', 'b'),
      attempts: fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 3 }),
      time: fc.integer({ min: 0, max: 60 }),
    }),
  },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 60 }) },
  { weight: 2, arbitrary: fc.constant('checkpoint' as const) },
  { weight: 1, arbitrary: fc.constant('crash' as const) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

function itemsOf(steps: readonly Step[]): MemoryItem<Order>[] {
  let n = 0;
  return steps.map(step => {
    if (step === 'checkpoint') return takeCheckpoint;
    if (step === 'crash') return crash;
    if (typeof step === 'number') return new Watermark(step);
    return new StreamRecord({ n: n++, shop: step.shop, attempts: step.attempts }, step.time);
  });
}

const ordersOf = (items: readonly MemoryItem<Order>[]): Order[] =>
  items.flatMap(item => (item instanceof StreamRecord ? [item.value as Order] : []));

async function project({ n, attempts }: Order, { attempt }: { attempt: number }): Promise<number> {
  const turns = attempts[attempt - 1] as number;
  for (let turn = 0; turn < turns; turn++) await nextTurn();
  if (attempt < attempts.length) throw new Error('not now');
  return n;
}

const retry = { attempts: 3, backoff: { initial: 0 } };

test('a job gives one result for each record, in order, whatever the calls take, the checkpoints and the crashes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40, size: 'max' }),
      fc.boolean(),
      fc.integer({ min: 1, max: 6 }),
      async (steps, ordered, concurrency) => {
        const items = itemsOf(steps as Step[]);
        const options = { ordered, concurrency, retry };
        const seen = await onMemory<Order, number>(items, stream => stream.pipe(mapAsync('call', project, options)));
        expect(ordered ? seen : seen.toSorted((a, b) => a - b)).toEqual(ordersOf(items).map(({ n }) => n));
      },
    ),
    { numRuns: 60 },
  );
});

test('what follows in order gives what it gives without the calls: windows, late records and state', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40, size: 'max' }),
      fc.integer({ min: 1, max: 6 }),
      async (steps, concurrency) => {
        const chain = (isCalled: boolean) =>
          onMemory<Order, string>(itemsOf(steps as Step[]), stream => {
            const byShop = stream.pipe(keyBy(({ shop }) => shop));
            const numbers = isCalled
              ? byShop.pipe(mapAsync('call', project, { concurrency, retry }))
              : byShop.pipe(map(({ n }) => n));
            return numbers.pipe(
              scan('list', (ns: readonly number[], n: number) => [...ns, n], [] as readonly number[]),
              tumblingWindow('w', 10, aggregates.all<readonly number[]>()),
              map(({ key, start, value }) => `${String(key)} ${start}: ${JSON.stringify(value)}`),
            );
          });
        expect(await chain(true)).toEqual(await chain(false));
      },
    ),
    { numRuns: 60 },
  );
});
