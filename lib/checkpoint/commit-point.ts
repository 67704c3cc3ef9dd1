import { andThen, type MaybePromise } from '../maybe-promise.ts';
import type { Manifest } from './manifest.ts';
import type { StoredManifest, TaskStore } from './snapshot-store.ts';

/** What a start finds. */
export interface Recovered {
  /** The fence token of this incarnation. */
  readonly token: number;
  /** The checkpoint that the commit point names; `undefined` when there never was one. */
  readonly committed: Manifest | undefined;
  /** The highest id that was ever used; ids only rise. */
  readonly lastId: number;
  readonly stored: readonly StoredManifest[];
}

/** The one place that decides atomically whether a checkpoint happened. */
export interface CommitPoint {
  readonly kind: string;
  /** Fences every earlier incarnation and answers what the commit point names. */
  recover(): MaybePromise<Recovered>;
  /** Decides: resolves when the checkpoint counts. May be asked again with the same manifest after a lost answer. */
  commit(token: number, manifest: Manifest): MaybePromise<void>;
}

/** The default: the snapshot store marks the manifest as committed in the step that checks the fence. */
export function storeCommitPoint(store: TaskStore): CommitPoint {
  return {
    kind: 'store',
    recover: () =>
      andThen(store.acquireFence(0), token =>
        andThen(store.manifests(), stored => {
          const committed = stored.findLast(({ confirmed }) => confirmed)?.manifest;
          const lastId = Math.max(0, ...stored.map(({ manifest }) => manifest.id));
          return { token, committed, lastId, stored };
        }),
      ),
    commit: (token, manifest) => store.confirm(token, manifest.id),
  };
}
