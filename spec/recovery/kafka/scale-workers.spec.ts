import { expect, it } from 'vitest';
import type { Command } from '../harness/command.ts';
import { placeFor } from '../harness/places.ts';
import { printedSeed, randomFrom } from '../harness/random.ts';
import { passes } from '../harness/restarts.ts';
import { visitsFrom } from './harness/visits.ts';
import { VisitsPlace } from './harness/visits-place.ts';

/** ms: many processes, on a machine that may have other things to do. */
const long = 300_000;
const done = { code: 0, signal: null };
const killed = { code: null, signal: 'SIGKILL' };

/** Runs tasks, so that its death or its going moves some. */
const hasTasks = (one: Command) => one.says('running: tasks');
const hasAllTasks = (one: Command) => one.says('running: tasks 0, 1, 2, 3 of 4');

it('counts exactly in 1, 3, 2 and 5 processes, while they are killed, stopped, and frozen until others have their tasks', {
  timeout: long,
}, async () => {
  const random = randomFrom(printedSeed('workers'));
  const { store, folder } = await placeFor('redis');
  const place = await VisitsPlace.prepare(process.env.KAFKA_BROKERS ?? '', store, visitsFrom(random, 60_000));
  const reader = place.follow();
  const set = { redis: store, prefix: place.job, folder };
  const run = (more: Partial<Parameters<VisitsPlace['run']>[0]> = {}) =>
    place.run({ set: { ...set, rate: 100, isBounded: false }, ...more });

  // One, then three, of which two die: one at any moment, and one with a checkpoint prepared that is not committed.
  await place.load(500);
  const first = run();
  await place.loadUntil(first.says(' committed: ', 6));
  const second = run();
  const third = run({ dies: { step: 'prepare', call: 6, when: 'after' } });
  await hasTasks(second);
  await passes(random() * 500);
  await second.killed();
  expect(await place.loadUntil(third.exited), third.output).toEqual(killed);

  // Two, of which the first is frozen until the other has its tasks, too; then it goes on.
  await place.load(500);
  const fourth = run();
  await hasTasks(fourth);
  await passes(random() * 500);
  first.kill('SIGSTOP');
  await hasAllTasks(fourth);
  await place.loadUntil(fourth.says(' committed: ', fourth.output.split(' committed: ').length + 4));
  first.kill('SIGCONT');
  await first.says('taken for lost by its group');

  // Five, of which one dies before its checkpoint is confirmed; then all end in order, with final checkpoints.
  await place.load(500);
  const fifth = run({ dies: { step: 'confirm', call: 3, when: 'before' } });
  // Of five one has no task: not this one, which is there before the last two.
  await place.loadUntil(fifth.untilSaid('tasks were assigned'));
  const [sixth, seventh] = [run(), run()];
  expect(await place.loadUntil(fifth.exited), fifth.output).toEqual(killed);
  await Promise.all([sixth, seventh].map(hasTasks));
  for (const one of [first, fourth, sixth, seventh]) one.kill('SIGTERM');
  for (const one of [first, fourth, sixth, seventh]) expect(await one.exited, one.output).toEqual(done);
  expect(reader.problems).toEqual([]);

  // What is left, to its end: every process ends once all tasks have finished, wherever they ran.
  await place.load(500);
  const last = [place.run({ set }), place.run({ set }), place.run({ set })];
  for (const one of last) expect(await one.exited, one.output).toEqual(done);
  await place.verifyAll(place.job, folder);
});
