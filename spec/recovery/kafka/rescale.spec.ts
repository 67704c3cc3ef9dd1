import { describe, expect, it, vi } from 'vitest';
import type { Command } from '../harness/command.ts';
import { placeFor } from '../harness/places.ts';
import { printedSeed, randomFrom } from '../harness/random.ts';
import { CommittedReader } from './harness/committed-reader.ts';
import { LedgerPlace } from './harness/ledger-place.ts';
import type { LedgerReader } from './harness/ledger-reader.ts';

// Real Kafka and Redis: the state is in Redis, and a Kafka transaction of each task decides.

const long = 240_000;
// docs/cli.md: without an end that it could have missed.
const stopped = 0;

async function prepared(what: string, count: number): Promise<LedgerPlace> {
  const random = randomFrom(printedSeed(what));
  const { store } = await placeFor('redis');
  return LedgerPlace.prepare({ brokers: process.env.KAFKA_BROKERS ?? '', redis: store }, random, count);
}

/** The ledger without state that has no key. */
const ofKeys = ['version=2'];
const endless = [...ofKeys, 'isBounded=false'];
const spread = (tasks: number, ...more: readonly string[]) => [
  '--tasks',
  'per-partition',
  '--max-tasks',
  `${tasks}`,
  ...more,
];
/** Waits for more output of a process. */
async function seenMore(reader: LedgerReader, count: number, by: Command): Promise<void> {
  const from = reader.seen;
  const ended = by.exited.then(how => Promise.reject(new Error(`it ended with ${how.code}: ${by.output}`)));
  const seen = vi.waitFor(
    () => {
      if (reader.seen < from + count) throw new Error(`${reader.seen - from} of ${count} records: ${by.output}`);
    },
    { timeout: 60_000, interval: 50 },
  );
  await Promise.race([seen, ended]);
}

describe('a ledger that is stopped with savepoints', () => {
  it('goes on exactly with other numbers of tasks, whenever the start is killed', { timeout: long }, async () => {
    const ledger = await prepared('other numbers of tasks', 60_000);
    const reader = ledger.follow();
    const single = ledger.run({ rate: 2_000, set: endless });
    await seenMore(reader, 1_000, single);
    await ledger.savepoint('stop', ledger.job, '--name', 'one');
    expect(await single.exited, single.output).toEqual({ code: stopped, signal: null });

    // Three tasks in one process, killed while they take their parts over.
    const toThree = { set: endless, rate: 700, args: spread(3, '--from-savepoint', 'one', '--instance-id', 'a') };
    // Before a call: the tasks make theirs at the same time, and what comes after one of them may be after several.
    const dies = [
      { step: 'prepare', when: 'before', call: 1 },
      { step: 'prepare', when: 'before', call: 3 },
      { step: 'confirm', when: 'before', call: 2 },
      { step: 'confirm', when: 'before', call: 3 },
    ];
    for (const at of dies) {
      const killed = ledger.run({ ...toThree, faults: { dies: at } });
      expect(await killed.exited, killed.output).toEqual({ code: null, signal: 'SIGKILL' });
    }
    const three = ledger.run(toThree);
    await seenMore(reader, 1_500, three);
    await ledger.savepoint('stop', ledger.job, '--name', 'three');
    expect(await three.exited, three.output).toEqual({ code: stopped, signal: null });

    // Two tasks in two processes, in the same group: the one with the name has left it when it was stopped for good.
    const toTwo = { set: endless, rate: 700, args: spread(2, '--from-savepoint', 'three') };
    const both = [ledger.run(toTwo), ledger.run(toTwo)] as const;
    await seenMore(reader, 1_500, both[0]);
    await ledger.savepoint('stop', ledger.job, '--name', 'two');
    for (const one of both) expect(await one.exited, one.output).toEqual({ code: stopped, signal: null });

    const last = ledger.run({ set: ofKeys, args: ['--from-savepoint', 'two'] });
    expect(await last.exited, last.output).toEqual({ code: 0, signal: null });
    await expect.poll(() => reader.seen, { timeout: 60_000 }).toBe(ledger.bookings.length);
    expect(reader.problems).toEqual([]);
  });
});

describe('a savepoint of a ledger in three tasks', () => {
  it('starts a fork in two, exact behind it, while the original goes on', { timeout: long }, async () => {
    const ledger = await prepared('a fork of three tasks', 30_000);
    const reader = ledger.follow();
    // Slow, and without an end: it still runs when a command, however slow, asks it.
    const original = ledger.run({ set: endless, rate: 500, args: spread(3) });
    await seenMore(reader, 1_000, original);
    await ledger.savepoint('create', ledger.job, '--name', 'middle');
    const output = await ledger.newOutput();
    const fork = ledger.run({
      name: `${ledger.job}-fork`,
      output,
      set: ofKeys,
      args: spread(2, '--from-savepoint', `${ledger.job}/middle`),
    });
    expect(await fork.exited, fork.output).toEqual({ code: 0, signal: null });
    original.kill('SIGTERM');
    expect(await original.exited, original.output).toEqual({ code: stopped, signal: null });
    const rest = ledger.run({ set: ofKeys, args: spread(3) });
    expect(await rest.exited, rest.output).toEqual({ code: 0, signal: null });
    await expect.poll(() => reader.seen, { timeout: 60_000 }).toBe(ledger.bookings.length);
    expect(reader.problems).toEqual([]);

    const { output: shown } = await ledger.savepoint('show', `${ledger.job}/middle`, '--json');
    const { tasks } = JSON.parse(shown) as {
      tasks: { sources: Record<string, { position: { partitions: Record<string, Record<string, number>> } }> }[];
    };
    expect(tasks).toHaveLength(3);
    const covered = tasks
      .flatMap(({ sources }) => Object.values(sources))
      .flatMap(({ position }) => Object.values(position.partitions[ledger.input] ?? {}))
      .reduce((sum, offset) => sum + offset, 0);
    const behind = ledger.bookings.length - covered;
    await expect.poll(() => CommittedReader.all(ledger.brokers, output), { timeout: 20_000 }).toHaveLength(behind);
    const lines = Map.groupBy(await CommittedReader.all(ledger.brokers, output), ({ key }) => key);
    for (const [card, found] of lines) {
      expect(
        found.map(({ value }) => value),
        card,
      ).toEqual(ledger.expected.get(card)?.slice(-found.length));
    }
  });
});

describe('a ledger in several tasks that has gone on since its savepoint', () => {
  it('goes back when the checkpoints are named that are given up, once, and in other numbers of tasks', {
    timeout: long,
  }, async () => {
    const ledger = await prepared('back in several tasks', 30_000);
    const reader = ledger.follow();
    const first = ledger.run({ set: endless, rate: 500, args: spread(3) });
    await seenMore(reader, 500, first);
    await ledger.savepoint('create', ledger.job, '--name', 'middle');
    await seenMore(reader, 500, first);
    first.kill('SIGTERM');
    expect(await first.exited, first.output).toEqual({ code: stopped, signal: null });
    expect(reader.problems).toEqual([]);
    const args = spread(2, '--from-savepoint', 'middle');
    const refused = ledger.run({ set: ofKeys, args });
    expect((await refused.exited).code, refused.output).toBe(4);
    expect(refused.output).toContain('Its output in Kafka cannot be taken back');
    const [, ids = ''] = /--rewind (\d+,\d+,\d+);/.exec(refused.output) ?? [];
    const back = () => ledger.run({ set: ofKeys, args: [...args, '--rewind', ids] });
    const killed = ledger.run({
      ...{ set: ofKeys, rate: 500, args: [...args, '--rewind', ids] },
      faults: { dies: { step: 'confirm', when: 'before', call: 1 } },
    });
    expect(await killed.exited, killed.output).toEqual({ code: null, signal: 'SIGKILL' });
    // The second time it is through, and has nothing to do.
    for (let i = 0; i < 2; i++) {
      const again = back();
      expect(await again.exited, again.output).toEqual({ code: 0, signal: null });
    }
    await ledger.verifyNothingIsOpen();
    const lines = Map.groupBy(await CommittedReader.all(ledger.brokers, ledger.output), ({ key }) => key);
    for (const [card, wanted] of ledger.expected) {
      const found = lines.get(card)?.map(({ value }) => value) ?? [];
      const turn = found.findIndex((value, i) => value !== wanted[i]);
      const before = turn < 0 ? found.length : turn;
      // What came before it went back, then all that lies behind the savepoint.
      expect(found.slice(before), card).toEqual(wanted.slice(wanted.length + before - found.length));
      expect(found.length, card).toBeGreaterThanOrEqual(wanted.length);
    }
    expect([...lines.values()].flat().length).toBeGreaterThan(ledger.bookings.length);
  });
});
