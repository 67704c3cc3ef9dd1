import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { redisStore } from '../../../connectors/redis/index.ts';
import { type RedisStoreOptions, redisStoreSettings } from '../../../connectors/redis/options.ts';
import { SettingsError } from '../../../lib/errors.ts';

const problemsOf = (options: unknown): readonly string[] => {
  try {
    redisStoreSettings(options as RedisStoreOptions);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
};

describe('the options of the Redis store', () => {
  it('have defaults for everything but the place', () => {
    expect(redisStoreSettings('redis://localhost')).toEqual({
      target: { kind: 'server', options: { host: 'localhost', port: 6379 } },
      location: 'redis://localhost:6379/0',
      prefix: 'tidemark',
      commandTimeoutMs: 10_000,
      connectTimeoutMs: 5_000,
      replicas: undefined,
    });
  });

  it.each([
    ['redis://h:7/3', { host: 'h', port: 7, db: 3 }, 'redis://h:7/3'],
    ['redis://:p%40ss@h', { host: 'h', port: 6379, password: 'p@ss' }, 'redis://h:6379/0'],
    ['rediss://u:p@h', { host: 'h', port: 6379, username: 'u', password: 'p', tls: {} }, 'rediss://h:6379/0'],
    ['redis://[::1]:7', { host: '::1', port: 7 }, 'redis://[::1]:7/0'],
  ])('read the URL %s', (url, options, location) => {
    expect(redisStoreSettings(url)).toMatchObject({ target: { kind: 'server', options }, location });
    expect(redisStoreSettings({ url })).toEqual(redisStoreSettings(url));
  });

  it('pass on what ioredis understands: TLS, ACL, Sentinels, a cluster', () => {
    const tls = { ca: 'certificate', servername: 'redis.example' };
    expect(
      redisStoreSettings({ url: 'rediss://h', options: { tls, username: 'u', password: 'secret', family: 6 } }),
    ).toMatchObject({
      target: { options: { host: 'h', tls, username: 'u', password: 'secret', family: 6 } },
    });
    const sentinels = [{ host: 'a' }, { host: 'b', port: 1 }];
    expect(redisStoreSettings({ sentinels, name: 'm', options: { sentinelPassword: 'secret', db: 2 } })).toMatchObject({
      target: {
        kind: 'server',
        options: {
          sentinels: [
            { host: 'a', port: 26379 },
            { host: 'b', port: 1 },
          ],
          name: 'm',
          sentinelPassword: 'secret',
          db: 2,
        },
      },
      location: 'redis-sentinel://a:26379,b:1/m/2',
    });
    const cluster = ['a', 'redis://b:7', '[::1]:8', { host: 'c', port: 9 }];
    expect(redisStoreSettings({ cluster, clusterOptions: { slotsRefreshTimeout: 5 }, options: { tls } })).toMatchObject(
      {
        target: {
          kind: 'cluster',
          nodes: [
            { host: 'a', port: 6379 },
            { host: 'b', port: 7 },
            { host: '::1', port: 8 },
            { host: 'c', port: 9 },
          ],
          options: { slotsRefreshTimeout: 5, redisOptions: { tls } },
        },
        location: 'redis-cluster://a:6379,b:7,[::1]:8,c:9',
      },
    );
    expect(redisStoreSettings({ options: { path: '/run/redis.sock' } }).location).toBe('redis:///run/redis.sock/0');
  });

  it('take durations with units', () => {
    const url = 'redis://h';
    expect(redisStoreSettings({ url, commandTimeout: '250ms', connectTimeout: 40, replicas: 2 })).toMatchObject({
      commandTimeoutMs: 250,
      connectTimeoutMs: 40,
      replicas: 2,
    });
  });

  it('name every problem at once', () => {
    const problems = problemsOf({
      sentinels: [],
      prefix: '{tag}',
      commandTimeout: 'soon',
      connectTimeout: 0,
      replicas: -1,
      timeout: 3,
      options: 'fast',
    });
    expect(problems).toHaveLength(7);
    for (const name of [
      'sentinels',
      'prefix',
      'commandTimeout',
      'connectTimeout',
      'replicas',
      '"timeout"',
      'options',
    ]) {
      expect(problems.filter(problem => problem.includes(name))).not.toEqual([]);
    }
  });

  it.each<[unknown, RegExp[]]>([
    [{}, [/nothing says where Redis is/]],
    [{ url: 'redis://h', cluster: ['h'] }, [/url and cluster says where/]],
    [{ url: 'redis://h', options: { host: 'i' } }, [/url and options\.host/]],
    ['http://h/x', [/"http:" was given/, /"x" was given as database/]],
    ['redis://h/0?family=6', [/"\?family" is not known/]],
    ['not a url', [/cannot be read as a URL/]],
    ['redis://u:5%@h', [/percent-encoded/]],
    ['redis://user/hunter2@h', [/percent-encoded/]],
    ['redis://u:1?hunter2@h', [/percent-encoded/]],
    [{ sentinels: [{ host: 'h' }] }, [/name: it is needed with sentinels/]],
    [{ url: 'redis://h', name: 'm', clusterOptions: {} }, [/name: it is used with sentinels only/, /clusterOptions/]],
    [{ cluster: ['h'], options: { db: 1 } }, [/a cluster has database 0 only/]],
    [{ cluster: ['h:99999x', { host: '', port: 0 }] }, [/cluster\.0/, /cluster\.1\.host/, /cluster\.1\.port/]],
    [{ url: 'redis://h', options: { keyPrefix: 'x', lazyConnect: true } }, [/keyPrefix.*use prefix/, /lazyConnect/]],
    [
      { cluster: ['h'], clusterOptions: { scaleReads: 'slave', redisOptions: {} } },
      [/scaleReads/, /redisOptions.*one level up/],
    ],
  ])('refuse %j', (options, expected) => {
    const problems = problemsOf(options);
    expect(problems).toHaveLength(expected.length);
    for (const [i, each] of expected.entries()) expect(problems[i]).toMatch(each);
  });

  it('keep credentials out of errors, locations and what is printed of a store', () => {
    for (const url of [
      'redis://user:hunter2@host:port',
      'redis://user:hunter2@host/0?x=1',
      'http://user:hunter2@host',
    ]) {
      expect(problemsOf(url).join(' ')).not.toContain('hunter2');
      expect(problemsOf({ url, bad: 1 }).join(' ')).not.toContain('hunter2');
    }
    for (const node of ['redis://:hunter2@h:1', 'user:hunter2@h:1', ':a"b\\"hunter2@h']) {
      expect(problemsOf({ cluster: [node] })).toHaveLength(1);
      expect(problemsOf({ cluster: [node] }).join(' ')).not.toContain('hunter2');
    }
    const store = redisStore({ url: 'redis://user:hunter2@host', options: { sentinelPassword: 'hunter2' } });
    expect(store.location).toBe('redis://host:6379/0');
    expect(`${inspect(store, { depth: 9, showHidden: true })}${JSON.stringify(store)}`).not.toContain('hunter2');
    expect(inspect(store.task({ job: 'j', task: '0' }), { depth: 9 })).not.toContain('hunter2');
  });
});
