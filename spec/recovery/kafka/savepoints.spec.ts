import path from 'node:path';
import type { Manifest } from 'tidemark';
import { describe, expect, it } from 'vitest';
import { placeFor } from '../harness/places.ts';
import { printedSeed, randomFrom } from '../harness/random.ts';
import { temporaryFolder } from '../harness/temporary-folder.ts';
import { CommittedReader } from './harness/committed-reader.ts';
import { LedgerPlace } from './harness/ledger-place.ts';

// Real Kafka and Redis: the state is in Redis, and a Kafka transaction decides.

const long = 180_000;
// docs/cli.md
const stopped = 3;
const toBeMended = 4;

/** Slow enough that the job still runs when a command, however slow, asks it. */
const rate = 500;

async function prepared(what: string, count = 10_000): Promise<LedgerPlace> {
  const random = randomFrom(printedSeed(what));
  const { store } = await placeFor('redis');
  return LedgerPlace.prepare({ brokers: process.env.KAFKA_BROKERS ?? '', redis: store }, random, count);
}

/** How many bookings a savepoint covers: the input has nothing but them. */
async function covered(ledger: LedgerPlace, name: string): Promise<number> {
  const { output } = await ledger.savepoint('show', `${ledger.job}/${name}`, '--json');
  const { tasks } = JSON.parse(output) as { tasks: { sources: Manifest['sources'] }[] };
  const positions = Object.values(tasks[0]?.sources ?? {}).map(({ position }) => position);
  const [{ partitions }] = positions as [{ partitions: Record<string, Record<string, number>> }];
  return Object.values(partitions[ledger.input] ?? {}).reduce((sum, offset) => sum + offset, 0);
}

/** By card, in order. */
async function linesIn(ledger: LedgerPlace, topic: string): Promise<Map<string, string[]>> {
  const lines = new Map<string, string[]>();
  for (const { key, value } of await CommittedReader.all(ledger.brokers, topic)) {
    lines.set(key, [...(lines.get(key) ?? []), value]);
  }
  return lines;
}

/** Output that begins behind a savepoint has, card by card, exactly the last lines, `count` in all. */
function expectEnds(ledger: LedgerPlace, found: ReadonlyMap<string, readonly string[]>, count: number): void {
  let seen = 0;
  for (const [card, lines] of found) {
    const wanted = ledger.expected.get(card) ?? [];
    expect(lines, card).toEqual(wanted.slice(wanted.length - lines.length));
    seen += lines.length;
  }
  expect(seen).toBe(count);
}

describe('a ledger that is stopped with a savepoint', () => {
  it('goes on exactly in its next version, whenever the start from it is killed', { timeout: long }, async () => {
    const ledger = await prepared('stopped with a savepoint', 20_000);
    const reader = ledger.follow();
    const first = ledger.run({ rate });
    await first.says(' committed: ', 2);
    const asked = await ledger.savepoint('stop', ledger.job, '--name', 'v1');
    expect(asked.output).toContain('has stopped with it');
    expect(await first.exited, first.output).toEqual({ code: stopped, signal: null });
    expect(first.output).toContain('the savepoint v1');
    const saved = await ledger.confirmed();
    expect(saved).toMatchObject({ kind: 'savepoint', savepoint: { name: 'v1' }, closed: true });

    const next = { args: ['--from-savepoint', 'v1', '--allow-dropped-state'], set: ['version=2'] };
    const dies = [
      { step: 'prepare', when: 'before', call: 1 },
      { step: 'prepare', when: 'after', call: 1 },
      { step: 'confirm', when: 'before', call: 1 },
      { step: 'confirm', when: 'after', call: 2 },
    ];
    for (const at of dies) {
      const killed = ledger.run({ ...next, rate: 1_000, faults: { dies: at } });
      expect(await killed.exited, killed.output).toEqual({ code: null, signal: 'SIGKILL' });
    }
    const last = await ledger.finish(next);
    expect(last.output).not.toContain('starting from the savepoint');
    expect(reader.problems).toEqual([]);
    expect(await ledger.confirmed()).toMatchObject({
      origin: { job: ledger.job, id: saved?.id },
      actors: { ledger: { version: 2 }, largest: { version: 1 } },
    });
  });
});

it('a ledger moves to another store, where Kafka knows it again', { timeout: long }, async () => {
  const ledger = await prepared('moved to another store', 20_000);
  const reader = ledger.follow();
  const first = ledger.run({ rate });
  await first.says(' committed: ', 2);
  await ledger.savepoint('stop', ledger.job, '--name', 'moves');
  expect(await first.exited, first.output).toEqual({ code: stopped, signal: null });
  const folder = temporaryFolder();
  const directory = path.join(folder, 'moves');
  await ledger.savepoint('export', `${ledger.job}/moves`, directory);
  const moved = await ledger.finish({ args: ['--store', path.join(folder, 'state'), '--from-savepoint', directory] });
  expect(moved.output).toContain('starting from the savepoint');
  expect(reader.problems).toEqual([]);
});

describe('a savepoint of a running ledger', () => {
  it('starts forks, each exact behind it, and leaves the original untouched', { timeout: long }, async () => {
    const ledger = await prepared('forks of a ledger', 20_000);
    const reader = ledger.follow();
    const original = ledger.run({ rate, set: ['isBounded=false'] });
    await original.says(' committed: ', 2);
    await ledger.savepoint('create', ledger.job, '--name', 'middle');
    const behind = ledger.bookings.length - (await covered(ledger, 'middle'));
    expect(behind).toBeGreaterThan(0);

    for (const fork of ['one', 'two']) {
      const output = await ledger.newOutput();
      const command = ledger.run({
        name: `${ledger.job}-${fork}`,
        output,
        args: ['--from-savepoint', `${ledger.job}/middle`],
      });
      expect(await command.exited, command.output).toEqual({ code: 0, signal: null });
      await expect.poll(() => CommittedReader.all(ledger.brokers, output), { timeout: 20_000 }).toHaveLength(behind);
      expectEnds(ledger, await linesIn(ledger, output), behind);
    }
    original.kill('SIGTERM');
    expect(await original.exited, original.output).toEqual({ code: 0, signal: null });
    await ledger.finish();
    expect(reader.problems).toEqual([]);
    expect((await ledger.confirmed())?.origin).toBeUndefined();
  });

  it('takes the ledger back only when the checkpoint is named that is given up', { timeout: long }, async () => {
    const ledger = await prepared('back to a savepoint', 20_000);
    const first = ledger.run({ rate });
    await first.says(' committed: ', 2);
    await ledger.savepoint('create', ledger.job, '--name', 'middle');
    const behind = ledger.bookings.length - (await covered(ledger, 'middle'));
    first.kill('SIGTERM');
    expect(await first.exited, first.output).toEqual({ code: stopped, signal: null });
    await ledger.finish();
    const decided = await ledger.decided();

    const args = ['--from-savepoint', 'middle'];
    const refused = ledger.run({ args });
    expect(await refused.exited, refused.output).toEqual({ code: toBeMended, signal: null });
    expect(refused.output).toMatch(/Its output in Kafka cannot be taken back.*--rewind/s);
    expect(await ledger.record()).toBe(decided);
    await ledger.verify();

    for (let i = 0; i < 2; i++) {
      // The second time it has made its choice already, and goes on from there: nothing is left to do.
      const back = ledger.run({ args: [...args, '--rewind', `${decided}`] });
      expect(await back.exited, back.output).toEqual({ code: 0, signal: null });
      const all = ledger.bookings.length + behind;
      await expect
        .poll(() => CommittedReader.all(ledger.brokers, ledger.output), { timeout: 20_000 })
        .toHaveLength(all);
      const lines = await linesIn(ledger, ledger.output);
      const again = new Map(
        [...lines].map(([card, found]) => [card, found.slice(ledger.expected.get(card)?.length)] as const),
      );
      for (const [card, wanted] of ledger.expected) {
        expect(lines.get(card)?.slice(0, wanted.length), card).toEqual(wanted);
      }
      expectEnds(ledger, again, behind);
    }
  });
});
