import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sinkFaults } from './exactly-once-output.ts';
import { faults, type StoreStep, storeSteps } from './failing-store.ts';
import { FaultyRun, type Happening } from './faulty-run.ts';
import { type Entry, type Incoming, Ledger, reference } from './ledger-job.ts';
import { brokerFaults, brokerSteps, TransactionBroker } from './transaction-broker.ts';

const time = fc.integer({ min: 0, max: 50 });
const entry: fc.Arbitrary<Entry> = fc.record({
  account: fc.constantFrom('a', 'b', 'c'),
  act: fc.oneof(
    { weight: 6, arbitrary: fc.record({ add: fc.integer({ min: -9, max: 9 }) }) },
    fc.constant({ forget: true } as const),
    fc.record({ remindAt: time }),
  ),
});
const incoming: fc.Arbitrary<Incoming> = fc.oneof(
  { weight: 6, arbitrary: entry },
  { weight: 1, arbitrary: fc.record({ watermark: time }) },
);
const checkpointSteps: StoreStep[] = ['putSegment', 'prepare', 'confirm', 'collect'];

const happening: fc.Arbitrary<Happening<Incoming>> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ come: incoming }) },
  { weight: 9, arbitrary: fc.constant({ now: 'checkpoint' } as const) },
  {
    weight: 6,
    arbitrary: fc.record({
      brokerFault: fc.constantFrom(...brokerFaults),
      at: fc.oneof({ weight: 3, arbitrary: fc.constant('commit' as const) }, fc.constantFrom(...brokerSteps)),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      fault: fc.oneof(fc.constantFrom('refuses', 'loses the answer', 'hold'), fc.constantFrom(...faults)),
      at: fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...checkpointSteps) }, fc.constantFrom(...storeSteps)),
      after: fc.nat({ max: 2 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      sinkFault: fc.constantFrom(...sinkFaults),
      at: fc.constantFrom('flush', 'commit'),
      of: fc.constant(1),
    }),
  },
  { weight: 2, arbitrary: fc.record({ wait: fc.constantFrom(60, 150, 1_000, 6_000) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      now: fc.constantFrom(
        'crash',
        'stop',
        'cancel',
        'second process',
        'first process',
        'release',
        'release',
        'time out',
      ),
    }),
  },
);
const settings = fc.record({ tolerableFailures: fc.nat({ max: 3 }), retained: fc.integer({ min: 1, max: 3 }) });

// For a longer search: TIDEMARK_SOAK=10000 vitest run … --testTimeout=0
const soak = process.env.TIDEMARK_SOAK === undefined ? undefined : Number(process.env.TIDEMARK_SOAK);
const runs = soak === undefined ? { numRuns: 300, interruptAfterTimeLimit: 8_000 } : { numRuns: soak };

test('whatever fails: what transactions show is what their checkpoint covers, and state comes back from the one that was decided', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(happening, { minLength: 5, maxLength: 50, size: 'max' }),
      settings,
      async (happenings, settings) => {
        const ledger = new Ledger();
        const run = new FaultyRun(ledger, settings, new TransactionBroker());
        for (const [i, what] of happenings.entries()) {
          await run.happen(what);
          expect(run.verify(), `after happening ${i}`).toEqual([]);
        }
        await run.mend();
        expect(run.verify(), 'when all is well again').toEqual([]);
        await run.happen({ now: 'crash' });
        const accounts = ledger.incoming.flatMap(item => ('account' in item ? [item.account] : []));
        expect(await run.live('accounts', accounts)).toEqual(reference(ledger.incoming).state);
        await run.finish();
        expect(run.verify(), 'at the end').toEqual([]);
        const expected = reference(ledger.incoming, true);
        expect(run.visible('accounts')).toEqual(expected.accounts);
        expect(run.visible('counts')).toEqual(expected.counts);
        expect(await run.again()).toBe('finished');
      },
    ),
    runs,
  );
});
