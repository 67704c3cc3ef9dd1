import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RedisCommand, RedisOutputError } from '../../../../connectors/redis/index.ts';
import { type RedisServer, startRedis } from '../../../../tools/services/redis.ts';
import { count, failureOf, SinkRun } from './sink-run.ts';

let server: RedisServer;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

describe('the Redis sink', () => {
  it.each<['exactly-once' | 'at-least-once']>([['exactly-once'], ['at-least-once']])(
    'writes every kind of value (%s)',
    async guarantee => {
      await using run = new SinkRun(server.url);
      const { client } = run;
      const key = (kind: string) => `${run.name}:${kind}`;
      const probe = await run.open(server.url, 1, undefined, { guarantee });
      const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
      await client.set(key('old'), 1);
      probe.write(
        [{ command: 'set', key: key('string'), value: 'späť\r\n"$' }],
        [{ command: 'set', key: key('bytes'), value: bytes }],
        [{ command: 'set', key: key('brief'), value: 1, ttl: '1h' }],
        [{ command: 'delete', key: key('old') }],
        [count(key('number'), -3)],
        [{ command: 'hashSet', key: key('hash'), fields: { a: 1, b: 2n ** 60n } }],
        [{ command: 'hashIncrement', key: key('hash'), field: 'a', by: 41 }],
        [1, 2, 3].map(n => ({ command: 'streamAdd', key: key('stream'), fields: { n }, maxLength: 2 })),
        [
          { command: 'listPush', key: key('list'), values: ['a', 'b'] },
          { command: 'listPush', key: key('list'), values: ['c'], end: 'left' },
        ],
        [
          { command: 'sortedSetAdd', key: key('ranks'), member: 'm', score: 1.5 },
          { command: 'sortedSetIncrement', key: key('ranks'), member: 'm', by: 0.25 },
        ],
        [],
      );
      await probe.checkpoint(1);
      expect(await client.get(key('string'))).toBe('späť\r\n"$');
      expect(await client.getBuffer(key('bytes'))).toEqual(Buffer.from(bytes));
      expect(await client.pttl(key('brief'))).toBeGreaterThan(3_500_000);
      expect(await client.exists(key('old'))).toBe(0);
      expect(await client.get(key('number'))).toBe('-3');
      expect(await client.hgetall(key('hash'))).toEqual({ a: '42', b: `${2n ** 60n}` });
      expect((await client.xrange(key('stream'), '-', '+')).map(([, fields]) => fields)).toEqual([
        ['n', '2'],
        ['n', '3'],
      ]);
      expect(await client.lrange(key('list'), 0, -1)).toEqual(['c', 'a', 'b']);
      expect(await client.zscore(key('ranks'), 'm')).toBe('1.75');
      expect(probe.held).toBe(0);
    },
  );

  it('shows nobody a part of a checkpoint, however much is in it, and keeps nothing of it afterwards', async () => {
    await using run = new SinkRun(server.url);
    const keys = Array.from({ length: 50 }, (_, i) => `${run.name}:${i}`);
    const probe = await run.open(server.url, 1);
    const looks: (string | null)[][] = [];
    let isOver = false;
    const reading = (async () => {
      while (!isOver) looks.push(await run.client.mget(keys));
    })();
    for (let id = 1; id <= 3; id++) {
      for (let round = 0; round < 200; round++) probe.write(keys.map(key => count(key)));
      await probe.checkpoint(id);
    }
    isOver = true;
    await reading;
    const seen = new Set(looks.map(look => [...new Set(look)].join()));
    expect([...seen].filter(one => !['', '200', '400', '600'].includes(one))).toEqual([]);
    expect(await run.client.mget(keys)).toEqual(keys.map(() => '600'));
    expect(await run.ownKeys()).toEqual([expect.stringMatching(/:state$/)]);
  });

  it('lets the handle in the manifest stay small', async () => {
    await using run = new SinkRun(server.url);
    const probe = await run.open(server.url, 1);
    for (let i = 0; i < 20_000; i++) probe.write([count(`${run.name}:${i % 3_000}`)]);
    const { handle } = await probe.prepare(1);
    expect(JSON.stringify(handle).length).toBeLessThan(200);
  });

  it('gives credits back once records are staged, and past maxCommands only when they are committed', async () => {
    await using run = new SinkRun(server.url);
    const probe = await run.open(server.url, 1, undefined, { maxCommands: 1_000 });
    const key = `${run.name}:count`;
    for (let i = 0; i < 1_000; i++) probe.write([count(key)]);
    await probe.untilReleased();
    for (let i = 0; i < 512; i++) probe.write([count(key)]);
    const prepared = await probe.prepare(1);
    expect(probe.held).toBe(512);
    await probe.commit(prepared);
    expect(probe.held).toBe(0);
    expect(await run.client.get(key)).toBe('1512');
  });
});

describe('the Redis sink before a key that holds something else', () => {
  const wrong: [string, (key: string) => RedisCommand, RegExp][] = [
    [
      'a list, for a hash',
      key => ({ command: 'hashIncrement', key, field: 'f' }),
      /it holds a list, and the sink writes a hash/,
    ],
    ['a list, for a counter', key => count(key), /it holds a list, and the sink writes a string/],
  ];

  it.each(wrong)('says so at the flush, by name, and writes nothing: %s', async (_, command, message) => {
    await using run = new SinkRun(server.url);
    const [key, other] = [`${run.name}:taken`, `${run.name}:other`];
    await run.client.rpush(key, 'x');
    const probe = await run.open(server.url, 1);
    probe.write([count(other)], [command(key)]);
    const failure = await failureOf(probe.prepare(1));
    expect(failure).toBeInstanceOf(RedisOutputError);
    expect(failure.retriable).toBe(false);
    expect(failure.message).toContain(`"${key}"`);
    expect(failure.message).toMatch(message);
    expect(await run.client.exists(other)).toBe(0);
  });

  it('says so of a text that is to be counted, in a key and in a field', async () => {
    await using run = new SinkRun(server.url);
    const key = `${run.name}:taken`;
    await run.client.set(key, 'many');
    const probe = await run.open(server.url, 1);
    probe.write([count(key)]);
    expect((await failureOf(probe.prepare(1))).message).toContain(`cannot increment the key "${key}"`);
    await run.client.del(key);
    await run.client.hset(key, 'f', '1.5');
    const second = await run.open(server.url, 2);
    second.write([{ command: 'hashIncrement', key, field: 'f', by: 1 }]);
    expect((await failureOf(second.prepare(2))).message).toContain(`cannot increment field "f" of the key "${key}"`);
    await run.client.hset(key, 'f', `${2n ** 63n - 2n}`);
    expect((await failureOf(second.writer.flush(2) as Promise<unknown>)).message).toContain('would leave the range');
  });

  it('writes nothing of a decided checkpoint while the key is in its way, and all of it afterwards', async () => {
    await using run = new SinkRun(server.url);
    const [key, other] = [`${run.name}:taken`, `${run.name}:other`];
    const probe = await run.open(server.url, 1);
    probe.write([count(other)], [count(key)]);
    const decided = await probe.prepare(1);
    // Somebody else is quicker.
    await run.client.rpush(key, 'x');
    const failure = await failureOf(probe.commit(decided));
    expect(failure).toBeInstanceOf(RedisOutputError);
    expect(failure.message).toMatch(/Nothing of the checkpoint was written.*nothing is lost/);
    expect(await run.client.exists(other)).toBe(0);
    expect(await failureOf(run.open(server.url, 2, decided))).toBeInstanceOf(RedisOutputError);
    await run.client.del(key);
    await run.open(server.url, 3, decided);
    expect(await run.client.mget(other, key)).toEqual(['1', '1']);
  });

  it('may replace a key of any type, and delete it', async () => {
    await using run = new SinkRun(server.url);
    const key = `${run.name}:taken`;
    await run.client.rpush(key, 'x');
    const probe = await run.open(server.url, 1);
    probe.write([{ command: 'delete', key }, count(key, 2), count(key, 3)]);
    await probe.checkpoint(1);
    expect(await run.client.get(key)).toBe('5');
  });

  it('goes on behind a command that the server refused all the same, once it is allowed', async () => {
    await using run = new SinkRun(server.url);
    const [first, stream, last] = ['first', 'stream', 'last'].map(name => `${run.name}:${name}`) as [
      string,
      string,
      string,
    ];
    // A stream at the end of its ids takes no more: nothing that types would show.
    await run.client.xadd(stream, '18446744073709551615-18446744073709551615', 'a', '1');
    const probe = await run.open(server.url, 1);
    probe.write([count(first), { command: 'streamAdd', key: stream, fields: { b: 2 } }, count(last)]);
    const decided = await probe.prepare(1);
    const failure = await failureOf(probe.commit(decided));
    expect(failure.message).toMatch(/XADD of the key ".*:stream" failed.*it goes on from there/);
    expect((await failureOf(probe.commit(decided))).message).toBe(failure.message);
    await run.client.del(stream);
    const next = await run.open(server.url, 2, decided);
    expect(await run.client.mget(first, last)).toEqual(['1', '1']);
    expect(await run.client.xlen(stream)).toBe(1);
    next.write([count(first)]);
    await next.checkpoint(2);
    expect(await run.client.get(first)).toBe('2');
  });
});

describe('the Redis sink under a user with few rights', () => {
  const rights = [
    ...'+eval +evalsha +get +set +append +exists +unlink +del +wait +hget +hset +hdel +hexists +hkeys +hvals'.split(
      ' ',
    ),
    ...'+hgetall +sadd +srem +smembers +hello +info +config|get +hmget +hlen +type +incrby'.split(' '),
  ];

  it('says what is missing before anything is decided, and writes nothing', async () => {
    await using run = new SinkRun(server.url);
    const { client, name } = run;
    await client.call('ACL', 'SETUSER', name, 'on', '>pw', '~tidemark:*', `~${name}:*`, ...rights);
    const url = `redis://${name}:pw@127.0.0.1:${server.port}`;
    const first = await run.open(url, 1);
    first.write([count(`${name}:a`), { command: 'streamAdd', key: `${name}:s`, fields: { a: 1 } }]);
    const denied = await failureOf(first.prepare(1));
    expect(denied).toMatchObject({ code: 'REDIS_SINK_REFUSED', retriable: false });
    expect(denied.message).toContain(`may not run XADD, or not on the key "${name}:s"`);
    const second = await run.open(url, 2);
    second.write([count(`${name}:a`), count('elsewhere')]);
    expect(await failureOf(second.prepare(2))).toMatchObject({ code: 'REDIS_SINK_REFUSED' });
    await client.call('ACL', 'SETUSER', name, '+xadd');
    await first.close();
    expect(await client.exists(`${name}:a`)).toBe(0);
    await client.call('ACL', 'DELUSER', name);
  });
});
