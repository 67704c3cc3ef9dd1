import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Command, type CommandOptions, tidemark } from './harness/command.ts';
import { FlightDelays } from './harness/flight-delays.ts';
import { kinds, type Place, placeFor } from './harness/places.ts';
import { printedSeed, randomFrom } from './harness/random.ts';
import { finishExactly, passes, verifyExact } from './harness/restarts.ts';
import { expectSums, sumsIn } from './harness/sums.ts';

// docs/cli.md
const stopped = 3;
const external = 5;

describe.each(kinds)('a job on the %s store', kind => {
  it.each(['SIGTERM', 'SIGINT'] as const)('takes a final checkpoint at %s, and goes on from it', async signal => {
    const { folder, store } = await placeFor(kind);
    const job = new FlightDelays(folder, store);
    const first = job.run({ rate: 2_000, interval: 'off' });
    await first.says(' running from the beginning');
    first.kill(signal);
    expect(await first.exited, first.output).toEqual({ code: stopped, signal: null });
    expect(first.output).toContain('final checkpoint #1 committed');
    expect(first.output).toContain('goes on from checkpoint #1');
    expect(await job.committed()).toMatchObject({ id: 1, closed: true, jobFinished: false });

    const second = await finishExactly(job);
    expect(second.output).toContain('running from checkpoint #1');
  });

  it('says of a finished job that nothing is left to do, and changes nothing', async () => {
    const { folder, store } = await placeFor(kind);
    const job = new FlightDelays(folder, store);
    await finishExactly(job);
    const committed = await job.committed();
    expect(committed).toMatchObject({ closed: true, jobFinished: true });
    const again = job.run();
    expect(await again.exited).toEqual({ code: 0, signal: null });
    expect(again.output).toContain('has finished before');
    expect(again.output).toContain('nothing left to do');
    verifyExact(job);
    expect(await job.committed()).toEqual(committed);
  });
});

/** A process of jobs/numbers.ts. */
function numbers({ folder, store }: Place, settings: readonly string[] = [], options?: CommandOptions): Command {
  const sets = [`out=${outOf(folder)}`, ...settings].flatMap(set => ['--set', set]);
  return tidemark(['run', 'spec/recovery/jobs/numbers.ts', '--store', store, ...sets], options);
}

/** One whose checkpoints come to no end, also not the final one. */
const stuckNumbers = (place: Place, stopTimeout: string): Command =>
  numbers(place, ['stuck=true'], { env: { NUMBERS_STOP_TIMEOUT: stopTimeout } });

const outOf = (folder: string): string => path.join(folder, 'sums.txt');

describe('a stop', () => {
  it.each([
    ['SIGTERM', 'SIGINT', 130],
    ['SIGINT', 'SIGTERM', 143],
    ['SIGTERM', 'SIGTERM', 143],
    ['SIGINT', 'SIGINT', 130],
  ] as const)('ends at once on a second signal: %s, then %s', async (first, second, code) => {
    const place = await placeFor('file');
    const command = stuckNumbers(place, '60s');
    await command.says(' running from the beginning');
    command.kill(first);
    await command.says('A second one ends the process at once');
    command.kill(second);
    expect(await command.exited, command.output).toEqual({ code, signal: null });
    expect(command.output).toContain('Ended at once on the second signal');
    const after = numbers(place, ['last=5000']);
    expect(await after.exited, after.output).toEqual({ code: 0, signal: null });
    const sums = sumsIn(outOf(place.folder));
    expect(sums).toHaveLength(5_000);
    expectSums(sums);
  });

  it('that takes too long ends without a final checkpoint, and says so', async () => {
    const command = stuckNumbers(await placeFor('file'), '1s');
    await command.says(' running from the beginning');
    command.kill('SIGTERM');
    expect(await command.exited, command.output).toEqual({ code: external, signal: null });
    expect(command.output).toContain('took no final checkpoint within 1000 ms (stopTimeout)');
    expect(command.output).toContain('will replay from its last checkpoint');
  });

  it('of a job without end is a success, and the next start goes on', async () => {
    const place = await placeFor('file');
    for (let i = 1; i <= 2; i++) {
      const command = numbers(place);
      await command.says(' committed: ', 2);
      command.kill('SIGTERM');
      expect(await command.exited, command.output).toEqual({ code: 0, signal: null });
    }
    const sums = sumsIn(outOf(place.folder));
    expect(sums.length).toBeGreaterThan(0);
    expectSums(sums);
  });

  it('that comes while the job still starts or recovers is heard', async () => {
    const { folder, store } = await placeFor('file');
    const job = new FlightDelays(folder, store);
    const random = randomFrom(printedSeed('moments of SIGTERM at the start'));
    for (let i = 0; i < 5; i++) {
      const command = job.run({ rate: 2_000 });
      await passes(random() * 900);
      command.kill('SIGTERM');
      const { code, signal } = await command.exited;
      // Before the command listens a signal ends Node, as it does any program.
      if (signal !== 'SIGTERM') expect(code, command.output).toBe(stopped);
    }
    await finishExactly(job);
  });
});

describe.each(kinds)('a job that an app has started as a library, on the %s store', kind => {
  it.each([
    ['finish', 'finished'],
    ['stop', 'stopped'],
    ['cancel', 'cancelled'],
    ['failure', 'USER_CODE'],
  ])('leaves nothing open: Node ends by itself after %s', async (how, outcome) => {
    const { folder, store } = await placeFor(kind);
    const script = path.join(import.meta.dirname, 'jobs/as-library.ts');
    const command = new Command([script, store, outOf(folder), how], { lifetimeMs: 60_000 });
    await command.says('outcome: ');
    const saidAt = performance.now();
    expect(await command.exited, command.output).toEqual({ code: 0, signal: null });
    expect(command.output).toContain(`outcome: ${outcome}`);
    expect(performance.now() - saidAt, 'something was still open').toBeLessThan(10_000);
    expectSums(sumsIn(outOf(folder)));
  });
});
