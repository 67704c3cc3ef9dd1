import { afterEach, describe, expect, it, vi } from 'vitest';
import { type RedisSinkOptions, redisSink } from '../../../../connectors/redis/index.ts';
import { hashTagOf } from '../../../../connectors/redis/sink/hash-tag.ts';
import { sinkSettings } from '../../../../connectors/redis/sink/options.ts';
import { RecordCommands } from '../../../../connectors/redis/sink/record-commands.ts';
import { Requirements } from '../../../../connectors/redis/sink/requirements.ts';
import { SettingsError, UserCodeError } from '../../../../lib/errors.ts';

const write = () => undefined;
const minimal = { name: 'totals', redis: 'redis://h', write };
const problemsOf = (options: unknown): readonly string[] => {
  try {
    redisSink(options as RedisSinkOptions<unknown>);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
};

afterEach(() => vi.unstubAllEnvs());

describe('the options of the Redis sink', () => {
  it('have defaults for everything but name, place and write', () => {
    expect(sinkSettings(minimal)).toMatchObject({
      guarantee: 'exactly-once',
      maxCommands: 10_000,
      existing: 'refuse',
      redis: { location: 'redis://h:6379/0', prefix: 'tidemark' },
    });
  });

  it('take the place from REDIS_URL when they say none', () => {
    vi.stubEnv('REDIS_URL', 'redis://from-env:7');
    expect(sinkSettings({ name: 'totals', write }).redis.location).toBe('redis://from-env:7/0');
    vi.stubEnv('REDIS_URL', undefined);
    expect(problemsOf({ name: 'totals', write })).toEqual([expect.stringContaining('REDIS_URL is not set')]);
  });

  it('are refused all at once, by name', () => {
    const problems = problemsOf({
      name: '',
      redis: 'redis://h',
      guarantee: 'twice',
      maxCommands: 0,
      hashTag: '{a}',
      on: 1,
    });
    expect(problems.join('\n')).toMatch(/name[\s\S]*write[\s\S]*guarantee[\s\S]*hashTag[\s\S]*maxCommands/);
    expect(problems.join('\n')).toContain('"on" is not a setting here');
  });

  it('need a hash tag on a cluster, for an exactly-once sink', () => {
    const onCluster = { ...minimal, redis: { cluster: ['h:1'] } };
    expect(problemsOf(onCluster)).toEqual([expect.stringMatching(/hashTag: nothing was given; on a cluster/)]);
    expect(problemsOf({ ...onCluster, hashTag: 't' })).toEqual([]);
    expect(problemsOf({ ...onCluster, guarantee: 'at-least-once' })).toEqual([]);
  });

  it('say nothing of a password in a place that is wrong', () => {
    const problems = problemsOf({ ...minimal, redis: 'http://user:hunter2@h' });
    expect(problems).not.toEqual([]);
    expect(problems.join('\n')).not.toContain('hunter2');
  });
});

describe('keys of the Redis sink', () => {
  it.each([
    ['{a}:b', 'a'],
    ['x{a}{b}', 'a'],
    ['{}a', '{}a'],
    ['a}b{c}', 'c'],
    ['plain', 'plain'],
    ['{open', '{open'],
  ])('%s is placed by %s', (key, tag) => {
    expect(hashTagOf(key)).toBe(tag);
  });

  const commandsOf = (options: Partial<RedisSinkOptions<string>>, value = 'v') =>
    new RecordCommands(sinkSettings({ ...minimal, ...options })).of(value, 5, 'k', new Requirements());

  it('must have the hash tag of the sink, where it has one', () => {
    const set = (key: string) => ({ hashTag: 't', write: () => ({ command: 'set' as const, key, value: 1 }) });
    expect(() => commandsOf(set('total'))).toThrow(UserCodeError);
    expect(() => commandsOf(set('total'))).toThrow('make it with context.tagged("total")');
    expect(commandsOf(set('{t}:total'))).toEqual([['SET', '{t}:total', '1']]);
  });

  it('are made from names, timestamps and keys that the context tells', () => {
    const write: RedisSinkOptions<string>['write'] = (value, { key, timestamp, tagged }) => [
      { command: 'set', key: tagged(`of-${String(key)}`), value: `${value}@${timestamp}` },
    ];
    expect(commandsOf({ hashTag: 't', write })).toEqual([['SET', '{t}:of-k', 'v@5']]);
    expect(commandsOf({ write })).toEqual([['SET', 'of-k', 'v@5']]);
  });

  it('are none for a record that becomes nothing', () => {
    expect(commandsOf({ write: () => undefined })).toEqual([]);
    expect(commandsOf({ write: () => [] })).toEqual([]);
  });
});
