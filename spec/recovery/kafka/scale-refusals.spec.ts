import { Kafka, logLevel } from 'kafkajs';
import { redisStore } from 'tidemark/connectors/redis';
import { expect, it } from 'vitest';
import '../../../tools/services/kafka/without-timer-warning.ts';
import type { Command } from '../harness/command.ts';
import { placeFor } from '../harness/places.ts';
import { printedSeed, randomFrom } from '../harness/random.ts';
import { visitsFrom } from './harness/visits.ts';
import { tasks, VisitsPlace } from './harness/visits-place.ts';

const long = 120_000;
const done = { code: 0, signal: null };
// docs/cli.md: the job's author can mend it.
const user = { code: 4, signal: null };
// Something outside failed, such as another process that has its place.
const external = { code: 5, signal: null };
const brokers = () => process.env.KAFKA_BROKERS ?? '';

async function prepared(what: string, count: number) {
  const { store } = await placeFor('redis');
  const place = await VisitsPlace.prepare(brokers(), store, visitsFrom(randomFrom(printedSeed(what)), count));
  await place.load(500);
  return place;
}

/** It is stopped; another one finds all that it left to do, and no more. */
async function endsExactly(job: Command, place: VisitsPlace): Promise<void> {
  job.kill('SIGTERM');
  expect(await job.exited, job.output).toEqual(done);
  const last = place.run();
  expect(await last.exited, last.output).toEqual(done);
  await place.verify();
}

it('names the repartition that is missing, before anything is counted twice', { timeout: long }, async () => {
  const place = await prepared('missing repartition', 500);
  const job = place.run({ set: { isRepartitioned: false } });
  expect(await job.exited, job.output).toEqual(user);
  expect(job.output).toContain('MISSING_REPARTITION');
  expect(job.output).toContain('Put repartition("pages") behind the keyBy');
});

it('does not go on, or start, once keys may come in other partitions', { timeout: long }, async () => {
  const place = await prepared('more partitions', 500);
  const running = [place.run({ set: { isBounded: false } }), place.run({ set: { isBounded: false } })];
  await Promise.all(running.map(one => one.says(' committed: ')));
  const admin = new Kafka({ brokers: brokers().split(','), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.createPartitions({ topicPartitions: [{ topic: place.input, count: tasks + 1 }] });
  await admin.disconnect();
  for (const one of running) {
    expect(await one.exited, one.output).toEqual(user);
    expect(one.output).toContain('PARTITION_COUNT_CHANGED');
    expect(one.output).toContain(`has new partitions (${place.input}-4)`);
  }
  const next = place.run();
  expect(await next.exited, next.output).toEqual(user);
  expect(next.output).toContain(`The topic ${place.input} has 5 partitions and had 4`);
});

it('ends for good where another process has its instance id, which goes on exactly with its tasks', {
  timeout: long,
}, async () => {
  const place = await prepared('instance ids', 20_000);
  const set = { isBounded: false, rate: 200 };
  const args = ['--instance-id', 'worker-1'];
  const first = place.run({ set, args });
  await place.loadUntil(first.says(' committed: ', 6));
  const second = place.run({ set, args });
  expect(await first.exited, first.output).toEqual(external);
  expect(first.output).toContain('taken for lost by its group');
  await second.says('running: tasks 0, 1, 2, 3 of 4');
  await endsExactly(second, place);
});

it('says that a task was fenced, gives it up, and runs it again when the group says so', {
  timeout: long,
}, async () => {
  const place = await prepared('fenced', 20_000);
  const job = place.run({ set: { isBounded: false, rate: 200 } });
  await place.loadUntil(job.says(' committed: ', 6));
  const store = redisStore(place.store);
  const stolen = store.task({ job: place.job, task: '2' });
  await stolen.acquireFence(await stolen.fence());
  await place.loadUntil(job.says('the task was taken over by another process'));
  await job.says('given up: the group assigns them anew');
  await job.says('running: tasks 0, 1, 2, 3 of 4', 2);
  await store.close();
  await endsExactly(job, place);
});

it('ends for good the process whose tasks another group has taken, which goes on exactly', {
  timeout: long,
}, async () => {
  const place = await prepared('two groups', 20_000);
  const set = { isBounded: false, rate: 200 };
  const [mine, others] = [`${place.job}-mine`, `${place.job}-others`];
  const members = { sessionTimeout: '6s', releaseTimeout: '10s' };
  const first = place.run({ set, settings: { members: { ...members, group: mine } } });
  await place.loadUntil(first.says(' committed: ', 6));
  const second = place.run({ set, settings: { members: { ...members, group: others } } });
  await place.loadUntil(first.exited);
  expect(await first.exited, first.output).toEqual(user);
  expect(first.output).toContain('OTHER_GROUP');
  expect(first.output).toContain(`by a process of the group "${others}", and this process is of the group "${mine}"`);
  await second.says('running: tasks 0, 1, 2, 3 of 4');
  await endsExactly(second, place);
});
