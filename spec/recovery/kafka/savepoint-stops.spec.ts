import { expect, it } from 'vitest';
import { tidemark } from '../harness/command.ts';
import { placeFor } from '../harness/places.ts';
import { printedSeed, randomFrom } from '../harness/random.ts';
import { LedgerPlace } from './harness/ledger-place.ts';
import { visitsFrom } from './harness/visits.ts';
import { VisitsPlace } from './harness/visits-place.ts';

const long = 120_000;
// docs/cli.md: without an end that it could have missed.
const stopped = { code: 0, signal: null };
const finished = { code: 0, signal: null };
const brokers = () => process.env.KAFKA_BROKERS ?? '';

it('a ledger that another process stands by for stops in both with a savepoint, and goes on exactly from it', {
  timeout: long,
}, async () => {
  const { store } = await placeFor('redis');
  const random = randomFrom(printedSeed('stopped with a standby'));
  const ledger = await LedgerPlace.prepare({ brokers: brokers(), redis: store }, random, 6_000);
  const reader = ledger.follow();
  const standby = { set: ['isBounded=false'], rate: 500, args: ['--tasks', 'standby'] };
  const first = ledger.run(standby);
  await first.says(' committed: ', 2);
  const second = ledger.run(standby);
  await second.says('standing by');
  await ledger.savepoint('stop', ledger.job, '--name', 'both');
  for (const one of [first, second]) expect(await one.exited, one.output).toEqual(stopped);
  expect(first.output).toContain('the savepoint both');
  const last = ledger.run({ args: ['--from-savepoint', 'both'] });
  expect(await last.exited, last.output).toEqual(finished);
  await ledger.verify();
  expect(reader.problems).toEqual([]);
});

it('visits that are repartitioned go on in four tasks from a savepoint of one, with the windows that are open', {
  timeout: long,
}, async () => {
  const { store } = await placeFor('redis');
  const random = randomFrom(printedSeed('from one task to four'));
  const place = await VisitsPlace.prepare(brokers(), store, visitsFrom(random, 3_000));
  const reader = place.follow();
  await place.load(2_000);
  const single = place.run({ set: { isBounded: false, rate: 500 }, args: ['--tasks', 'single'] });
  await single.says(' committed: ', 3);
  const stop = tidemark(['savepoint', 'stop', place.job, '--name', 'one', '--store', store]);
  expect(await stop.exited, stop.output).toEqual(finished);
  expect(await single.exited, single.output).toEqual(stopped);
  await place.load();

  const several = place.run({ args: ['--from-savepoint', 'one'] });
  expect(await several.exited, several.output).toEqual(finished);
  expect(several.output).toContain('of 4');
  await place.verify();
  expect(reader.problems).toEqual([]);
});
