import { describe, expect, it } from 'vitest';
import { TcpProxy } from '../../services/kafka/harness/tcp-proxy.ts';
import { CutProxy } from '../../services/redis/cut-proxy.ts';
import type { Command } from '../harness/command.ts';
import { NetworkNamespace, noNamespaces } from '../harness/network-namespace.ts';
import { placeFor } from '../harness/places.ts';
import { printedSeed, randomFrom } from '../harness/random.ts';
import { passes } from '../harness/restarts.ts';
import { visitsFrom } from './harness/visits.ts';
import { VisitsPlace } from './harness/visits-place.ts';

/** ms: many processes, on a machine that may have other things to do. */
const long = 300_000;
const done = { code: 0, signal: null };
const lost = 'taken for lost by its group';

/** Says it once more than it has. */
const saysAgain = (one: Command, text: string) => one.says(text, one.output.split(text).length);

// Where namespaces are not permitted, it is named as not run, with the reason; scale-network.spec.ts runs everywhere.
const notRun = noNamespaces === undefined ? '' : `, not run: ${noNamespaces}`;

describe.skipIf(noNamespaces !== undefined)(`a process in a network of its own${notRun}`, () => {
  it('counts exactly, and comes back, while its links to Kafka, to Redis and to both drop every packet', {
    timeout: long,
  }, async () => {
    const random = randomFrom(printedSeed('namespace'));
    const { store, folder, redis } = await placeFor('redis');
    const brokers = process.env.KAFKA_BROKERS ?? '';
    const namespace = new NetworkNamespace();
    const [toKafka, toRedis] = [namespace.link(), namespace.link()];
    await using kafkaEnd = await TcpProxy.to(brokers, toKafka.host);
    await using redisEnd = await CutProxy.to(redis?.port ?? 0, toRedis.host);
    const redisThere = `redis://${toRedis.host}:${redisEnd.port}`;
    const place = await VisitsPlace.prepare(brokers, store, visitsFrom(random, 60_000));
    const reader = place.follow();
    const set = { rate: 100, isBounded: false, prefix: place.job, folder };
    const settings = { members: { sessionTimeout: '8s', releaseTimeout: '10s' } };
    const stays = place.run({ settings, set: { ...set, redis: store } });
    const isCut = place.run({
      settings,
      within: namespace.command,
      brokers: kafkaEnd.brokers,
      store: redisThere,
      set: { ...set, redis: redisThere },
    });
    const shares = () => place.loadUntil(saysAgain(isCut, 'running: tasks'));
    const commits = () => place.loadUntil(saysAgain(isCut, ' committed: '));
    const losses = () => isCut.output.split(lost).length - 1;

    await place.load(200);
    await shares();
    await commits();

    // For less than its session: it goes on where it was.
    toKafka.cut();
    await passes(1_000 + random() * 1_000);
    toKafka.mend();
    await commits();

    // Without Redis it stays a member: its tasks wait, or start again, where they are.
    toRedis.cut();
    await passes(1_000 + random() * 2_000);
    toRedis.mend();
    await commits();
    expect(losses()).toBe(0);

    // For longer: it knows, untold, that others have its tasks.
    for (const links of [[toKafka], [toRedis, toKafka]]) {
      const moved = [saysAgain(stays, 'running: tasks 0, 1, 2, 3 of 4'), saysAgain(isCut, lost)];
      for (const link of links) link.cut();
      await place.loadUntil(Promise.all(moved));
      const back = shares();
      for (const link of links) link.mend();
      await back;
    }

    for (const one of [stays, isCut]) one.kill('SIGTERM');
    for (const one of [stays, isCut]) expect(await one.exited, one.output).toEqual(done);
    expect(reader.problems).toEqual([]);
    const last = [0, 1].map(() => place.run({ set: { redis: store, prefix: place.job, folder } }));
    for (const one of last) expect(await one.exited, one.output).toEqual(done);
    await place.verifyAll(place.job, folder);
  });
});
