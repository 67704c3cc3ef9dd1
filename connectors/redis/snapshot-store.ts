import type { SnapshotStore, StoreNotice, TaskRef } from '../../lib/index.ts';
import { Connection } from './connection.ts';
import { probeKey, taskKeys, tasksKey } from './keys.ts';
import { type RedisStoreOptions, redisStoreSettings } from './options.ts';
import { scripts } from './scripts/index.ts';
import { serverNotices } from './server-notices.ts';
import { RedisTask } from './task-store.ts';

/**
 * A snapshot store in Redis, from 6.2 on: one server, one behind Sentinels, or a cluster. It connects when it is first used.
 * Throws a `SettingsError` that names every problem of the options.
 */
export function redisStore(urlOrOptions: string | RedisStoreOptions): SnapshotStore {
  const connection = new Connection(redisStoreSettings(urlOrOptions), { user: 'store', scripts });
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
  return serverNotices(connection);
}
