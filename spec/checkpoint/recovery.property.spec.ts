import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sinkFaults } from './exactly-once-output.ts';
import { faults, type StoreStep, storeSteps } from './failing-store.ts';
import { FaultyRun, type Happening } from './faulty-run.ts';
import { type Entry, type Incoming, reference } from './ledger-job.ts';

const time = fc.integer({ min: 0, max: 50 });
const entry: fc.Arbitrary<Entry> = fc.record({
  account: fc.constantFrom('a', 'b', 'c', ''),
  act: fc.oneof(
    { weight: 4, arbitrary: fc.record({ add: fc.integer({ min: -9, max: 9 }) }) },
    { weight: 2, arbitrary: fc.constant({ forget: true } as const) },
    { weight: 2, arbitrary: fc.record({ remindAt: time }) },
    fc.record({ noReminderAt: time }),
  ),
});
const incoming: fc.Arbitrary<Incoming> = fc.oneof(
  { weight: 6, arbitrary: entry },
  { weight: 1, arbitrary: fc.record({ watermark: time }) },
);

const checkpointSteps: StoreStep[] = ['putSegment', 'prepare', 'confirm', 'collect'];
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ come: incoming }) },
  { weight: 8, arbitrary: fc.constant({ now: 'checkpoint' } as const) },
  {
    weight: 6,
    arbitrary: fc.record({
      fault: fc.oneof(fc.constantFrom('refuses', 'loses the answer', 'hold'), fc.constantFrom(...faults)),
      at: fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...checkpointSteps) }, fc.constantFrom(...storeSteps)),
      after: fc.nat({ max: 2 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      sinkFault: fc.constantFrom(...sinkFaults),
      at: fc.constantFrom('flush', 'commit'),
      of: fc.constantFrom('accounts', 'counts'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ wait: fc.constantFrom(60, 150, 1_000, 6_000) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      now: fc.constantFrom('crash', 'stop', 'cancel', 'second process', 'first process', 'release'),
    }),
  },
);

// For a longer search: TIDEMARK_SOAK=10000 vitest run … --testTimeout=0
const soak = process.env.TIDEMARK_SOAK === undefined ? undefined : Number(process.env.TIDEMARK_SOAK);

test('whatever fails, whenever a process dies: committed output and restored state are those of the reference', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(happening, { minLength: 5, maxLength: 50, size: 'max' }),
      fc.record({ tolerableFailures: fc.nat({ max: 3 }), retained: fc.integer({ min: 1, max: 3 }) }),
      async (happenings, settings) => {
        const run = new FaultyRun(settings);
        for (const [i, what] of happenings.entries()) {
          await run.happen(what);
          expect(run.verify(), `after happening ${i}`).toEqual([]);
        }
        await run.mend();
        expect(run.verify(), 'when all is well again').toEqual([]);
        // I2: a process that has just been restored has taken in what came since, too.
        await run.happen({ now: 'crash' });
        expect(await run.live()).toEqual(reference(run.all).state);
        await run.finish();
        expect(run.verify(), 'at the end').toEqual([]);
        const { accounts, counts } = reference(run.all, true);
        expect(run.visible).toEqual({ accounts, counts });
        const id = run.committed?.id;
        expect(await run.again()).toBe('finished');
        expect({ visible: run.visible, id: run.committed?.id }).toEqual({ visible: { accounts, counts }, id });
      },
    ),
    soak === undefined ? { numRuns: 400, interruptAfterTimeLimit: 12_000 } : { numRuns: soak },
  );
});
