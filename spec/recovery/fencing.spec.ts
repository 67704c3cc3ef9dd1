import { describe, expect, it } from 'vitest';
import type { Command } from './harness/command.ts';
import { FlightDelays } from './harness/flight-delays.ts';
import { kinds, placeFor } from './harness/places.ts';
import { printedSeed, randomFrom } from './harness/random.ts';
import { passes, verifyExact } from './harness/restarts.ts';

// docs/cli.md: caused outside, such as another process that has taken the task over.
const external = 5;

/** The process has ended because another one has taken its task over, and says so. */
async function expectFenced(first: Command): Promise<void> {
  expect(await first.exited, first.output).toEqual({ code: external, signal: null });
  expect(first.output).toContain('FENCED');
  expect(first.output).toMatch(/taken over/);
  expect(first.output).toMatch(/run the task in one place only|stops writing to it/);
  expect(first.output).not.toContain('please report');
  // It may first take it for a store that does not answer, and find out when it asks before it starts again.
  expect(first.output.split(' running from ').length - 1, 'it does not run again').toBeLessThanOrEqual(1);
}

describe.each(kinds)('two processes on one task, on the %s store', kind => {
  it('the second takes the task over; the first is refused, says so and ends', async () => {
    const { folder, store } = await placeFor(kind);
    const job = new FlightDelays(folder, store);
    const first = job.run({ rate: 500 });
    await first.says(' committed: ', 2);
    const second = job.run({ rate: 15_000 });
    await second.says(' running from checkpoint');
    await expectFenced(first);
    expect(await second.exited, second.output).toEqual({ code: 0, signal: null });
    verifyExact(job);
  });

  it.each([
    ['is at work', true],
    ['is through', false],
  ])(
    'what the first does when it wakes up changes nothing, wherever it slept in: the second %s',
    async (_, isAtWork) => {
      const random = randomFrom(printedSeed(`moments of sleep on the ${kind} store`));
      for (let i = kind === 'file' ? 0 : 1; i < 2; i++) {
        const { folder, store } = await placeFor(kind);
        const job = new FlightDelays(folder, store);
        // One checkpoint after another, so that most moments lie inside one.
        const first = job.run({ rate: 2_000, interval: '10ms' });
        await first.says(' committed: ', i === 0 ? 1 : 3);
        await passes(random() * 200);
        first.kill('SIGSTOP');
        const second = job.run({ rate: 8_000 });
        if (isAtWork) await second.says(' committed: ');
        else await second.exited;
        first.kill('SIGCONT');
        await expectFenced(first);
        expect(await second.exited, second.output).toEqual({ code: 0, signal: null });
        verifyExact(job);
        const committed = await job.committed();
        expect(committed?.jobFinished).toBe(true);
        // Nothing is in the way of a later run either.
        const again = job.run();
        expect(await again.exited, again.output).toEqual({ code: 0, signal: null });
        verifyExact(job);
        expect(await job.committed()).toEqual(committed);
      }
    },
  );

  it('of several that start at once, the last to begin gives every byte', async () => {
    const { folder, store } = await placeFor(kind);
    const job = new FlightDelays(folder, store);
    const all = [1, 2, 3].map(() => job.run({ rate: 15_000 }));
    const exits = await Promise.all(all.map(command => command.exited));
    // One that is late finds the job finished, which is well, too.
    const outputs = all.map(({ output }) => output).join('\n\n');
    expect(
      exits.some(({ code }) => code === 0),
      outputs,
    ).toBe(true);
    for (const [i, { code }] of exits.entries()) if (code !== 0) await expectFenced(all[i] as Command);
    verifyExact(job);
  });
});
