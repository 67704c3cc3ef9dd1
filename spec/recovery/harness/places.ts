import path from 'node:path';
import { afterEach } from 'vitest';
import { type RedisServer, startRedis } from '../../../tools/services/redis.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** Where a job keeps its state, and a folder for everything else; there until the end of the test. */
export interface Place {
  readonly folder: string;
  /** As `--store` takes it. */
  readonly store: string;
  readonly redis?: RedisServer;
}

const servers: RedisServer[] = [];

/** The kinds of store that outlive a process, each with a way to a new place. */
export const kinds = ['file', 'redis'] as const;
export type Kind = (typeof kinds)[number];

export async function placeFor(kind: Kind): Promise<Place> {
  const folder = temporaryFolder();
  if (kind === 'file') return { folder, store: path.join(folder, 'state') };
  const redis = await startRedis({ dir: path.join(folder, 'redis') });
  servers.push(redis);
  return { folder, store: redis.url, redis };
}

/** A server that a spec has started by itself, such as one that comes back; ended with the others. */
export function ended(redis: RedisServer): RedisServer {
  servers.push(redis);
  return redis;
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map(redis => redis.stop()));
});
