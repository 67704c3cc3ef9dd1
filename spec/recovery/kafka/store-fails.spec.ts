import { expect, it } from 'vitest';
import { placeFor } from '../harness/places.ts';
import { printedSeed, randomFrom } from '../harness/random.ts';
import { CommittedReader } from './harness/committed-reader.ts';
import { LedgerPlace } from './harness/ledger-place.ts';

const long = 120_000;

async function prepared(what: string) {
  const random = randomFrom(printedSeed(what));
  const { store } = await placeFor('redis');
  return LedgerPlace.prepare({ brokers: process.env.KAFKA_BROKERS ?? '', redis: store }, random, 20_000);
}

/** The offsets of records in each partition of the output. What lies between them are the marks that end transactions. */
async function offsets(place: LedgerPlace): Promise<readonly ReadonlySet<number>[]> {
  const records = await CommittedReader.all(place.brokers, place.output);
  return [0, 1, 2, 3].map(
    partition => new Set(records.filter(record => record.partition === partition).map(({ offset }) => offset)),
  );
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
const timesIn = (output: string, text: RegExp): number => [...output.matchAll(text)].length;

it('keeps everything while the store fails for five checkpoints in a row, and commits it in one transaction', {
  timeout: long,
}, async () => {
  const place = await prepared('a store that fails for a while');
  const reader = place.follow();
  const command = place.run({
    rate: 3_000,
    interval: '300ms',
    checkpoint: { tolerableFailures: 5, timeout: '10s' },
    // Right before the last of them.
    faults: { failingPrepares: { from: 3, to: 7 }, dies: { step: 'prepare', call: 7, when: 'before', by: 'SIGSTOP' } },
  });
  await command.says('stopped here');
  expect(await place.decided()).toBe(2);
  // Of what has gone into the open transaction meanwhile nothing is visible.
  const visible = await place.ends('read_committed');
  const written = await place.ends('read_uncommitted');
  expect(sum(written) - sum(visible)).toBeGreaterThan(500);
  command.kill('SIGCONT');

  expect(await command.exited, command.output).toEqual({ code: 0, signal: null });
  expect(timesIn(command.output, / abandoned: /g)).toBe(5);
  expect(command.output).not.toContain('restarts from its last checkpoint');
  await place.verify();
  expect(reader.problems).toEqual([]);
  const found = await offsets(place);
  for (const [partition, ofPartition] of found.entries()) {
    // It has become visible without the end of a transaction in between.
    for (let offset = visible[partition] ?? 0; offset < (written[partition] ?? 0); offset++) {
      expect(ofPartition.has(offset), `partition ${partition}, offset ${offset}`).toBe(true);
    }
  }
  // Nor were there others: one for each checkpoint but the first, which is taken before any record, and the last ones, behind
  // the end of the input.
  const committed = timesIn(command.output, / committed: /g);
  const ended = (await place.ends('read_committed')).map((end, partition) => end - (found[partition]?.size ?? 0));
  expect(Math.max(...ended)).toBeLessThan(committed);
  expect(Math.max(...ended)).toBeGreaterThanOrEqual(committed - 3);
});

it('restarts from its last checkpoint when it fails for longer than is borne', { timeout: long }, async () => {
  const place = await prepared('a store that fails for too long');
  const reader = place.follow();
  const command = place.run({
    rate: 3_000,
    interval: '300ms',
    checkpoint: { tolerableFailures: 1, timeout: '10s' },
    faults: { failingPrepares: { from: 3, to: 5 } },
  });
  await command.says('restarts from its last checkpoint');
  expect(timesIn(command.output, / abandoned: /g), command.output).toBe(1);
  await command.says('running from checkpoint #2,');
  expect(await command.exited, command.output).toEqual({ code: 0, signal: null });
  await place.verify();
  expect(reader.problems).toEqual([]);
});
