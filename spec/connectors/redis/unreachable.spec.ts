import { spawn } from 'node:child_process';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type RedisStoreOptions, redisStore } from '../../../connectors/redis/index.ts';
import { StoreRefusedError, StoreUnavailableError } from '../../../lib/errors.ts';
import { freePort } from '../../../tools/services/free-port.ts';
import { segment } from '../../contract/snapshot-store.manifests.ts';

const ref = { job: 'j', task: '0' };
const sockets = new Set<Socket>();
let silent: Server | undefined;

async function endSilent(): Promise<void> {
  for (const socket of sockets) socket.destroy();
  await new Promise(resolve => (silent ? silent.close(resolve) : resolve(undefined)));
  silent = undefined;
}
afterEach(endSilent);

/** A server that takes connections and says nothing. */
async function silentPort(): Promise<number> {
  silent = createServer(socket => sockets.add(socket.on('error', () => {}))).listen(0, '127.0.0.1');
  await new Promise(resolve => silent?.once('listening', resolve));
  return (silent.address() as AddressInfo).port;
}

async function failure(options: RedisStoreOptions, work = 'fence' as 'fence' | 'check' | 'tasks') {
  const store = redisStore({ commandTimeout: '1s', connectTimeout: '1s', ...options });
  const began = performance.now();
  const error = await Promise.resolve(work === 'fence' ? store.task(ref).fence() : store[work]()).then(
    () => new Error('it succeeded'),
    each => each,
  );
  await store.close();
  await store.close();
  expect(performance.now() - began).toBeLessThan(5_000);
  return error;
}

describe('the Redis store without a server', () => {
  it.each(['fence', 'check', 'tasks'] as const)('fails soon, says where it looked and what to do: %s', async work => {
    const port = await freePort();
    const error = await failure({ url: `redis://:hunter2@127.0.0.1:${port}` }, work);
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(error.retriable).toBe(true);
    expect(error.message).toMatch(
      new RegExp(`redis://127.0.0.1:${port}/0 failed to .*ECONNREFUSED.*Check that it runs`),
    );
    expect(error.message).not.toContain('hunter2');
  });

  it('gives up on one that takes the connection and says nothing', async () => {
    const port = await silentPort();
    const error = await failure({ url: `redis://127.0.0.1:${port}` });
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(error.message).toMatch(/within 1000 ms/);
  });

  it('takes a connection that ends while TLS begins for one that may be there later', async () => {
    const port = await silentPort();
    silent?.on('connection', (socket: Socket) => socket.end());
    const error = await failure({ url: `rediss://127.0.0.1:${port}` });
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(error.retriable).toBe(true);
  });

  it('gives up on a cluster and on Sentinels that are not there', async () => {
    const port = await freePort();
    const cluster = await failure({ cluster: [`127.0.0.1:${port}`] });
    expect(cluster).toBeInstanceOf(StoreUnavailableError);
    expect(cluster.message).toContain(`redis-cluster://127.0.0.1:${port}`);
    const sentinel = await failure({ sentinels: [{ host: '127.0.0.1', port }], name: 'm' });
    expect(sentinel).toBeInstanceOf(StoreUnavailableError);
    expect(sentinel.message).toContain(`redis-sentinel://127.0.0.1:${port}/m/0`);
  });

  it('refuses a segment that Redis cannot hold before it looks for a server', async () => {
    const store = redisStore('redis://127.0.0.1:1');
    const large = new Uint8Array(512 * 1024 * 1024 + 1);
    const put = Promise.resolve(store.task(ref).putSegment(1, segment(1, 1), large));
    await expect(put).rejects.toThrow(StoreRefusedError);
    await expect(put).rejects.toThrow(/536870913 bytes.*512 MiB/);
    await store.close();
  });

  it('says so when it is used after it was closed', async () => {
    const store = redisStore('redis://127.0.0.1:1');
    await store.close();
    await expect(Promise.resolve(store.task(ref).fence())).rejects.toThrow(/redis:\/\/127\.0\.0\.1:1\/0 is closed/);
  });

  it.each([
    ['never used', ''],
    ['failed', 'await store.task({ job: "j", task: "0" }).fence().catch(() => {});'],
    ['still trying', 'store.task({ job: "j", task: "0" }).fence().catch(() => {});'],
  ])('leaves nothing that keeps a process alive once it is closed: %s', async (_, use) => {
    const index = join(import.meta.dirname, '../../../connectors/redis/index.ts');
    const exitCode = async (port: number) => {
      const program = `
        const { redisStore } = await import(${JSON.stringify(index)});
        const store = redisStore({ url: 'redis://127.0.0.1:${port}', commandTimeout: '300ms' });
        ${use}
        await store.close();
        setTimeout(() => { console.error(process.getActiveResourcesInfo()); process.exit(3); }, 6000).unref();`;
      const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'inherit' });
      return new Promise(resolve => child.once('exit', resolve));
    };
    const ports = [await freePort(), await silentPort()];
    expect(await Promise.all(ports.map(exitCode))).toEqual([0, 0]);
  });
});
