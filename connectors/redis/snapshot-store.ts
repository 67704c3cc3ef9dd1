import type { Redis } from 'ioredis';
import type { SnapshotStore, StoreNotice, TaskRef } from '../../lib/index.ts';
import { Connection } from './connection.ts';
import { infoOf } from './durability.ts';
import { probeKey, taskKeys, tasksKey } from './keys.ts';
import { type RedisStoreOptions, redisStoreSettings } from './options.ts';
import { persistenceNotices } from './persistence.ts';
import { serverCalls } from './server-calls.ts';
import type { ServerConfig } from './server-info.ts';
import { RedisTask } from './task-store.ts';

/**
 * A snapshot store in Redis, from 6.2 on: one server, one behind Sentinels, or a cluster. It connects when it is first used.
 * Throws a `SettingsError` that names every problem of the options.
 */
export function redisStore(urlOrOptions: string | RedisStoreOptions): SnapshotStore {
  const connection = new Connection(redisStoreSettings(urlOrOptions));
  const { location } = connection.settings;
  return {
    kind: 'redis',
    location,
    check: () => check(connection),
    task: ref => new RedisTask(connection, ref),
    tasks: () => tasksIn(connection),
    close: () => connection.close(),
  };
}

async function tasksIn(connection: Connection): Promise<TaskRef[]> {
  const { prefix } = connection.settings;
  return connection.run('list the tasks', async client => {
    const members = await client.smembers(tasksKey(prefix));
    const refs = members.map(member => JSON.parse(member) as [string, string]).map(([job, task]) => ({ job, task }));
    const fences = await Promise.all(refs.map(ref => client.get(taskKeys(prefix, ref).fence)));
    return refs.filter((_, i) => fences[i] !== null);
  });
}

async function check(connection: Connection): Promise<readonly StoreNotice[]> {
  await connection.script('write', 'probe', [probeKey(connection.settings.prefix)]);
  return connection.run('inspect the server', async () => {
    const notices = await Promise.all(
      connection.masters().map(async node => persistenceNotices(await infoOf(serverCalls(node)), await configOf(node))),
    );
    return notices.flat();
  });
}

/** What CONFIG GET says; nothing where it is not allowed, as on most hosted servers. */
async function configOf(node: Redis): Promise<ServerConfig> {
  const get = async (name: string) => {
    try {
      return ((await node.config('GET', name)) as string[])[1];
    } catch (error) {
      if (/NOPERM|unknown command|unknown subcommand|not allowed/i.test(String(error))) return undefined;
      throw error;
    }
  };
  return { appendFsync: await get('appendfsync'), snapshotPoints: await get('save') };
}
