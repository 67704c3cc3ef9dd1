import { describe, expect, it } from 'vitest';
import { TcpProxy } from '../../services/kafka/harness/tcp-proxy.ts';
import { CutProxy } from '../../services/redis/cut-proxy.ts';
import type { Command } from '../harness/command.ts';
import { NetworkNamespace, noNamespaces } from '../harness/network-namespace.ts';
import { placeFor } from '../harness/places.ts';
import { printedSeed, type Random, randomFrom } from '../harness/random.ts';
import { passes } from '../harness/restarts.ts';
import { visitsFrom } from './harness/visits.ts';
import { VisitsPlace } from './harness/visits-place.ts';

/** ms: many processes, on a machine that may have other things to do. */
const long = 300_000;
const done = { code: 0, signal: null };

/** The way of one process to one service: nothing passes while it is cut, and nobody is told. */
interface Way {
  cut(): void;
  mend(): void;
}

interface Network {
  readonly kafka: TcpProxy;
  readonly redis: CutProxy;
  readonly redisHost: string;
  readonly toKafka: Way;
  readonly toRedis: Way;
  /** What its processes begin with. */
  readonly within: readonly string[];
}

async function proxies(brokers: string, redisPort: number): Promise<Network> {
  const kafka = await TcpProxy.to(brokers);
  const redis = await CutProxy.to(redisPort);
  const way = (proxy: TcpProxy | CutProxy): Way => ({ cut: () => proxy.stall(), mend: () => proxy.flow() });
  return { kafka, redis, redisHost: '127.0.0.1', toKafka: way(kafka), toRedis: way(redis), within: [] };
}

async function namespace(brokers: string, redisPort: number): Promise<Network> {
  const own = new NetworkNamespace();
  const [toKafka, toRedis] = [own.link(), own.link()];
  const kafka = await TcpProxy.to(brokers, toKafka.host);
  const redis = await CutProxy.to(redisPort, toRedis.host);
  return { kafka, redis, redisHost: toRedis.host, toKafka, toRedis, within: own.command };
}

/** Says it once more than it has. */
const saysAgain = (one: Command, text: string) => one.says(text, one.output.split(text).length);

async function losesBoth(random: Random, { kafka, redis, ...network }: Network, place: VisitsPlace, folder: string) {
  await using _kafka = kafka;
  await using _redis = redis;
  const { toKafka, toRedis, within } = network;
  const through = `redis://${network.redisHost}:${redis.port}`;
  const settings = { members: { sessionTimeout: '8s', releaseTimeout: '10s' } };
  const set = { rate: 100, isBounded: false, prefix: place.job, folder };
  const reader = place.follow();
  const stays = place.run({ settings, set: { ...set, redis: place.store } });
  const isCut = place.run({
    settings,
    within,
    brokers: kafka.brokers,
    store: through,
    set: { ...set, redis: through },
  });
  const shares = () => saysAgain(isCut, 'running: tasks');
  const commits = () => saysAgain(isCut, ' committed');
  const movesAll = () => saysAgain(stays, 'running: tasks 0, 1, 2, 3 of 4');
  const lost = 'taken for lost by its group';
  const took: Record<string, number> = {};
  const timed = async (what: string, happens: Promise<unknown>) => {
    const from = performance.now();
    await place.loadUntil(happens);
    took[what] = Math.round((performance.now() - from) / 100) / 10;
  };

  await place.load(2_000);
  await shares();
  await place.loadUntil(commits());

  // Shorter than its session: it goes on where it was.
  toKafka.cut();
  await passes(1_500 + random() * 500);
  toKafka.mend();
  await timed('a short cut from Kafka: commits again', commits());
  expect(isCut.output).not.toContain(lost);

  // Longer: others have its tasks, and it knows that they do.
  const isTold = saysAgain(isCut, lost);
  const alone = movesAll();
  toKafka.cut();
  await timed('a long cut from Kafka: its tasks run elsewhere', Promise.all([alone, isTold]));
  let back = shares();
  toKafka.mend();
  await timed('after a long cut from Kafka: has tasks again', back);
  await place.loadUntil(commits());

  // Without Redis it stays a member: its tasks wait where they are.
  const losses = isCut.output.split(lost).length;
  toRedis.cut();
  await passes(2_000 + random() * 2_000);
  toRedis.mend();
  await timed('after a cut from Redis: commits again', commits());
  expect(isCut.output.split(lost).length).toBe(losses);

  const aloneAgain = movesAll();
  toRedis.cut();
  toKafka.cut();
  await timed('a long cut from both: its tasks run elsewhere', aloneAgain);
  back = shares();
  toKafka.mend();
  await passes(random() * 1_000);
  toRedis.mend();
  await timed('after a long cut from both: has tasks again', back);
  console.log(took);

  for (const one of [stays, isCut]) one.kill('SIGTERM');
  for (const one of [stays, isCut]) expect(await one.exited, one.output).toEqual(done);
  expect(reader.problems).toEqual([]);
  await place.load(500);
  const last = [0, 1].map(() => place.run({ set: { redis: place.store, prefix: place.job, folder } }));
  for (const one of last) expect(await one.exited, one.output).toEqual(done);
  await place.verifyAll(place.job, folder);
}

async function counts(what: string, between: typeof proxies): Promise<void> {
  const random = randomFrom(printedSeed(what));
  const { store, folder, redis } = await placeFor('redis');
  const brokers = process.env.KAFKA_BROKERS ?? '';
  const place = await VisitsPlace.prepare(brokers, store, visitsFrom(random, 60_000));
  await losesBoth(random, await between(brokers, redis?.port ?? 0), place, folder);
}

it(
  'counts exactly while one of two processes gets no word from Kafka, Redis, and both, over connections that stay',
  {
    timeout: long,
  },
  () => counts('silent connections', proxies),
);

const notRun = noNamespaces === undefined ? '' : `, not run: ${noNamespaces}`;
describe.skipIf(noNamespaces !== undefined)(`a process in a network of its own${notRun}`, () => {
  it(
    'counts exactly while the links of one of two processes to Kafka, Redis, and both drop every packet',
    {
      timeout: long,
    },
    () => counts('network namespace', namespace),
  );
});
