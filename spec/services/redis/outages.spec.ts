import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { redisStore } from '../../../connectors/redis/index.ts';
import { taskKeys } from '../../../connectors/redis/keys.ts';
import type { SnapshotStore, TaskStore } from '../../../lib/checkpoint/snapshot-store.ts';
import { FencedError, StateLostError, StoreUnavailableError, type TidemarkError } from '../../../lib/errors.ts';
import type { Duration } from '../../../lib/index.ts';
import { type RedisServer, startRedis } from '../../../tools/services/redis.ts';
import { briefly, bytesOf, manifestOf, segment } from '../../contract/snapshot-store.manifests.ts';
import { CutProxy } from './cut-proxy.ts';

const ref = { job: 'outage', task: '0' };

const failureOf = async (work: () => unknown): Promise<TidemarkError> => {
  try {
    await work();
  } catch (error) {
    return error as TidemarkError;
  }
  throw new Error('it succeeded');
};

describe('the Redis store when its server goes away', () => {
  let server: RedisServer;
  let store: SnapshotStore;
  let task: TaskStore;
  const others: SnapshotStore[] = [];

  beforeEach(async () => {
    server = await startRedis();
    store = redisStore({ url: server.url, commandTimeout: '20s' });
    task = store.task(ref);
  });
  afterEach(async () => {
    for (const one of [store, ...others.splice(0)]) await one.close();
    await server.stop();
  });

  const commit = async (token: number, id: number, through = task) => {
    const name = segment(id, token);
    await through.putSegment(token, name, bytesOf(name));
    await through.prepare(token, manifestOf(ref, token, id, [name]));
    await through.confirm(token, id);
  };
  /** A limit that is to be met by what fails may be met by what does not, too, where the machine is busy. */
  const untilCommitted = async (token: number, id: number, through: TaskStore) => {
    const tried = () =>
      commit(token, id, through).then(
        () => true,
        () => false,
      );
    while (!(await tried()));
  };
  const taskWithin = (commandTimeout: Duration): TaskStore => {
    const other = redisStore({ url: server.url, commandTimeout });
    others.push(other);
    return other.task(ref);
  };

  it('still has everything that was confirmed after SIGKILL, and goes on with the same connection settings', async () => {
    const token = await task.acquireFence(0);
    const hasty = taskWithin('1s');
    for (let round = 0; round < 2; round++) {
      await commit(token, round * 2 + 1);
      const name = segment(round * 2 + 2, token);
      await task.putSegment(token, name, bytesOf(name));
      await task.prepare(token, manifestOf(ref, token, round * 2 + 2, [name]));
      const { dir, port } = server;
      await server.kill();
      const error = await failureOf(() => hasty.confirm(token, round * 2 + 2));
      expect(error).toBeInstanceOf(StoreUnavailableError);
      expect(error.retriable).toBe(true);
      expect(error.message).toContain(`127.0.0.1:${port}`);
      server = await startRedis({ dir, port });
      await task.confirm(token, round * 2 + 2);
    }
    expect(briefly(await task.manifests())).toEqual(['1-1', '2-1', '3-1', '4-1']);
    for (let id = 1; id <= 4; id++)
      expect(await task.getSegment(segment(id, token))).toEqual(bytesOf(segment(id, token)));
    expect(await task.acquireFence(0)).toBe(token + 1);
  });

  it('is not taken for a new one when the server comes back without its data', async () => {
    const token = await task.acquireFence(0);
    await commit(token, 1);
    const { port } = server;
    await server.stop();
    server = await startRedis({ port });
    for (const write of [
      () => task.putSegment(token, segment(2, token), bytesOf('x')),
      () => task.prepare(token, manifestOf(ref, token, 2)),
      () => task.confirm(token, 1),
      () => task.collect(token, []),
      () => task.clear(token),
    ]) {
      const error = await failureOf(write);
      expect(error).toBeInstanceOf(StateLostError);
      expect(error.retriable).toBe(false);
    }
  });

  it('does not prepare a manifest whose segment the server has lost meanwhile', async () => {
    const token = await task.acquireFence(0);
    await commit(token, 1);
    const direct = new Redis(server.url);
    const name = segment(2, token);
    await task.putSegment(token, name, bytesOf(name));
    await direct.unlink(taskKeys('tidemark', ref).segment(name));
    const error = await failureOf(() => task.prepare(token, manifestOf(ref, token, 2, [name])));
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(error.message).toMatch(/2-1-x .* not in Redis any more/);
    await direct.unlink(taskKeys('tidemark', ref).segment(segment(1, token)));
    const newer = store.task(ref);
    const next = await newer.acquireFence(0);
    await expect(newer.prepare(next, manifestOf(ref, next, 3, [segment(1, token)]))).rejects.toThrow(StateLostError);
    await expect(task.prepare(token, manifestOf(ref, token, 3, [name]))).rejects.toThrow(FencedError);
    expect(briefly(await task.manifests())).toEqual(['1-1']);
    await direct.quit();
  });

  it('gives up on a server that hangs, says so, and goes on when it answers again', async () => {
    const token = await task.acquireFence(0);
    const hasty = taskWithin('300ms');
    process.kill(server.pid, 'SIGSTOP');
    try {
      const began = performance.now();
      const error = await failureOf(() => commit(token, 1, hasty));
      expect(performance.now() - began).toBeLessThan(10_000);
      expect(error).toBeInstanceOf(StoreUnavailableError);
      expect(error.message).toMatch(/127\.0\.0\.1:\d+.* within 300 ms.*commandTimeout/);
    } finally {
      process.kill(server.pid, 'SIGCONT');
    }
    await untilCommitted(token, 2, hasty);
    expect(briefly(await task.manifests())).toEqual(['2-1']);
  });

  it('has its commands sent again when an answer was lost, and each of them takes effect once', async () => {
    const proxy = await CutProxy.to(server.port);
    const through = redisStore({ url: `redis://127.0.0.1:${proxy.port}`, commandTimeout: '20s' });
    const other = through.task(ref);
    const token = await other.acquireFence(0);
    const name = segment(1, token);
    proxy.loseNextReply();
    await other.putSegment(token, name, bytesOf(name));
    proxy.loseNextReply();
    await other.prepare(token, manifestOf(ref, token, 1, [name]));
    proxy.loseNextReply();
    await other.confirm(token, 1);
    await commit(token, 2, other);
    proxy.loseNextReply();
    await other.collect(token, [1]);
    expect(briefly(await other.manifests())).toEqual(['2-1']);
    expect(await other.getSegment(name)).toBeUndefined();
    proxy.loseNextReply();
    await other.clear(token);
    expect(await other.manifests()).toEqual([]);
    expect(proxy.connections).toBe(6);
    await through.close();
    await proxy.close();
  });

  it('gives up on a connection that says nothing any more, and goes on when words pass again', async () => {
    await using proxy = await CutProxy.to(server.port);
    const through = redisStore({ url: `redis://127.0.0.1:${proxy.port}`, commandTimeout: '300ms' });
    const other = through.task(ref);
    const token = await task.acquireFence(0);
    proxy.stall();
    for (const id of [1, 2]) {
      const error = await failureOf(() => commit(token, id, other));
      expect(error).toBeInstanceOf(StoreUnavailableError);
      expect(error.message).toMatch(/within 300 ms.*commandTimeout/);
    }
    proxy.flow();
    await untilCommitted(token, 3, other);
    expect(briefly(await task.manifests()).at(-1)).toBe('3-1');
    await through.close();
  });

  it('confirms what is asked for again after the answer was lost for good', async () => {
    const proxy = await CutProxy.to(server.port);
    const through = redisStore({ url: `redis://127.0.0.1:${proxy.port}`, commandTimeout: '1s' });
    const other = through.task(ref);
    const token = await other.acquireFence(0);
    await other.prepare(token, manifestOf(ref, token, 1));
    await task.confirm(token, 1); // what the server did while the answer was under way
    proxy.refuse();
    expect(await failureOf(() => other.confirm(token, 1))).toBeInstanceOf(StoreUnavailableError);
    proxy.accept();
    await other.confirm(token, 1);
    expect(briefly(await other.manifests())).toEqual(['1-1']);
    await through.close();
    await proxy.close();
  });

  it('decides, and gives back what nobody names, also when it is out of memory: so a job that has filled it is not stuck', async () => {
    const direct = new Redis(server.url);
    const token = await task.acquireFence(0);
    await commit(token, 1);
    const orphan = segment(2, token);
    await task.putSegment(token, orphan, new Uint8Array(4_000_000));
    await task.prepare(token, manifestOf(ref, token, 3));
    const used = Number(/used_memory:(\d+)/.exec(await direct.info('memory'))?.[1]);
    await direct.config('SET', 'maxmemory', String(used - 1_000_000));
    await task.confirm(token, 3);
    const next = await task.acquireFence(0);
    expect(next).toBe(token + 1);
    await task.collect(next, [1]);
    expect(await task.getSegment(orphan)).toBeUndefined();
    await commit(next, 4);
    expect(briefly(await task.manifests())).toEqual(['3-1', `4-${next}`]);
    // Whoever is not there yet does not begin.
    await direct.config('SET', 'maxmemory', '1mb');
    const another = store.task({ job: 'outage', task: 'another' });
    expect((await failureOf(() => another.acquireFence(0))).message).toMatch(/OOM.*maxmemory/);
    await task.clear(next);
    expect(await task.manifests()).toEqual([]);
    await direct.quit();
  });

  it('says that it is out of memory, and goes on when there is room', async () => {
    const direct = new Redis(server.url);
    const token = await task.acquireFence(0);
    await commit(token, 1);
    await direct.config('SET', 'maxmemory', '1mb');
    const error = await failureOf(() => commit(token, 2));
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(error.message).toMatch(/OOM.*maxmemory/);
    await direct.config('SET', 'maxmemory', '0');
    await commit(token, 3);
    expect(briefly(await task.manifests())).toEqual(['1-1', '3-1']);
    await direct.quit();
  });
});
