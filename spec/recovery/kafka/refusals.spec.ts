import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import { describe, expect, it, vi } from 'vitest';
import { freePort } from '../../../tools/services/free-port.ts';
import { startRedis } from '../../../tools/services/redis.ts';
import { TcpProxy } from '../../services/kafka/harness/tcp-proxy.ts';
import '../../../tools/services/kafka/without-timer-warning.ts';
import type { Command } from '../harness/command.ts';
import { ended, type Place, placeFor } from '../harness/places.ts';
import { printedSeed, randomFrom } from '../harness/random.ts';
import { passes } from '../harness/restarts.ts';
import { CommittedReader } from './harness/committed-reader.ts';
import { type Booking, expectedLines } from './harness/ledger.ts';
import { LedgerPlace } from './harness/ledger-place.ts';
import { LedgerReader } from './harness/ledger-reader.ts';

const long = 120_000;
// docs/cli.md
const toBeMended = 4;
const external = 5;

const brokers = () => process.env.KAFKA_BROKERS ?? '';

async function prepared(what: string, count = 10_000) {
  const random = randomFrom(printedSeed(what));
  const place = await placeFor('redis');
  return {
    place,
    random,
    ledger: await LedgerPlace.prepare({ brokers: brokers(), redis: place.store }, random, count),
  };
}

/** A ledger whose process was killed in the middle; nothing of it is under way any more. */
async function killed(what: string) {
  const { place, ledger } = await prepared(what);
  const command = ledger.run({ rate: 1_000, faults: { dies: { step: 'prepare', call: 4, when: 'before' } } });
  expect(await command.exited, command.output).toEqual({ code: null, signal: 'SIGKILL' });
  await ledger.settle();
  return { place, ledger };
}

async function withAdmin<T>(work: (admin: ReturnType<Kafka['admin']>) => Promise<T>): Promise<T> {
  const admin = new Kafka({ brokers: brokers().split(','), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

/** Everything in the store, byte for byte. */
async function dump({ store }: Place): Promise<Record<string, string>> {
  const redis = new Redis(store);
  try {
    const keys = (await redis.keys('*')).sort();
    return Object.fromEntries(
      await Promise.all(keys.map(async key => [key, (await redis.dumpBuffer(key))?.toString('base64') ?? ''])),
    );
  } finally {
    redis.disconnect();
  }
}

async function expectRefusal(command: Command, code: number, ...says: RegExp[]): Promise<void> {
  expect(await command.exited, command.output).toEqual({ code, signal: null });
  for (const text of says) expect(command.output).toMatch(text);
  expect(command.output).not.toContain('restarts from its last checkpoint');
  expect(command.output).not.toContain(' running from ');
  expect(command.output).not.toContain('please report');
}

describe('a Redis that holds the state of a ledger', () => {
  it('may be killed and come back with its file, again and again: the ledger is exact', { timeout: long }, async () => {
    const { place, random, ledger } = await prepared('Redis killed under a ledger', 20_000);
    let { redis } = place;
    if (!redis) throw new Error('there is no Redis');
    const reader = ledger.follow();
    const command = ledger.run({ rate: 1_500, interval: '200ms', set: ['isBounded=false'] });
    for (let i = 0; i < 3; i++) {
      await command.says(' committed: ', command.output.split(' committed: ').length);
      await passes(random() * 250);
      expect(command.isOver, command.output).toBe(false);
      await redis.kill();
      await passes(random() * 600);
      redis = ended(await startRedis({ dir: redis.dir, port: redis.port }));
    }
    await command.says(' committed: ', command.output.split(' committed: ').length + 1);
    command.kill('SIGTERM');
    expect(await command.exited, command.output).toEqual({ code: 0, signal: null });
    await ledger.finish();
    expect(reader.problems).toEqual([]);
  });

  it('and was emptied is noticed: the start refuses, and changes nothing', { timeout: long }, async () => {
    const { place, ledger } = await killed('Redis emptied between two processes');
    const decided = await ledger.record();
    const redis = new Redis(place.store);
    await redis.flushall();
    redis.disconnect();
    const ends = await ledger.ends('read_committed');
    await expectRefusal(
      ledger.run(),
      external,
      /STATE_LOST/,
      new RegExp(`Checkpoint ${decided} .*was committed.*but the snapshot store does not have it`, 's'),
      /Nothing was changed.*start fresh/s,
    );
    // Again: it has not made itself believe that all is well.
    await expectRefusal(ledger.run(), external, /STATE_LOST/);
    expect(await ledger.record()).toBe(decided);
    expect(await ledger.ends('read_committed')).toEqual(ends);

    // The choice that it offers: from the beginning, with ids above what was.
    const fresh = ledger.run({ args: ['--fresh'] });
    expect(await fresh.exited, fresh.output).toEqual({ code: 0, signal: null });
    expect(await ledger.decided()).toBeGreaterThan(decided);
  });

  it('and is emptied under a running ledger is noticed, too: it ends', { timeout: long }, async () => {
    const { place, ledger } = await prepared('Redis emptied under a ledger', 20_000);
    const reader = ledger.follow();
    const command = ledger.run({ rate: 2_000 });
    await command.says(' committed: ', 2);
    const redis = new Redis(place.store);
    await redis.flushall();
    redis.disconnect();
    const { code } = await command.exited;
    expect(code, command.output).toBe(external);
    expect(command.output).toMatch(/STATE_LOST|FENCED/);
    await expectRefusal(ledger.run(), external, /STATE_LOST/);
    expect(reader.problems).toEqual([]);
  });
});

describe('a commit group that was deleted', () => {
  it('stops the next start, which changes nothing, until a person has chosen', { timeout: long }, async () => {
    const { place, ledger } = await killed('commit group deleted');
    const newest = (await ledger.confirmed())?.id ?? 0;
    await withAdmin(admin => admin.deleteGroups([ledger.group]));
    const ends = await ledger.ends('read_committed');
    const before = await dump(place);
    await expectRefusal(
      ledger.run(),
      external,
      /COMMIT_POINT_LOST/,
      new RegExp(`Checkpoint ${newest} .*no record.*recovery\\.acceptCheckpoint to ${newest}.*start fresh`, 's'),
    );
    const after = await dump(place);
    for (const [key, content] of Object.entries(before))
      if (!key.endsWith(':fence')) expect(after[key], key).toBe(content);
    expect(await ledger.record()).toBe(-1);
    expect(await ledger.ends('read_committed')).toEqual(ends);

    // Another choice than the one that is offered is none.
    await expectRefusal(
      ledger.run({ settings: { recovery: { acceptCheckpoint: newest - 1 } } }),
      external,
      /COMMIT_POINT_LOST/,
    );
    // Nothing had been committed after that checkpoint, so nothing comes twice.
    const chosen = await ledger.finish({ args: ['--accept-checkpoint', `${newest}`] });
    expect(chosen.output).toMatch(/accepted by choice/);
    expect(chosen.output).toContain(`running from checkpoint #${newest},`);
    expect(await ledger.decided()).toBe((await ledger.confirmed())?.id);
  });
});

describe('a Kafka that refuses connections at the start', () => {
  it('is asked again within the time set, then a clear error ends the job', { timeout: long }, async () => {
    const { ledger } = await prepared('nobody listens', 100);
    const nobody = `127.0.0.1:${await freePort()}`;
    const command = ledger.run({
      brokers: nobody,
      set: ['connectTimeout=1500ms'],
      settings: { restart: { strategy: 'none' } },
    });
    expect(await command.exited, command.output).toEqual({ code: external, signal: null });
    const tookMs = performance.now() - command.startedAt;
    expect(tookMs).toBeGreaterThan(1_500);
    expect(command.output).toContain('could be reached within 1500 ms');
    expect(command.output).toContain('KAFKA_CONNECTION');
    expect(command.output).toContain(nobody);
    expect(command.output).not.toContain('please report');
  });

  it('is tried as often as the restart strategy says', { timeout: long }, async () => {
    const { ledger } = await prepared('nobody listens, restarts', 100);
    const nobody = `127.0.0.1:${await freePort()}`;
    const restart = { strategy: 'fixed-delay', attempts: 2, delay: '100ms' };
    const command = ledger.run({ brokers: nobody, set: ['connectTimeout=500ms'], settings: { restart } });
    expect(await command.exited, command.output).toEqual({ code: external, signal: null });
    expect(command.output.split('restarts from its last checkpoint').length - 1, command.output).toBe(2);
    expect(command.output).toContain('KAFKA_CONNECTION');
  });

  it('and lets the ledger in later: it runs as if nothing had been', { timeout: long }, async () => {
    const { ledger } = await prepared('Kafka comes late', 5_000);
    await using proxy = await TcpProxy.to(brokers());
    proxy.refuse();
    const command = ledger.run({ brokers: proxy.brokers, set: ['connectTimeout=90s'] });
    await vi.waitUntil(() => proxy.refused > 2, { timeout: 60_000 });
    proxy.accept();
    expect(await command.exited, command.output).toEqual({ code: 0, signal: null });
    expect(command.output).not.toContain('restarts from its last checkpoint');
    await ledger.verify();
  });
});

describe('records that were purged before they were read', () => {
  it('stop the next start, which names the gap; by choice it goes on with what is left', {
    timeout: long,
  }, async () => {
    const { ledger } = await killed('a purge below the committed position');
    const input = await CommittedReader.all(brokers(), ledger.input);
    const manifest = await ledger.confirmed();
    const position = manifest?.sources[`kafka:${ledger.input}`]?.position as {
      partitions: Record<string, Record<string, number>>;
    };
    const at = Number(position.partitions[ledger.input]?.[0]);
    const until = at + 100;
    await withAdmin(async admin => {
      // kafkajs deletes only in topics whose leaders it knows, and finds them here.
      await admin.fetchTopicOffsets(ledger.input);
      await admin.deleteTopicRecords({ topic: ledger.input, partitions: [{ partition: 0, offset: `${until}` }] });
    });
    const ends = await ledger.ends('read_committed');
    const refused = ledger.run();
    expect(await refused.exited, refused.output).toEqual({ code: toBeMended, signal: null });
    expect(refused.output).toContain(`the log begins at ${until}: the 100 offsets ${at} to ${until - 1} were removed`);
    expect(refused.output).toMatch(new RegExp(`Offset ${at} of .*${ledger.input}`));
    expect(refused.output).toContain('onMissingOffset');
    expect(await ledger.ends('read_committed')).toEqual(ends);
    expect((await ledger.confirmed())?.id).toBe(manifest?.id);

    const chosen = ledger.run({ set: ['onMissingOffset=earliest'] });
    expect(await chosen.exited, chosen.output).toEqual({ code: 0, signal: null });
    const left = input.filter(({ partition, offset }) => partition !== 0 || offset < at || offset >= until);
    expect(left.length).toBe(ledger.bookings.length - 100);
    const expected = expectedLines(left.map(({ value }) => JSON.parse(value) as Booking));
    const { problems, seen } = await LedgerReader.whenVisible(brokers(), ledger.output, expected, {
      count: left.length,
    });
    expect(problems).toEqual([]);
    expect(seen).toBe(left.length);
  });
});
