import { CommitPointFencedError } from '../errors.ts';
import { andThen, type MaybePromise } from '../maybe-promise.ts';
import type { Logger } from '../observe/logger.ts';
import type { CommitPoint, ExternalCommitPoint, Recovered } from './commit-point.ts';
import { type CommitPointIdentity, type Manifest, manifestChecksum } from './manifest.ts';
import {
  decideRecovery,
  highestId,
  identityOf,
  isSameCommitPoint,
  newestConfirmed,
  type RecoveryChoices,
  type Witness,
} from './recovery-decision.ts';
import type { TaskRef, TaskStore } from './snapshot-store.ts';
import { staleToken } from './store-rules.ts';

/** What recovery needs beside the store. */
export interface RecoveryOptions {
  readonly ref: TaskRef;
  readonly choices: RecoveryChoices;
  readonly logger: Logger;
  /** Told before a fence token is asked for: from then on the one that was held is not known to be the newest. */
  asksForToken?(): void;
  /** The commit point that decided earlier; `undefined` when there is no way to ask it. */
  previous(identity: CommitPointIdentity): MaybePromise<ExternalCommitPoint | undefined>;
}

const isStore = ({ kind }: CommitPointIdentity): boolean => kind === 'store';

/** Recovery where the store decides; synchronous when the store is, and no other commit point decided before. */
export function recoverThroughStore(store: TaskStore, options?: RecoveryOptions): MaybePromise<Recovered> {
  options?.asksForToken?.();
  return andThen(store.acquireFence(0), token =>
    andThen(store.manifests(), stored => {
      const committed = newestConfirmed(stored);
      if (!options || isStore(identityOf(committed))) {
        const lastId = highestId(stored);
        return { token, committed, lastId, stored };
      }
      // The last exactly-once sink has gone: what its commit point has decided counts.
      return recoverOutside(store, undefined, options, token);
    }),
  );
}

/**
 * A commit point outside the store, and the store that keeps what it names.
 *
 * Recovery: a record that may be stale says which token to be above; the fence; then each commit point that may have decided
 * is made to refuse earlier incarnations, right after the fence was seen to be ours; then its record is final. One whose
 * token is not below ours was written by an incarnation that the store does not know of: again, above it.
 */
export function externalCommitPoint(
  store: TaskStore,
  point: ExternalCommitPoint,
  options: RecoveryOptions,
): CommitPoint {
  let decided = 0;
  let recovered: Recovered | undefined;
  return {
    kind: point.kind,
    recover: async () => {
      recovered = await recoverOutside(store, point, options);
      return recovered;
    },
    began: id => point.began?.(id),
    abandoned: id => point.abandoned?.(id),
    publishes: position => point.publishes?.(position) ?? false,
    commit: async (token, manifest) => {
      try {
        if (decided !== manifest.id) await point.commit(manifest, recordOf(manifest));
      } catch (error) {
        if (error instanceof CommitPointFencedError) await verifyFence(store, options.ref, token);
        throw error;
      }
      // Asked again because the store did not answer, the decision stays what it is.
      decided = manifest.id;
      await store.confirm(token, manifest.id);
      await point.confirmed?.();
    },
    forget: async () => {
      if (!recovered) return;
      const { token, lastId } = recovered;
      await verifyFence(store, options.ref, token);
      await point.forget?.({ id: Math.max(lastId, decided), token, checksum: '', isCleared: true });
    },
    close: () => point.close(),
  };
}

const recordOf = (manifest: Manifest) => ({
  id: manifest.id,
  token: manifest.token,
  checksum: manifestChecksum(manifest),
});

/** `current`: what decides from now on, `undefined` for the store. */
async function recoverOutside(
  store: TaskStore,
  current: ExternalCommitPoint | undefined,
  options: RecoveryOptions,
  acquired?: number,
): Promise<Recovered> {
  const { ref, logger } = options;
  const identity: CommitPointIdentity = (await current?.open()) ?? { kind: 'store' };
  let above = (await current?.read(false))?.token ?? 0;
  let token = acquired;
  for (;;) {
    if (token === undefined) {
      options.asksForToken?.();
      token = await store.acquireFence(above);
    }
    // Final: only who holds the fence writes to the store.
    const stored = await store.manifests();
    const witnesses: Witness[] = [];
    const before = identityOf(newestConfirmed(stored));
    const previous =
      isStore(before) || isSameCommitPoint(before, identity) ? undefined : await options.previous(before);
    try {
      if (previous) witnesses.push(await ask(previous, await previous.open(), store, ref, token));
      if (current) witnesses.push(await ask(current, identity, store, ref, token));
    } finally {
      await previous?.close();
    }
    above = Math.max(...witnesses.map(({ record }) => record?.token ?? 0), 0);
    if (above >= token) {
      token = undefined;
      continue;
    }
    const { committed, isUnconfirmed, lastId, accepted } = decideRecovery(ref, stored, witnesses, options.choices);
    if (accepted) {
      logger.warn({ checkpoint: committed?.id, code: accepted.code }, `accepted by choice: ${accepted.message}`);
    }
    if (!committed || !isUnconfirmed) {
      return {
        token,
        committed,
        lastId,
        stored,
        commitPoint: identity,
        takesOver: takesOver(committed, identity, witnesses),
      };
    }
    await store.confirm(token, committed.id, committed.token);
    return {
      token,
      committed,
      lastId,
      stored: await store.manifests(),
      commitPoint: identity,
      takesOver: takesOver(committed, identity, witnesses),
    };
  }
}

async function ask(
  point: ExternalCommitPoint,
  identity: CommitPointIdentity,
  store: TaskStore,
  ref: TaskRef,
  token: number,
): Promise<Witness> {
  await verifyFence(store, ref, token);
  await point.fence();
  return { identity, record: await point.read(true) };
}

/** Refused, or out of date: the store's fence says whether this incarnation may go on at all. */
async function verifyFence(store: TaskStore, ref: TaskRef, token: number): Promise<void> {
  const newest = await store.fence();
  if (newest !== token) throw staleToken(ref, token, newest);
}

/** Whether what decides from now on has no word of its own about what is restored. */
function takesOver(
  committed: Manifest | undefined,
  identity: CommitPointIdentity,
  witnesses: readonly Witness[],
): boolean {
  if (isStore(identity)) return !isStore(identityOf(committed));
  const own = witnesses.find(witness => isSameCommitPoint(witness.identity, identity))?.record;
  return committed === undefined || own?.id !== committed.id || own.token !== committed.token;
}
