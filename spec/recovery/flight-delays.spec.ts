import { describe, expect, it } from 'vitest';
import { startRedis } from '../../tools/services/redis.ts';
import { FlightDelays } from './harness/flight-delays.ts';
import { ended, kinds, placeFor } from './harness/places.ts';
import { PrefixReader } from './harness/prefix-reader.ts';
import { printedSeed, randomFrom } from './harness/random.ts';
import { finishExactly, killAtRandom, passes, verifyExact } from './harness/restarts.ts';

/** ms: many processes, on a machine that may have other things to do. */
const long = 150_000;

describe.each(kinds)('the sample on the %s store', kind => {
  it('gives in one go what a plain computation gives', async () => {
    const { folder, store } = await placeFor(kind);
    await finishExactly(new FlightDelays(folder, store));
  });

  it('gives the same, byte for byte, when it is killed at 25 random moments', { timeout: long }, async () => {
    const { folder, store } = await placeFor(kind);
    const job = new FlightDelays(folder, store);
    const random = randomFrom(printedSeed(`kills of the sample on the ${kind} store`));
    // Slow enough that the input does not end before the last kill.
    const { recovered } = await killAtRandom(job, 25, random, { rate: 600 });
    expect(recovered).toBeGreaterThan(0);
    await finishExactly(job);
  });
});

describe('the sample whose Redis is killed and comes back', () => {
  it('gives the same, byte for byte, and nobody helps it', { timeout: long }, async () => {
    const { folder, store, redis } = await placeFor('redis');
    if (!redis) throw new Error('there is no Redis');
    const job = new FlightDelays(folder, store);
    const random = randomFrom(printedSeed('kills of Redis'));
    const reader = new PrefixReader(job).start();
    const command = job.run({ rate: 1_500 });
    await command.says(' committed: ', 2);
    let server = redis;
    let lastId = 0;
    let kills = 0;
    // While Redis is away the sample reads on: it may be through before the last kill.
    while (kills < 4 && !command.isOver) {
      await passes(random() * 600);
      await server.kill();
      kills++;
      // Sometimes back at once, sometimes away for longer than a request is tried.
      await passes(random() * 1_500);
      server = ended(await startRedis({ dir: redis.dir, port: redis.port }));
      const id = (await job.committed())?.id ?? 0;
      expect(id, `the committed checkpoint went back at kill ${kills}`).toBeGreaterThanOrEqual(lastId);
      lastId = id;
      // It commits again before the next fault.
      await command.untilSaid(' committed: ', command.output.split(' committed: ').length);
    }
    expect(kills).toBeGreaterThanOrEqual(2);
    expect(await command.exited, command.output).toEqual({ code: 0, signal: null });
    await reader.stop();
    expect(reader.problems).toEqual([]);
    verifyExact(job);
  });

  it('gives the same when both are killed', { timeout: long }, async () => {
    const { folder, store, redis } = await placeFor('redis');
    if (!redis) throw new Error('there is no Redis');
    const job = new FlightDelays(folder, store);
    const random = randomFrom(printedSeed('kills of the sample and of Redis'));
    let server = redis;
    for (let i = 0; i < 3; i++) {
      await killAtRandom(job, 2, random, { rate: 600 });
      const command = job.run({ rate: 600 });
      await passes(random() * 1_500);
      await server.kill();
      await passes(random() * 300);
      await command.killed();
      server = ended(await startRedis({ dir: redis.dir, port: redis.port }));
    }
    await finishExactly(job);
  });
});
