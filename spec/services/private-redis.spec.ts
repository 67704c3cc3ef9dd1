import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { Redis } from 'ioredis';
import { expect, test, vi } from 'vitest';
import { redisAnswers, startRedis } from '../../tools/services/redis.ts';

// The Redis that a spec may start for itself, to kill it, to fill it, or to configure it.

test('keeps what it answered for when it is killed, and comes back at the same address', async () => {
  await using redis = await startRedis();
  await withClient(redis.url, client => client.set('airport', 'ATL'));

  await redis.kill();
  expect(await redisAnswers(redis.url)).toBe(false);

  await using again = await startRedis({ dir: redis.dir, port: redis.port });
  expect(again.url).toBe(redis.url);
  expect(await withClient(again.url, client => client.get('airport'))).toBe('ATL');
});

test('leaves neither process nor folder behind when it is stopped', async () => {
  const redis = await startRedis({ args: ['--appendfsync', 'no'] });
  expect(await withClient(redis.url, client => client.config('GET', 'appendfsync'))).toEqual(['appendfsync', 'no']);

  await redis.stop();
  expect(existsSync(redis.dir)).toBe(false);
  expect(await redisAnswers(redis.url)).toBe(false);
});

test('ends, and takes its folder along, when the process that started it is killed', async () => {
  const code = `import { startRedis } from ${JSON.stringify(path.resolve('tools/services/redis.ts'))};
    const { url, dir } = await startRedis();
    console.log(JSON.stringify({ url, dir }));`;
  const starter = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(starter.stdout, 'data');
  const { url, dir } = JSON.parse(String(line));
  expect(await redisAnswers(url)).toBe(true);

  starter.kill('SIGKILL');
  await vi.waitUntil(() => !existsSync(dir), { timeout: 20_000 });
  expect(await redisAnswers(url)).toBe(false);
});

async function withClient<R>(url: string, use: (client: Redis) => Promise<R>): Promise<R> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  try {
    await client.connect();
    return await use(client);
  } finally {
    client.disconnect();
  }
}
