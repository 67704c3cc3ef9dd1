import { expect, it } from 'vitest';
import type { Command } from '../harness/command.ts';
import { placeFor } from '../harness/places.ts';
import { printedSeed, randomFrom } from '../harness/random.ts';
import { CommittedReader } from './harness/committed-reader.ts';
import { visitsFrom } from './harness/visits.ts';
import { tasks, VisitsPlace } from './harness/visits-place.ts';

/** ms: many processes, on a machine that may have other things to do. */
const long = 300_000;
const done = { code: 0, signal: null };

const settings = { checkpoint: { interval: '300ms', requestInterval: '100ms' } };

/** The offsets that a savepoint has read of the input, summed up. */
async function covered(place: VisitsPlace, name: string): Promise<number> {
  const shown = place.savepoint('show', `${place.job}/${name}`, '--json');
  expect(await shown.exited, shown.output).toEqual(done);
  const saved = JSON.parse(shown.output) as {
    tasks: { sources: Record<string, { position: { partitions?: Record<string, Record<string, number>> } }> }[];
  };
  return saved.tasks
    .flatMap(({ sources }) => Object.values(sources))
    .flatMap(({ position }) => Object.values(position.partitions?.[place.input] ?? {}))
    .reduce((sum, offset) => sum + offset, 0);
}

it('counts exactly in 4 tasks, 3, one and 2, and in a fork, with savepoints that bring home what is between the tasks', {
  timeout: long,
}, async () => {
  const random = randomFrom(printedSeed('draining'));
  const { store } = await placeFor('redis');
  const place = await VisitsPlace.prepare(process.env.KAFKA_BROKERS ?? '', store, visitsFrom(random, 6_000));
  const reader = place.follow();
  const endless = (more: Partial<Parameters<VisitsPlace['run']>[0]> = {}) =>
    place.run({ settings, ...more, set: { rate: 150, isBounded: false, ...more.set } });
  const taken = async (asked: Command) => {
    expect(await place.loadUntil(asked.exited), asked.output).toEqual(done);
  };

  // While it runs; then again, and a process dies on the way.
  await place.load(400);
  const first = endless();
  const second = endless();
  await Promise.all([first.says('running: tasks'), second.says('running: tasks')]);
  await place.loadUntil(first.says(' committed: ', 4));
  await taken(place.savepoint('create', place.job, '--name', 'one'));
  const before = second.output.split('asked for a savepoint').length - 1;
  const asked = place.savepoint('create', place.job, '--name', 'two');
  await place.loadUntil(second.says('asked for a savepoint', before + 1));
  await second.killed();
  await taken(asked);
  expect(reader.problems).toEqual([]);

  // Stopped at rest, and gone on with in 3 tasks; a fork of the first goes its own way meanwhile.
  const stop = place.savepoint('stop', place.job, '--name', 'three');
  await taken(stop);
  expect(await first.exited, first.output).toEqual(done);
  const inThree = { args: ['--max-tasks', '3', '--from-savepoint', 'three'] };
  const third = [endless(inThree), endless(inThree)] as const;
  await Promise.all(third.map(one => one.says('running: tasks')));
  await place.loadUntil(third[0].says(' committed: ', 4));
  await taken(place.savepoint('stop', place.job, '--name', 'four'));
  for (const one of third) expect(await one.exited, one.output).toEqual(done);

  const single = endless({ args: ['--tasks', 'single', '--from-savepoint', 'four'] });
  await place.loadUntil(single.says(' committed: ', 2));
  await taken(place.savepoint('stop', place.job, '--name', 'five'));
  expect(await single.exited, single.output).toEqual(done);

  await place.load();
  const output = `${place.job}-fork-out`;
  await place.withClient(client => client.createTopics([{ topic: output, partitions: tasks }]));
  const fork = place.run({
    name: `${place.job}-fork`,
    set: { output },
    args: ['--max-tasks', '3', '--from-savepoint', `${place.job}/one`],
  });
  const last = place.run({ args: ['--max-tasks', '2', '--from-savepoint', 'five'] });
  expect(await last.exited, last.output).toEqual(done);
  await place.verify();
  expect(reader.problems).toEqual([]);

  expect(await fork.exited, fork.output).toEqual(done);
  const lines = Map.groupBy(await CommittedReader.all(place.brokers, output), ({ key }) => key);
  const { expected } = place;
  for (const [key, found] of lines) {
    expect(
      found.map(({ value }) => value),
      key,
    ).toEqual(expected.get(key)?.slice(-found.length));
  }
  const visits = [...lines].filter(([key]) => key.includes(' ')).reduce((sum, [, found]) => sum + found.length, 0);
  expect(visits).toBe(place.visits.length - (await covered(place, 'one')));
});
