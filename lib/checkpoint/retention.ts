import type { StoredManifest } from './snapshot-store.ts';

/**
 * The ids of the manifests that may go, lowest first.
 *
 * Kept are the newest `retained` committed checkpoints and every committed savepoint (which does not count). Nothing goes
 * from the newest committed manifest on: what is only prepared there may yet turn out to be committed. What is prepared
 * below it never was, and goes too, unless a newer incarnation than that of the newest committed one wrote it.
 */
export function expiredManifests(stored: readonly StoredManifest[], retained: number): number[] {
  const newest = stored
    .filter(({ confirmed }) => confirmed)
    .reduce<StoredManifest | undefined>((best, next) => (best && idOf(best) >= idOf(next) ? best : next), undefined);
  if (!newest) return [];
  const checkpointIds = stored
    .filter(({ confirmed, manifest }) => confirmed && manifest.kind === 'checkpoint')
    .map(idOf)
    .sort((a, b) => b - a);
  const kept = new Set(checkpointIds.slice(0, retained));
  const mayGo = ({ manifest, confirmed }: StoredManifest): boolean => {
    if (manifest.id >= newest.manifest.id) return false;
    if (confirmed) return manifest.kind === 'checkpoint' && !kept.has(manifest.id);
    return manifest.token <= newest.manifest.token;
  };
  // Two incarnations can have prepared the same id; it names both, so it goes only when both may.
  const staying = new Set(stored.filter(manifest => !mayGo(manifest)).map(idOf));
  const ids = new Set(stored.map(idOf).filter(id => !staying.has(id)));
  return [...ids].sort((a, b) => a - b);
}

const idOf = ({ manifest }: StoredManifest): number => manifest.id;
