import { describe, expect, it } from 'vitest';
import { persistenceNotices } from '../../../connectors/redis/persistence.ts';
import { hasWaitAof, parseInfo, type ServerConfig } from '../../../connectors/redis/server-info.ts';

const info = (fields: Record<string, string | number>) =>
  parseInfo(
    'h:1',
    `# Server\r\n${Object.entries({ redis_version: '7.2.4', aof_enabled: 1, ...fields })
      .map(([name, value]) => `${name}:${value}`)
      .join('\r\n')}\r\n\r\n# Keyspace\r\ndb0:keys=1,expires=0\r\n`,
  );
const config = (appendFsync?: string, snapshotPoints = ''): ServerConfig => ({ appendFsync, snapshotPoints });
const told = (fields: Record<string, string | number>, settings: ServerConfig): string[] =>
  persistenceNotices(info(fields), settings).map(({ level, message }) => `${level} ${message}`);

describe('what the Redis store says of the persistence of its server', () => {
  it('is nothing where all is well', () => {
    expect(told({}, config('always'))).toEqual([]);
    expect(told({ redis_version: '6.2.1' }, config('always'))).toEqual([]);
    expect(told({ maxmemory: 0, maxmemory_policy: 'allkeys-lru' }, config('always'))).toEqual([]);
  });

  it.each<[Record<string, string | number>, ServerConfig, RegExp[]]>([
    [{}, config('everysec'), [/^info h:1|^info .*everysec.*up to a second/]],
    [
      { redis_version: '7.0.15' },
      config('everysec'),
      [/^warn .*7\.0\.15.*last second or two.*WAITAOF|^warn .*everysec.*7\.0\.15/],
    ],
    [{}, config('no'), [/^warn .*appendfsync is no/]],
    [{ aof_enabled: 0 }, config('always', ''), [/^warn .*memory only.*ALL STATE IS LOST/]],
    [{ aof_enabled: 0 }, config('always', '3600 1'), [/^warn .*since its last snapshot\./]],
    [{ aof_enabled: 0, connected_slaves: 2 }, config('always', ''), [/ALL STATE IS LOST.*replicas \(2\)/]],
    [
      { aof_enabled: 0 },
      { appendFsync: undefined, snapshotPoints: undefined },
      [/CONFIG GET is not allowed/, /if it takes any/],
    ],
    [{ aof_last_write_status: 'err' }, config('always'), [/^warn .*append-only file failed/]],
    [{ rdb_last_bgsave_status: 'err' }, config('always'), [/^warn .*snapshot \(RDB\) failed/]],
    [
      { maxmemory: 5, maxmemory_policy: 'allkeys-lfu' },
      config('always'),
      [/^warn .*allkeys-lfu.*DELETES STATE.*noeviction/],
    ],
    [{ maxmemory: 5, maxmemory_policy: 'volatile-lru' }, config('always'), []],
  ])('with %j and %j', (fields, settings, expected) => {
    const notices = told(fields, settings);
    expect(notices).toHaveLength(expected.length);
    for (const [i, each] of expected.entries()) expect(notices[i]).toMatch(each);
  });

  it('says so when nothing could be asked', () => {
    const nothing = { appendFsync: undefined, snapshotPoints: undefined };
    const notices = persistenceNotices(parseInfo('h:1', ''), nothing);
    expect(notices).toEqual([{ level: 'info', message: expect.stringMatching(/h:1: INFO is not allowed/) }]);
  });

  it.each([
    ['6.2.14', false],
    ['7.0.15', false],
    ['7.2.0', true],
    ['7.4.1', true],
    ['8.0.0', true],
    ['10.1.0', true],
  ])('knows that Redis %s has WAITAOF: %s', (version, expected) => {
    expect(hasWaitAof(info({ redis_version: version }))).toBe(expected);
    expect(hasWaitAof(parseInfo('h:1', ''))).toBe(false);
  });
});
