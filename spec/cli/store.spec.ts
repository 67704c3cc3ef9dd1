import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { storeOf } from '../../cli/store.ts';
import { SettingsError } from '../../lib/errors.ts';

describe('the store that a text names', () => {
  it.each([
    ['./state', 'file', resolve('state')],
    ['state', 'file', resolve('state')],
    ['/var/lib/tide mark', 'file', '/var/lib/tide mark'],
    ['file:state', 'file', resolve('state')],
    [pathToFileURL('/var/lib/tide mark').href, 'file', '/var/lib/tide mark'],
    ['a:b', 'file', resolve('a:b')],
    ['memory:', 'memory', 'memory:'],
    ['redis://:secret@localhost:7/1', 'redis', 'redis://localhost:7/1'],
    ['rediss://localhost', 'redis', 'rediss://localhost:6379/0'],
    ['REDIS://localhost', 'redis', 'redis://localhost:6379/0'],
  ])('%s', async (where, kind, location) => {
    const store = await storeOf(where);
    expect([store.kind, store.location]).toEqual([kind, location]);
    await store.close();
  });

  it.each(['postgres://localhost/state', 'http://localhost', 's3://bucket', '', ' ', 'file:'])(
    'refuses "%s"',
    async where => {
      await expect(storeOf(where)).rejects.toThrow(SettingsError);
      await expect(storeOf(where)).rejects.toThrow(/a folder, "redis:/);
    },
  );

  it('names what is wrong with a Redis URL', async () => {
    await expect(storeOf('redis://localhost/x')).rejects.toThrow(/"x" was given as database/);
  });
});
