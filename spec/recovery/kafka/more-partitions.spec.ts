import { Kafka, logLevel } from 'kafkajs';
import { redisStore } from 'tidemark/connectors/redis';
import { expect, it } from 'vitest';
import '../../../tools/services/kafka/without-timer-warning.ts';
import type { Command } from '../harness/command.ts';
import { placeFor } from '../harness/places.ts';
import { printedSeed, randomFrom } from '../harness/random.ts';
import { LedgerPlace } from './harness/ledger-place.ts';
import type { LedgerReader } from './harness/ledger-reader.ts';

// Real Kafka and Redis: partitions are added to the input of a keyed job in several tasks while it does not run.

const long = 120_000;
// docs/cli.md
const stopped = { code: 0, signal: null };
const toBeMended = { code: 4, signal: null };
const set = ['version=2', 'isBounded=false'];
const spread = ['--tasks', 'per-partition'];

async function prepared(what: string, count: number, loaded: number): Promise<LedgerPlace> {
  const random = randomFrom(printedSeed(what));
  const { store } = await placeFor('redis');
  const places = { brokers: process.env.KAFKA_BROKERS ?? '', redis: store };
  return LedgerPlace.prepare(places, random, count, undefined, loaded);
}

async function grow(ledger: LedgerPlace, count: number): Promise<void> {
  const admin = new Kafka({ brokers: ledger.brokers.split(','), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.createPartitions({ topicPartitions: [{ topic: ledger.input, count }] });
  await admin.disconnect();
}

/** Waits until so many records are visible in all. */
async function seen(reader: LedgerReader, count: number, by: Command): Promise<void> {
  const isThere = () => reader.seen >= count || by.isOver;
  await expect.poll(isThere, { timeout: 60_000, interval: 50, message: `${count} records` }).toBe(true);
  expect(reader.seen, by.output).toBe(count);
}

async function stopWith(ledger: LedgerPlace, name: string, command: Command): Promise<void> {
  await ledger.savepoint('stop', ledger.job, '--name', name);
  expect(await command.exited, command.output).toEqual(stopped);
}

it('what lies unread in the old partitions is refused, and read by one task first; then the new ones are taken', {
  timeout: long,
}, async () => {
  const ledger = await prepared('a backlog in old partitions', 3_000, 1_000);
  const reader = ledger.follow();
  const four = ledger.run({ set, args: spread });
  await seen(reader, 1_000, four);
  await stopWith(ledger, 'four', four);
  await ledger.load(500);
  await grow(ledger, 6);

  const from = [...spread, '--from-savepoint', 'four'];
  // As a fork, so that the job itself can still choose.
  const wrong = ledger.run({
    name: `${ledger.job}-wrong`,
    output: await ledger.newOutput(),
    set,
    args: [...spread, '--from-savepoint', `${ledger.job}/four`, '--accept-moved-keys'],
    settings: { restart: { strategy: 'none' } },
  });
  const inPlace = ledger.run({ set, args: spread });
  const refused = ledger.run({ set, args: from, settings: { members: { group: `${ledger.job}.refused` } } });
  expect(await inPlace.exited, inPlace.output).toEqual(toBeMended);
  expect(inPlace.output).toContain('PARTITION_COUNT_CHANGED');
  expect(await refused.exited, refused.output).toEqual(toBeMended);
  expect(refused.output).toContain(`The topic ${ledger.input} has 6 partitions and had 4`);
  expect(refused.output).toContain('500 records lie behind its positions in the old ones');

  // A record of a key that has moved is never counted from nothing.
  expect(await wrong.exited, wrong.output).toEqual(toBeMended);
  expect(wrong.output).toContain('accepted by choice');
  expect(wrong.output).toContain('MISSING_REPARTITION');

  const single = ledger.run({ set, args: ['--from-savepoint', 'four'] });
  await seen(reader, 1_500, single);
  await stopWith(ledger, 'read', single);
  const six = ledger.run({ set, args: [...spread, '--from-savepoint', 'read'] });
  await six.says('running: tasks 0, 1, 2, 3, 4, 5 of 6');
  await ledger.load(1_500);
  await seen(reader, 3_000, six);
  six.kill('SIGTERM');
  expect(await six.exited, six.output).toEqual(stopped);
  expect(reader.problems).toEqual([]);
});

it('what came after is read from the beginning of the new partitions, once somebody has said that the old ones were read', {
  timeout: long,
}, async () => {
  const ledger = await prepared('records of new partitions', 2_000, 1_000);
  const reader = ledger.follow();
  const four = ledger.run({ set, args: spread });
  await seen(reader, 1_000, four);
  await stopWith(ledger, 'four', four);
  await grow(ledger, 6);
  await ledger.load(1_000);

  const args = [...spread, '--from-savepoint', 'four'];
  const six = ledger.run({ set, args: [...args, '--accept-moved-keys'] });
  await seen(reader, 2_000, six);
  expect(six.output).toContain('accepted by choice');
  six.kill('SIGTERM');
  expect(await six.exited, six.output).toEqual(stopped);
  expect(reader.problems).toEqual([]);
});

it('a task that begins anew in a process that has not looked for partitions finds them, and ends the job', {
  timeout: long,
}, async () => {
  const ledger = await prepared('begun anew with more partitions', 5_000, 5_000);
  const reader = ledger.follow();
  const four = ledger.run({ set: [...set, 'discovery=off'], rate: 100, args: spread });
  await four.says(' committed: ', 4);
  await grow(ledger, 6);
  // Somebody else takes the fence of a task, and is gone again: the group assigns it anew.
  const store = redisStore(ledger.store);
  const stolen = store.task({ job: ledger.job, task: '1' });
  await stolen.acquireFence(await stolen.fence());
  await store.close();
  expect(await four.exited, four.output).toEqual(toBeMended);
  expect(four.output).toContain('PARTITION_COUNT_CHANGED');
  expect(four.output).toContain(`has new partitions (${ledger.input}-4, ${ledger.input}-5)`);
  expect(reader.problems).toEqual([]);
});
