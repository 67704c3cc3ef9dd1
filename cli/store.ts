import { fileURLToPath } from 'node:url';
import { fileStore, memoryStore, SettingsError, type SnapshotStore } from '../lib/index.ts';

/**
 * The snapshot store that a text names: `redis://…` or `rediss://…`, `memory:`, `file:<folder>`, or just a folder. Opens
 * nothing; throws a `SettingsError` for anything else. What Redis needs is loaded only when it is asked for.
 */
export async function storeOf(where: string): Promise<SnapshotStore> {
  // One letter is the drive of a Windows path.
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(where)?.[1]?.toLowerCase();
  switch (scheme) {
    case 'redis':
    case 'rediss': {
      const { redisStore } = await import('../connectors/redis/index.ts');
      return redisStore(where);
    }
    case 'memory':
      return memoryStore();
    case 'file':
      return fileStore(where.startsWith('file://') ? fileURLToPath(where) : folder(where.slice('file:'.length)));
    case undefined:
      return fileStore(folder(where));
    default:
      throw wrong(`"${scheme}:" is not known`);
  }
}

function folder(path: string): string {
  if (path.trim() === '') throw wrong('nothing was given');
  return path;
}

const wrong = (what: string) =>
  new SettingsError('The store cannot be opened', [
    `store: ${what}; accepted is a folder, "redis://…", "rediss://…" or "memory:"`,
  ]);
