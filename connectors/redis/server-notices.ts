import type { Redis } from 'ioredis';
import type { StoreNotice } from '../../lib/index.ts';
import type { Connection } from './connection.ts';
import { infoOf } from './durability.ts';
import { persistenceNotices } from './persistence.ts';
import { serverCalls } from './server-calls.ts';
import type { ServerConfig } from './server-info.ts';

/** What may be lost on the servers of this connection. */
export async function serverNotices(connection: Connection): Promise<readonly StoreNotice[]> {
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
