import { expect, it } from 'vitest';
import { placeFor } from '../harness/places.ts';
import { printedSeed, randomFrom } from '../harness/random.ts';
import { passes } from '../harness/restarts.ts';
import { LedgerPlace } from './harness/ledger-place.ts';

/** ms: many processes, on a machine that may have other things to do. */
const long = 240_000;

async function prepared(what: string, count: number) {
  const random = randomFrom(printedSeed(what));
  const { store } = await placeFor('redis');
  const brokers = process.env.KAFKA_BROKERS ?? '';
  return { random, place: await LedgerPlace.prepare({ brokers, redis: store }, random, count) };
}

it('writes each entry once, in order, from Kafka to Kafka', { timeout: long }, async () => {
  const { place } = await prepared('an undisturbed ledger', 100_000);
  await place.finish();
  // Once more: it has finished, and nothing comes twice.
  await place.finish();
});

it.each([
  ['before the first segment is written', { step: 'putSegment', call: 3, when: 'before' }],
  ['between two segments', { step: 'putSegment', call: 3, when: 'after' }],
  ['before the manifest is written', { step: 'prepare', call: 2, when: 'before' }],
  ['after the manifest, before the transaction ends', { step: 'prepare', call: 2, when: 'after' }],
  ['after the transaction, before the store knows', { step: 'confirm', call: 2, when: 'before' }],
  ['after the store knows', { step: 'confirm', call: 2, when: 'after' }],
] as const)('loses and doubles nothing when it is killed %s', { timeout: long }, async (_, dies) => {
  const { place } = await prepared(`a kill ${dies.when} ${dies.step}`, 20_000);
  const reader = place.follow();
  const command = place.run({ rate: 1_000, faults: { dies } });
  expect(await command.exited, command.output).toEqual({ code: null, signal: 'SIGKILL' });
  await place.finish();
  expect(reader.problems).toEqual([]);
});

it('loses and doubles nothing when it is killed at 30 random moments', { timeout: 2 * long }, async () => {
  const { place, random } = await prepared('kills of a ledger', 100_000);
  const reader = place.follow();
  let lastId = 0;
  let startMs = 1_500;
  for (let kill = 1; kill <= 30; kill++) {
    const command = place.run({ rate: 3_000 });
    const isEarly = random() < 0.3;
    if (!isEarly) {
      await command.says(' running from ');
      startMs = performance.now() - command.startedAt;
    }
    await passes(random() * (isEarly ? startMs : 1_200));
    expect(command.isOver, `it ended before kill ${kill}:\n${command.output}`).toBe(false);
    await command.killed();
    const id = (await place.confirmed())?.id ?? 0;
    expect(id, `the confirmed checkpoint went back at kill ${kill}`).toBeGreaterThanOrEqual(lastId);
    lastId = id;
    expect(reader.problems, `after kill ${kill}`).toEqual([]);
  }
  expect(lastId).toBeGreaterThan(5);
  await place.finish();
  expect(reader.problems).toEqual([]);
});
