import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sinkFaults } from './exactly-once-output.ts';
import { faults, type StoreStep, storeSteps } from './failing-store.ts';
import { FaultyRun, type Happening } from './faulty-run.ts';
import { type Entry, type Incoming, Ledger, reference } from './ledger-job.ts';
import { type SideItem, sides, TwoInputs } from './two-inputs-job.ts';

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

/** Anything that may happen to a job that takes such items. */
function happenings<I>(item: fc.Arbitrary<I>): fc.Arbitrary<Happening<I>[]> {
  const happening: fc.Arbitrary<Happening<I>> = fc.oneof(
    { weight: 10, arbitrary: fc.record({ come: item }) },
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
        of: fc.nat({ max: 1 }),
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
  return fc.array(happening, { minLength: 5, maxLength: 50, size: 'max' });
}

const settings = fc.record({ tolerableFailures: fc.nat({ max: 3 }), retained: fc.integer({ min: 1, max: 3 }) });

// For a longer search: TIDEMARK_SOAK=10000 vitest run … --testTimeout=0
const soak = process.env.TIDEMARK_SOAK === undefined ? undefined : Number(process.env.TIDEMARK_SOAK);
const runs = soak === undefined ? { numRuns: 300, interruptAfterTimeLimit: 8_000 } : { numRuns: soak };

/** Lets all of it happen, then all be well again; every rule holds after each step. */
async function goThrough<I>(run: FaultyRun<I>, happenings: readonly Happening<I>[]): Promise<void> {
  for (const [i, what] of happenings.entries()) {
    await run.happen(what);
    expect(run.verify(), `after happening ${i}`).toEqual([]);
  }
  await run.mend();
  expect(run.verify(), 'when all is well again').toEqual([]);
}

/** A finished job stays as it is. */
async function stays<I>(run: FaultyRun<I>, sinks: readonly string[]): Promise<void> {
  const { committed } = run;
  const visible = sinks.map(sink => [...run.visible(sink)]);
  expect(await run.again()).toBe('finished');
  expect({ visible: sinks.map(sink => run.visible(sink)), committed: run.committed }).toEqual({ visible, committed });
}

test('whatever fails, whenever a process dies: committed output and restored state are those of the reference', async () => {
  await fc.assert(
    fc.asyncProperty(happenings(incoming), settings, async (happenings, settings) => {
      const ledger = new Ledger();
      const run = new FaultyRun(ledger, settings);
      await goThrough(run, happenings);
      // I2: a process that has just been restored has taken in what came since, too.
      await run.happen({ now: 'crash' });
      const accounts = ledger.incoming.flatMap(item => ('account' in item ? [item.account] : []));
      expect(await run.live('accounts', accounts)).toEqual(reference(ledger.incoming).state);
      await run.finish();
      expect(run.verify(), 'at the end').toEqual([]);
      const expected = reference(ledger.incoming, true);
      expect(run.visible('accounts')).toEqual(expected.accounts);
      expect(run.visible('counts')).toEqual(expected.counts);
      await stays(run, ledger.sinks);
    }),
    runs,
  );
});

const account = fc.constantFrom('a', 'b', 'c');
const sideItem: fc.Arbitrary<SideItem> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ side: fc.constantFrom(...sides), account, add: fc.integer({ min: -9, max: 9 }) }),
  },
  { weight: 1, arbitrary: fc.record({ side: fc.constantFrom(...sides), ends: fc.constant(true as const) }) },
);

test('so it is with two inputs of which one may end long before the other', async () => {
  await fc.assert(
    fc.asyncProperty(happenings(sideItem), settings, async (happenings, settings) => {
      const inputs = new TwoInputs();
      const run = new FaultyRun(inputs, settings);
      await goThrough(run, happenings);
      await run.finish();
      expect(run.verify(), 'at the end').toEqual([]);
      for (const sink of inputs.sinks) expect([...run.visible(sink)].sort()).toEqual(inputs.expected(sink).sort());
      await stays(run, inputs.sinks);
    }),
    runs,
  );
});
