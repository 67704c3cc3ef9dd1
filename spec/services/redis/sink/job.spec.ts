import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { redisSink } from '../../../../connectors/redis/index.ts';
import { from, job, memoryStore, start } from '../../../../lib/index.ts';
import { to } from '../../../../operators/index.ts';
import { generatedPayments } from '../../../../samples/card-totals/generated-payments.ts';
import type { Payment } from '../../../../samples/card-totals/payments.ts';
import { type RedisServer, startRedis } from '../../../../tools/services/redis.ts';
import { quiet } from '../../../job/quiet.ts';

let server: RedisServer;
let client: Redis;

beforeAll(async () => {
  server = await startRedis();
  client = new Redis(server.url);
});
afterAll(async () => {
  client.disconnect();
  await server.stop();
});

it('brings checkpoints by itself once more commands wait than one may carry out', async () => {
  const key = randomUUID();
  const counting = job('counting', () =>
    from(generatedPayments({ seed: 1, payments: 20_000 })).pipe(
      to(
        redisSink<Payment>({
          name: 'counts',
          redis: server.url,
          maxCommands: 2_000,
          write: ({ card }) => ({ command: 'hashIncrement', key, field: card }),
        }),
      ),
    ),
  );
  const handle = start(counting, {
    store: memoryStore(),
    logger: quiet,
    checkpoint: { interval: 'off' },
    credits: { limit: 1_000 },
  });
  let committed = 0;
  handle.checkpoints$.subscribe(({ outcome }) => {
    if (outcome === 'committed') committed++;
  });
  await handle.done;
  expect(sum(await client.hvals(key))).toBe(20_000);
  expect(committed).toBeGreaterThan(3);
});

it('fails its job without another try when a key is in the way, and names it', async () => {
  const key = randomUUID();
  await client.set(key, 'mine');
  const counting = job('in-the-way', () =>
    from(generatedPayments({ seed: 1, payments: 10 })).pipe(
      to(
        redisSink<Payment>({ name: 'w', redis: server.url, write: () => ({ command: 'listPush', key, values: [1] }) }),
      ),
    ),
  );
  const failed = start(counting, { store: memoryStore(), logger: quiet }).done;
  await expect(failed).rejects.toMatchObject({ code: 'REDIS_OUTPUT', fault: 'user', retriable: false });
  await expect(failed).rejects.toThrow(`"${key}": it holds a string, and the sink writes a list`);
});

const sum = (counts: readonly string[]): number => counts.reduce((total, count) => total + Number(count), 0);
