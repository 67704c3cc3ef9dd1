import type { StoredManifest } from './snapshot-store.ts';
import { manifestName } from './store-rules.ts';

/** What people have said about checkpoints, by `<id>-<token>`. */
export interface RetentionMarks {
  /** Kept as savepoints, though taken as checkpoints. */
  readonly kept: { has(name: string): boolean };
  /** Savepoints that are no longer wanted: they expire as checkpoints do. */
  readonly released: { has(name: string): boolean };
}

const none: RetentionMarks = { kept: new Set(), released: new Set() };
/** Under which everything expires that may ever do so. */
export const mostExpired: RetentionMarks = { kept: new Set(), released: { has: () => true } };

/**
 * The ids of the manifests that may go, lowest first.
 *
 * Kept are the newest `retained` committed checkpoints and every committed savepoint (which does not count). Nothing goes
 * from the newest committed manifest on: what is only prepared there may yet turn out to be committed. What is prepared
 * below it never was, and goes too, unless a newer incarnation than that of the newest committed one wrote it.
 */
export function expiredManifests(
  stored: readonly StoredManifest[],
  retained: number,
  { kept: marked, released }: RetentionMarks = none,
): number[] {
  const newest = stored
    .filter(({ confirmed }) => confirmed)
    .reduce<StoredManifest | undefined>((best, next) => (best && idOf(best) >= idOf(next) ? best : next), undefined);
  if (!newest) return [];
  const isSavepoint = ({ manifest }: StoredManifest): boolean => {
    const name = manifestName(manifest);
    return manifest.kind === 'savepoint' ? !released.has(name) : marked.has(name);
  };
  const checkpointIds = stored
    .filter(manifest => manifest.confirmed && !isSavepoint(manifest))
    .map(idOf)
    .sort((a, b) => b - a);
  const kept = new Set(checkpointIds.slice(0, retained));
  const mayGo = (of: StoredManifest): boolean => {
    if (of.manifest.id >= newest.manifest.id) return false;
    if (of.confirmed) return !isSavepoint(of) && !kept.has(of.manifest.id);
    return of.manifest.token <= newest.manifest.token;
  };
  // Two incarnations can have prepared the same id; it names both, so it goes only when both may.
  const staying = new Set(stored.filter(manifest => !mayGo(manifest)).map(idOf));
  const ids = new Set(stored.map(idOf).filter(id => !staying.has(id)));
  return [...ids].sort((a, b) => a - b);
}

const idOf = ({ manifest }: StoredManifest): number => manifest.id;
