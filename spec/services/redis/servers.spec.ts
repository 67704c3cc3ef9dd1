import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { type RedisStoreOptions, redisStore } from '../../../connectors/redis/index.ts';
import { StoreRefusedError, StoreUnavailableError, type TidemarkError } from '../../../lib/errors.ts';
import { freePort } from '../../../tools/services/free-port.ts';
import { startRedis } from '../../../tools/services/redis.ts';
import { briefly, bytesOf, manifestOf, segment } from '../../contract/snapshot-store.manifests.ts';

const ref = { job: 'j', task: '0' };
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const work of cleanUp.splice(0).reverse()) await work();
});

const start = async (...args: string[]) => {
  const server = await startRedis({ args });
  cleanUp.push(() => server.stop());
  const direct = new Redis(server.url);
  cleanUp.push(() => direct.disconnect());
  direct.on('error', () => {});
  return { ...server, direct };
};
const open = (options: string | RedisStoreOptions) => {
  const store = redisStore(options);
  cleanUp.push(() => store.close());
  return store;
};
const commitOne = async (options: string | RedisStoreOptions) => {
  const task = open(options).task(ref);
  const token = await task.acquireFence(0);
  const name = segment(1, token);
  await task.putSegment(token, name, bytesOf(name));
  await task.prepare(token, manifestOf(ref, token, 1, [name]));
  await task.confirm(token, 1);
  return briefly(await task.manifests());
};
const failureOf = async (work: () => unknown): Promise<TidemarkError> => {
  try {
    await work();
  } catch (error) {
    return error as TidemarkError;
  }
  throw new Error('it succeeded');
};
const everythingOf = (error: Error): string =>
  `${error.message} ${error.stack} ${JSON.stringify(error)} ${error.cause}`;

describe('the Redis store and the settings of its server', () => {
  it.each([
    [['--appendfsync', 'always'], []],
    [['--appendonly', 'no'], [/memory only.*ALL STATE IS LOST.*appendonly yes/s]],
    [['--appendonly', 'no', '--save', '3600 1'], [/no append-only file.*last snapshot/s]],
    [['--maxmemory', '500mb', '--maxmemory-policy', 'allkeys-lru'], [/allkeys-lru.*DELETES STATE.*noeviction/s]],
    [['--maxmemory', '500mb', '--maxmemory-policy', 'volatile-lru'], []],
    [['--appendfsync', 'no'], [/appendfsync is no/]],
  ])('says what may be lost with %j', async (args, expected) => {
    const { url } = await start(...args);
    const notices = await open(url).check();
    expect(notices.map(({ message }) => message)).toEqual(expected.map(each => expect.stringMatching(each)));
    for (const { level } of notices) expect(level).toBe('warn');
  });

  it('works for a user with the rights that the README names, and says what it could not check', async () => {
    const { direct, port } = await start();
    const rights = ['+eval', '+evalsha', '+get', '+set', '+append', '+exists', '+unlink', '+del', '+wait', '+waitaof'];
    rights.push('+hget', '+hset', '+hdel', '+hexists', '+hkeys', '+hvals', '+hgetall', '+sadd', '+srem', '+smembers');
    rights.push('+zadd', '+zrem', '+zscore', '+zrange', '+zrevrange', '+hello');
    const known = rights.filter(right => right !== '+waitaof'); // which this server may not have
    await direct.call('ACL', 'SETUSER', 'job', 'on', '>pässwörd/1', '~tidemark:*', '-@all', ...known);
    const url = `redis://job:${encodeURIComponent('pässwörd/1')}@127.0.0.1:${port}`;
    const store = open(url);
    expect(await store.check()).toEqual([{ level: 'info', message: expect.stringMatching(/INFO is not allowed/) }]);
    expect(await commitOne(url)).toEqual(['1-1']);
    expect(store.location).toBe(`redis://127.0.0.1:${port}/0`);
    await direct.call('ACL', 'SETUSER', 'job', '+info');
    expect(await store.check()).toEqual([
      { level: 'info', message: expect.stringMatching(/CONFIG GET is not allowed/) },
    ]);
    await direct.call('ACL', 'SETUSER', 'job', '-eval', '-evalsha');
    const error = await failureOf(() => store.check());
    expect(error).toBeInstanceOf(StoreRefusedError);
    expect(error.message).toMatch(/NOPERM.*ACL/);
    expect(everythingOf(error)).not.toContain('pässwörd');
  });

  it('refuses a wrong password without repeating it', async () => {
    const { direct, port } = await start();
    await direct.config('SET', 'requirepass', 'the-right-one');
    for (const password of ['the-wrong-one', undefined]) {
      const store = open({ options: { host: '127.0.0.1', port, ...(password ? { password } : {}) } });
      const error = await failureOf(() => store.check());
      expect(error).toBeInstanceOf(StoreRefusedError);
      expect(error.retriable).toBe(false);
      expect(error.message).toContain(`127.0.0.1:${port}`);
      expect(everythingOf(error)).not.toContain('the-wrong-one');
    }
    expect(await commitOne({ url: `redis://:the-right-one@127.0.0.1:${port}/2` })).toEqual(['1-1']);
  });

  it('refuses a database that is not there', async () => {
    const { port } = await start();
    const error = await failureOf(() => open(`redis://127.0.0.1:${port}/77`).check());
    expect(error).toBeInstanceOf(StoreRefusedError);
    expect(error.message).toMatch(/no such database/);
  });

  it('refuses keys of somebody else', async () => {
    const { direct, url } = await start();
    await direct.set('tidemark:tasks', 'mine');
    const error = await failureOf(() => open(url).task(ref).acquireFence(0));
    expect(error).toBeInstanceOf(StoreRefusedError);
    expect(error.message).toMatch(/WRONGTYPE.*another prefix/);
  });

  it('keeps two prefixes apart', async () => {
    const { url } = await start();
    expect(await commitOne({ url, prefix: 'a' })).toEqual(['1-1']);
    expect(await open({ url, prefix: 'b' }).task(ref).manifests()).toEqual([]);
    expect(await open({ url, prefix: 'b' }).tasks()).toEqual([]);
  });
});

describe('the Redis store and replicas', () => {
  it('waits for those that it must wait for, and refuses to commit without them', async () => {
    const [master, replica] = await startPair();
    const task = open({ url: master.url, replicas: 1, commandTimeout: '20s' }).task(ref);
    const token = await task.acquireFence(0);
    await task.prepare(token, manifestOf(ref, token, 1));
    await task.confirm(token, 1);
    expect(await replica.direct.zrange('tidemark:{j/0}:confirmed', '0', '-1')).toEqual(['1-1']);

    await replica.kill();
    const hasty = open({ url: master.url, replicas: 1, commandTimeout: '3s' }).task(ref);
    const error = await failureOf(() => hasty.prepare(token, manifestOf(ref, token, 2)));
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(error.message).toMatch(/0 of 1 replicas acknowledged.*within 2400 ms/);
    const lenient = open({ url: master.url, commandTimeout: '20s' }).task(ref);
    await until(async () => (await master.direct.info('replication')).includes('connected_slaves:0'));
    await lenient.prepare(token, manifestOf(ref, token, 2));
  });

  it('finds the master through Sentinels, and the new one after a failover', { timeout: 60_000 }, async () => {
    const [master, replica] = await startPair();
    const sentinel = await startSentinel(master.port);
    // Longer than a busy machine may stand still: the replica has to acknowledge within it.
    const store = open({ sentinels: [{ host: '127.0.0.1', port: sentinel.port }], name: 'tide', commandTimeout: '4s' });
    expect(store.location).toBe(`redis-sentinel://127.0.0.1:${sentinel.port}/tide/0`);
    const task = store.task(ref);
    const token = await task.acquireFence(0);
    await task.prepare(token, manifestOf(ref, token, 1));
    await task.confirm(token, 1);
    // The Sentinel takes a replica for good only after it has looked at it for a while.
    await until(() =>
      sentinel.direct.call('SENTINEL', 'FAILOVER', 'tide').then(
        () => true,
        () => false,
      ),
    );
    // While two servers hold themselves for the master, nothing that is answered "committed" may be lost.
    const committed = [1];
    const isOver = async () => (await master.direct.info('replication')).includes('role:slave');
    let isAfter = false;
    for (let id = 2; !isAfter; id++) {
      const wasOver = await isOver();
      try {
        await task.prepare(token, manifestOf(ref, token, id));
        await task.confirm(token, id);
        committed.push(id);
        isAfter ||= wasOver;
      } catch (error) {
        expect(error).toBeInstanceOf(StoreUnavailableError);
      }
    }
    const there = await replica.direct.zrange('tidemark:{j/0}:confirmed', '0', '-1');
    expect(there).toEqual(expect.arrayContaining(committed.map(id => `${id}-1`)));
  });
});

/** Waits for something that only a server's own word tells. */
async function until(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise(resolve => setTimeout(resolve, 20));
}

async function startPair() {
  const master = await start('--repl-diskless-sync-delay', '0');
  const replica = await start('--replicaof', '127.0.0.1', `${master.port}`);
  await until(async () => (await master.direct.info('replication')).includes('state=online'));
  return [master, replica] as const;
}

async function startSentinel(masterPort: number): Promise<{ port: number; direct: Redis }> {
  const dir = mkdtempSync(join(tmpdir(), 'tidemark-sentinel-'));
  const port = await freePort();
  const config = join(dir, 'sentinel.conf');
  writeFileSync(config, `port ${port}\nbind 127.0.0.1\ndir ${dir}\nsentinel monitor tide 127.0.0.1 ${masterPort} 1\n`);
  const child = spawn('redis-server', [config, '--sentinel'], { stdio: 'ignore' });
  cleanUp.push(async () => {
    child.kill('SIGKILL');
    await new Promise(resolve => child.once('exit', resolve));
    rmSync(dir, { recursive: true, force: true });
  });
  const direct = new Redis({ host: '127.0.0.1', port, retryStrategy: () => 20 });
  direct.on('error', () => {});
  cleanUp.push(() => direct.disconnect());
  // Its usual ten seconds between two looks are long for a spec.
  const periods = ['info-period', 'ping-period', 'publish-period', 'ask-period', 'slave-reconf-timeout'];
  await direct.call('SENTINEL', 'DEBUG', ...periods.flatMap(name => [name, '100']));
  // A machine that stood still for two seconds would make it do nothing for thirty ("TILT"), and a failover that got
  // stuck wait for three minutes.
  await direct.call(
    'SENTINEL',
    'DEBUG',
    'tilt-trigger',
    '60000',
    'tilt-period',
    '1000',
    'default-failover-timeout',
    '5000',
  );
  await direct.call('SENTINEL', 'SET', 'tide', 'failover-timeout', '5000');
  return { port, direct };
}
