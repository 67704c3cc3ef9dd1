import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type KafkaServer, startKafka } from '../../../tools/services/kafka/kafka.ts';
import type { Command } from '../harness/command.ts';
import { placeFor } from '../harness/places.ts';
import { printedSeed, randomFrom } from '../harness/random.ts';
import { passes } from '../harness/restarts.ts';
import { LedgerPlace } from './harness/ledger-place.ts';

const long = 120_000;
// docs/cli.md: caused outside, such as another process that has taken the task over.
const external = 5;

// A transaction is over after 4 s: 0.8 × 4 s ≥ (0 + 1) × (0.5 s + 2.5 s).
const transactionTimeoutMs = 4_000;
const short = {
  set: [`transactionTimeout=${transactionTimeoutMs}ms`],
  checkpoint: { timeout: '2500ms', tolerableFailures: 0 },
};

let kafka: KafkaServer;

beforeAll(async () => {
  // A broker that looks for old transactions more often than every 10 s.
  kafka = await startKafka({ settings: { 'transaction.abort.timed.out.transaction.cleanup.interval.ms': '200' } });
}, 120_000);
afterAll(() => kafka?.stop(), 60_000);

async function prepared(what: string) {
  const random = randomFrom(printedSeed(what));
  const { store } = await placeFor('redis');
  const place = await LedgerPlace.prepare({ brokers: kafka.brokers, redis: store }, random, 20_000);
  return { place, random };
}

async function isOpen(place: LedgerPlace): Promise<boolean> {
  const [visible, written] = [await place.ends('read_committed'), await place.ends('read_uncommitted')];
  return visible.some((end, partition) => end !== written[partition]);
}

/** Whether only the broker will end what is open: one that was just being ended is over after a second. */
async function staysOpen(place: LedgerPlace): Promise<boolean> {
  if (!(await isOpen(place))) return false;
  await passes(1_000);
  return isOpen(place);
}

/** The broker has aborted what was open in the output. */
async function timedOut(place: LedgerPlace): Promise<void> {
  await vi.waitFor(async () => expect(await isOpen(place)).toBe(false), {
    timeout: transactionTimeoutMs + 30_000,
    interval: 100,
  });
}

/** How often it began to run. */
const runsOf = ({ output }: Command): number => output.split(' running from ').length - 1;

async function expectFenced(zombie: Command, runs: number): Promise<void> {
  expect(await zombie.exited, zombie.output).toEqual({ code: external, signal: null });
  expect(zombie.output).toContain('FENCED');
  expect(zombie.output).toMatch(/taken over/);
  // It may first take it for a lost transaction, and find out when it asks the store before it starts again.
  expect(runsOf(zombie), 'it does not run again').toBe(runs);
}

/** Stops a process in the middle of a transaction: between two checkpoints, or with its manifest written and EndTxn not sent. */
async function stopped(place: LedgerPlace, where: string, passesMs: number): Promise<Command> {
  if (where === 'with its manifest written') {
    const zombie = place.run({
      ...short,
      rate: 2_500,
      faults: { dies: { step: 'prepare', call: 3, when: 'after', by: 'SIGSTOP' } },
    });
    await zombie.says('stopped here');
    return zombie;
  }
  const zombie = place.run({ ...short, rate: 2_500 });
  await zombie.says(' committed: ', 2);
  await passes(passesMs);
  zombie.kill('SIGSTOP');
  return zombie;
}

describe.each(['at a random moment', 'with its manifest written'])('a process that is stopped %s', where => {
  it.each([
    ['once Kafka has ended its transaction', true],
    ['before that', false],
  ])(
    'and overtaken %s: nothing of what it does when it wakes up becomes visible',
    { timeout: long },
    async (_, isLate) => {
      const { place, random } = await prepared(`zombie stopped ${where}`);
      const reader = place.follow();
      const zombie = await stopped(place, where, random() * 400);
      const runs = runsOf(zombie);
      // At a random moment there may be nothing open.
      if (isLate && where !== 'at a random moment') await timedOut(place);
      else if (isLate) await passes(transactionTimeoutMs + 1_000);
      const next = place.run({ rate: 4_000 });
      await next.says(' committed: ');
      zombie.kill('SIGCONT');
      await expectFenced(zombie, runs);
      expect(await next.exited, next.output).toEqual({ code: 0, signal: null });
      expect(next.output, 'the zombie has not disturbed its successor').not.toContain(
        'restarts from its last checkpoint',
      );
      await place.verify();
      expect(reader.problems).toEqual([]);
    },
  );

  it('and wakes up when all is over: it finds that out and ends', { timeout: long }, async () => {
    const { place, random } = await prepared(`zombie stopped ${where}, late`);
    const reader = place.follow();
    const zombie = await stopped(place, where, random() * 400);
    const runs = runsOf(zombie);
    await place.finish();
    const ends = await place.ends('read_uncommitted');
    zombie.kill('SIGCONT');
    await expectFenced(zombie, runs);
    // What it had buffered did not even get into the log.
    expect(await place.ends('read_uncommitted')).toEqual(ends);
    await place.verify();
    expect(reader.problems).toEqual([]);
  });

  it('and that nobody has overtaken starts from its last checkpoint, though Kafka has ended its transaction', {
    timeout: long,
  }, async () => {
    const { place, random } = await prepared(`sleeper stopped ${where}`);
    const reader = place.follow();
    const sleeper = await stopped(place, where, random() * 400);
    // Until it is within a transaction, and not just at the end of one.
    while (!(await staysOpen(place))) {
      sleeper.kill('SIGCONT');
      await passes(100 + random() * 400);
      expect(sleeper.isOver, sleeper.output).toBe(false);
      sleeper.kill('SIGSTOP');
    }
    await timedOut(place);
    const decided = await place.record();
    sleeper.kill('SIGCONT');
    await sleeper.says(`running from checkpoint #${decided},`);
    expect(await sleeper.exited, sleeper.output).toEqual({ code: 0, signal: null });
    await place.verify();
    expect(reader.problems).toEqual([]);
  });
});
