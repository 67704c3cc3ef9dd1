import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startRedis } from '../../tools/services/redis.ts';

export const storeNames = ['files', 'Redis'] as const;
export type StoreName = (typeof storeNames)[number];

/** Runs `work` with the address of an empty store of its own: a folder, or the URL of a Redis that syncs every write to disk. */
export async function withStore<T>(name: StoreName, work: (target: string) => Promise<T>): Promise<T> {
  if (name === 'Redis') {
    await using redis = await startRedis();
    return await work(redis.url);
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'tidemark-bench-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
