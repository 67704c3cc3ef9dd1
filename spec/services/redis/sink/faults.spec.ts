import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RedisOutputError, RedisSinkError, redisSink } from '../../../../connectors/redis/index.ts';
import { FencedError, StateLostError } from '../../../../lib/errors.ts';
import { type RedisServer, startRedis } from '../../../../tools/services/redis.ts';
import { CutProxy } from '../cut-proxy.ts';
import { count, failureOf, SinkRun } from './sink-run.ts';

let server: RedisServer;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

describe('the Redis sink beside a zombie', () => {
  it('refuses a commit that arrives after a newer incarnation has gone on, and shows it once', async () => {
    await using run = new SinkRun(server.url);
    const proxy = await CutProxy.to(server.port);
    const key = `${run.name}:count`;
    const zombie = await run.open(`redis://127.0.0.1:${proxy.port}`, 1);
    zombie.write([count(key)]);
    const decided = await zombie.prepare(1);
    proxy.hold();
    const late = failureOf(zombie.commit(decided));
    const next = await run.open(server.url, 2, decided);
    expect(await run.client.get(key)).toBe('1');
    next.write([count(key, 10)]);
    await next.checkpoint(2);
    proxy.letGo();
    expect(await late).toBeInstanceOf(FencedError);
    expect(await run.client.get(key)).toBe('11');
    await proxy.close();
  });

  it('lets a commit that arrives before the newer incarnation count once', async () => {
    await using run = new SinkRun(server.url);
    const key = `${run.name}:count`;
    const zombie = await run.open(server.url, 1);
    zombie.write([count(key)]);
    const decided = await zombie.prepare(1);
    const both = [zombie.commit(decided).catch(() => {}), run.open(server.url, 2, decided)];
    await Promise.all(both);
    expect(await run.client.get(key)).toBe('1');
  });

  it('refuses staging, and removes what was staged for no checkpoint', async () => {
    await using run = new SinkRun(server.url);
    const zombie = await run.open(server.url, 1);
    zombie.write([count(`${run.name}:count`)]);
    await zombie.prepare(1);
    expect((await run.ownKeys()).filter(key => key.includes(':part:'))).toHaveLength(1);
    const next = await run.open(server.url, 2);
    expect((await run.ownKeys()).filter(key => key.includes(':part'))).toEqual([]);
    zombie.write([count(`${run.name}:count`)]);
    zombie.writer.abandon(1);
    expect(await failureOf(zombie.prepare(2))).toBeInstanceOf(FencedError);
    expect((await run.ownKeys()).filter(key => key.includes(':part'))).toEqual([]);
    await next.checkpoint(3);
    expect(await run.client.exists(`${run.name}:count`)).toBe(0);
  });
});

describe('the Redis sink when its server or the network fails', () => {
  it('carries out once what it was told twice, when the answer to the commit was lost', async () => {
    await using run = new SinkRun(server.url);
    const proxy = await CutProxy.to(server.port);
    const key = `${run.name}:count`;
    const probe = await run.open(`redis://127.0.0.1:${proxy.port}`, 1);
    probe.write([count(key)]);
    const decided = await probe.prepare(1);
    proxy.loseNextReply();
    await probe.commit(decided);
    expect(proxy.connections).toBeGreaterThan(1);
    expect(await run.client.get(key)).toBe('1');
    await proxy.close();
  });

  it('is told apart from one that is gone for good: the commit fails as retriable, and succeeds later', async () => {
    const own = await startRedis();
    await using run = new SinkRun(own.url);
    const key = `${run.name}:count`;
    const probe = await run.open(own.url, 1);
    probe.write([count(key)]);
    await probe.checkpoint(1);
    probe.write([count(key)]);
    const decided = await probe.prepare(2);
    await own.kill();
    const failure = await failureOf(probe.commit(decided));
    expect(failure).toBeInstanceOf(RedisSinkError);
    expect(failure.retriable).toBe(true);
    expect(failure.message).toContain(`127.0.0.1:${own.port}`);
    const again = await startRedis({ dir: own.dir, port: own.port });
    await probe.commit(decided);
    // What was staged while it was away is sent again.
    probe.write([count(key)]);
    await probe.checkpoint(3);
    expect(await run.client.get(key)).toBe('3');
    await probe.close();
    await again.stop();
    await own.stop();
  });

  it('shows what was decided after both the server and the process were killed', async () => {
    const own = await startRedis();
    await using run = new SinkRun(own.url);
    const key = `${run.name}:count`;
    const first = await run.open(own.url, 1);
    first.write([count(key, 5)]);
    const decided = await first.prepare(1);
    await own.kill();
    const again = await startRedis({ dir: own.dir, port: own.port });
    const second = await run.open(own.url, 2, decided);
    expect(await run.client.get(key)).toBe('5');
    await second.close();
    await first.close();
    await again.stop();
    await own.stop();
  });

  it('has a task restart when staged output was lost before its checkpoint was decided: it is written anew', async () => {
    await using run = new SinkRun(server.url);
    const key = `${run.name}:count`;
    const probe = await run.open(server.url, 1);
    probe.write([count(key)]);
    const first = await probe.checkpoint(1);
    probe.write([count(key)]);
    await probe.untilReleased();
    // As by a failover to a replica that did not have it yet.
    for (const part of (await run.ownKeys()).filter(own => own.includes(':part:'))) await run.client.del(part);
    const failure = await failureOf(probe.prepare(2));
    expect(failure).toBeInstanceOf(RedisSinkError);
    expect(failure.retriable).toBe(true);
    expect(failure.message).toMatch(/has lost output that was staged.*no committed checkpoint is concerned/);
    const next = await run.open(server.url, 2, first);
    next.write([count(key)]);
    await next.checkpoint(3);
    expect(await run.client.get(key)).toBe('2');
    // Once it is decided it is needed.
    next.write([count(key)]);
    const decided = await next.prepare(4);
    for (const part of (await run.ownKeys()).filter(own => own.includes(':part:'))) await run.client.del(part);
    expect(await failureOf(next.commit(decided))).toBeInstanceOf(StateLostError);
  });

  it('shows what was decided also when its server is out of memory, which gives back what was staged', async () => {
    const own = await startRedis();
    await using run = new SinkRun(own.url);
    const list = `${run.name}:list`;
    const value = 'x'.repeat(50_000);
    const push = { command: 'listPush', key: list, end: 'right', values: [value] } as const;
    const probe = await run.open(own.url, 1);
    for (let i = 0; i < 40; i++) probe.write([push]);
    const decided = await probe.prepare(1);
    const used = Number(/used_memory:(\d+)/.exec(await run.client.info('memory'))?.[1]);
    await run.client.config('SET', 'maxmemory', String(used - 500_000));
    await probe.commit(decided);
    probe.write([count(`${run.name}:count`)]);
    expect((await failureOf(probe.prepare(2))).message).toMatch(/OOM/);
    const next = await run.open(own.url, 2, decided);
    expect(await run.client.llen(list)).toBe(40);
    await next.close();
    await probe.close();
    await own.stop();
  });

  it('notices a server that came back without its data, and one that is another', async () => {
    const own = await startRedis();
    const other = await startRedis();
    await using run = new SinkRun(own.url);
    const key = `${run.name}:count`;
    const probe = await run.open(own.url, 1);
    probe.write([count(key)]);
    const first = await probe.checkpoint(1);
    const lost = await failureOf(run.open(other.url, 2, first));
    expect(lost).toBeInstanceOf(StateLostError);
    expect(lost.message).toMatch(/the output is that of checkpoint none.*existing: "keep"/);
    await run.open(other.url, 2, first, { existing: 'keep' });
    probe.write([count(key)]);
    const decided = await probe.prepare(2);
    await run.client.flushall();
    expect(await failureOf(probe.commit(decided))).toBeInstanceOf(StateLostError);
    await own.stop();
    await other.stop();
  });

  it('says that it cannot be reached, and where', async () => {
    const gone = await startRedis();
    await gone.stop();
    const sink = redisSink({ name: 'gone', redis: { url: gone.url, commandTimeout: '500ms' }, write: () => undefined });
    const failure = await failureOf(Promise.resolve(sink.check?.()));
    expect(failure).toBeInstanceOf(RedisSinkError);
    expect(failure.message).toContain(`127.0.0.1:${gone.port}`);
  });
});

describe('the Redis sink before output that it does not expect', () => {
  it('does not start afresh over what an earlier run wrote, unless it is told to go on from it', async () => {
    await using run = new SinkRun(server.url);
    const key = `${run.name}:count`;
    const first = await run.open(server.url, 1);
    first.write([count(key)]);
    await first.checkpoint(7);
    const refused = await failureOf(run.open(server.url, 2));
    expect(refused).toBeInstanceOf(RedisOutputError);
    expect(refused.message).toMatch(/output of checkpoint 7, which the job does not know of.*existing: "keep"/);
    const fresh = await run.open(server.url, 3, undefined, { existing: 'keep' });
    fresh.write([count(key, 10)]);
    const second = await fresh.checkpoint(1);
    expect(await run.client.get(key)).toBe('11');
    await run.open(server.url, 4, second);
  });

  it('does not start from a checkpoint that is older than the output', async () => {
    await using run = new SinkRun(server.url);
    const key = `${run.name}:count`;
    const probe = await run.open(server.url, 1);
    probe.write([count(key)]);
    const older = await probe.checkpoint(1);
    probe.write([count(key)]);
    await probe.checkpoint(2);
    expect((await failureOf(run.open(server.url, 2, older))).message).toContain('output of checkpoint 2');
  });

  it('does not take another store of the same job for its own', async () => {
    await using run = new SinkRun(server.url);
    await run.open(server.url, 5);
    const failure = await failureOf(run.open(server.url, 5));
    expect(failure).toBeInstanceOf(RedisOutputError);
    expect(failure.message).toMatch(/held under the fence token 5, and this incarnation has only 5/);
    expect((await failureOf(run.open(server.url, 1))).message).toMatch(/delete the key ".*:state"/);
  });
});
