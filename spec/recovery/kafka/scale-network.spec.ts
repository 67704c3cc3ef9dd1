import { expect, it } from 'vitest';
import { TcpProxy } from '../../services/kafka/harness/tcp-proxy.ts';
import { CutProxy } from '../../services/redis/cut-proxy.ts';
import type { Command } from '../harness/command.ts';
import { placeFor } from '../harness/places.ts';
import { printedSeed, randomFrom } from '../harness/random.ts';
import { passes } from '../harness/restarts.ts';
import { visitsFrom } from './harness/visits.ts';
import { VisitsPlace } from './harness/visits-place.ts';

/** ms: many processes, on a machine that may have other things to do. */
const long = 300_000;
const done = { code: 0, signal: null };

/** Says it once more than it has. */
const saysAgain = (one: Command, text: string) => one.says(text, one.output.split(text).length);

it('counts exactly while one of two processes loses Kafka, Redis, and both, told or not, and comes back each time', {
  timeout: long,
}, async () => {
  const random = randomFrom(printedSeed('network'));
  const { store, redis } = await placeFor('redis');
  const brokers = process.env.KAFKA_BROKERS ?? '';
  await using kafkaProxy = await TcpProxy.to(brokers);
  await using redisProxy = await CutProxy.to(redis?.port ?? 0);
  const place = await VisitsPlace.prepare(brokers, store, visitsFrom(random, 60_000));
  const reader = place.follow();
  const set = { rate: 100, isBounded: false };
  const stays = place.run({ set });
  const isCut = place.run({ set, brokers: kafkaProxy.brokers, store: `redis://127.0.0.1:${redisProxy.port}` });
  const shares = () => saysAgain(isCut, 'running: tasks');
  const movesAll = () => saysAgain(stays, 'running: tasks 0, 1, 2, 3 of 4');

  await place.load(2_000);
  await shares();
  await passes(random() * 500);
  const alone = movesAll();
  const lost = isCut.says('taken for lost by its group');
  kafkaProxy.refuse();
  await Promise.all([alone, lost]);
  let back = shares();
  kafkaProxy.accept();
  await back;

  // Without Redis it stays a member: its tasks wait, or start again, where they are.
  await place.load(2_000);
  await place.loadUntil(saysAgain(isCut, ' committed: '));
  redisProxy.refuse();
  await passes(1_000 + random() * 2_000);
  const goesOn = saysAgain(isCut, ' committed: ');
  redisProxy.accept();
  await place.loadUntil(goesOn);

  // Nobody tells it: its connections stay, and nothing passes.
  await place.load(2_000);
  await passes(random() * 500);
  const aloneAgain = Promise.all([movesAll(), saysAgain(isCut, 'taken for lost by its group')]);
  kafkaProxy.stall();
  redisProxy.stall();
  await aloneAgain;
  back = shares();
  redisProxy.flow();
  kafkaProxy.flow();
  await back;
  for (const one of [stays, isCut]) one.kill('SIGTERM');
  for (const one of [stays, isCut]) expect(await one.exited, one.output).toEqual(done);
  expect(reader.problems).toEqual([]);

  await place.load(500);
  const last = [place.run(), place.run()];
  for (const one of last) expect(await one.exited, one.output).toEqual(done);
  await place.verify();
});
