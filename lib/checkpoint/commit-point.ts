import type { SchedulerLike } from 'rxjs';
import type { CheckpointSettings } from '../job/settings.ts';
import type { MaybePromise } from '../maybe-promise.ts';
import type { Logger } from '../observe/logger.ts';
import type { Shared } from '../task/shared-services.ts';
import type { CommitPointIdentity, Json, Manifest, Origin } from './manifest.ts';
import { type RecoveryOptions, recoverThroughStore } from './recovery.ts';
import type { StoredManifest, TaskRef, TaskStore } from './snapshot-store.ts';

/** What a start finds. */
export interface Recovered {
  /** The fence token of this incarnation. */
  readonly token: number;
  /** The checkpoint that the commit point names; `undefined` when there never was one. */
  readonly committed: Manifest | undefined;
  /** The highest id that was ever used; ids only rise. */
  readonly lastId: number;
  readonly stored: readonly StoredManifest[];
  /** What decides from now on; left out: the store. */
  readonly commitPoint?: CommitPointIdentity;
  /** The savepoint that `committed` is, or comes from; left out: what it says itself. */
  readonly origin?: Origin;
  /** It has not decided about `committed`: it decides a checkpoint of its own before the first element. */
  readonly takesOver?: boolean;
}

/** The one place that decides atomically whether a checkpoint happened. */
export interface CommitPoint {
  readonly kind: string;
  /** Fences every earlier incarnation and answers what the commit point names. */
  recover(): MaybePromise<Recovered>;
  /** The barrier of checkpoint `id` is about to enter: what comes from now on is not part of it. */
  began?(id: number): void;
  /** Decides: resolves when the checkpoint counts. May be asked again with the same manifest after a lost answer. */
  commit(token: number, manifest: Manifest): MaybePromise<void>;
  /** Checkpoint `id` was given up before anybody was asked to decide. */
  abandoned?(id: number): void;
  /** Whether what decides also tells the source's own system how far it has read. */
  publishes?(position: Json): boolean;
  /** The checkpoints are deleted on purpose: its word must not be missed, nor name one of them, at the next start. */
  forget?(): MaybePromise<void>;
  /** Gives back what it holds; idempotent. */
  close?(): MaybePromise<void>;
}

/** What a commit point outside the store says of the last checkpoint that it decided. */
export interface CommitRecord {
  readonly id: number;
  /** The fence token of the incarnation that prepared the manifest. */
  readonly token: number;
  /** `manifestChecksum` of the manifest. */
  readonly checksum: string;
  /** Checkpoints up to `id` were deleted on purpose: it names none. */
  readonly isCleared?: boolean;
}

/**
 * Something outside the store that decides: its word counts, not the store's. It is asked in this order: `open`, `read`, then
 * `fence` and a stable `read` for as long as a newer token turns up, then `commit` for each checkpoint.
 */
export interface ExternalCommitPoint {
  /** Shown to people: 'kafka'. */
  readonly kind: string;
  /** Connects and verifies that it can decide (versions, permissions, settings); answers who it is. */
  open(): Promise<CommitPointIdentity>;
  /** Its record. Unless `isStable` it may be an older one; stable: what was under way has come to its end. */
  read(isStable: boolean): Promise<CommitRecord | undefined>;
  /** Ends what earlier incarnations have under way, and refuses them from now on. The store's fence was verified just before. */
  fence(): Promise<void>;
  /** As `CommitPoint.commit`. `CommitPointFencedError` when it takes nothing from this incarnation any more. */
  commit(manifest: Manifest, record: CommitRecord): Promise<void>;
  began?(id: number): void;
  abandoned?(id: number): void;
  publishes?(position: Json): boolean;
  /** Ends what is open without committing it, and puts this record, which is cleared, in the place of the last one. */
  forget?(record: CommitRecord): Promise<void>;
  /** The store has noted the last decision, under the fence: nobody has taken over up to that moment. */
  confirmed?(): MaybePromise<void>;
  close(): MaybePromise<void>;
}

/** What an external commit point is given by the task. */
export interface CommitPointContext extends TaskRef {
  readonly logger: Logger;
  readonly scheduler: SchedulerLike;
  readonly settings: CheckpointSettings;
  /** As `SinkContext.shared`: the same instances. */
  readonly shared: Shared;
  /** ms on the monotonic clock. */
  monotonicNow(): number;
  /** Asks for a checkpoint now, unless one is under way. */
  checkpoint(): void;
  /** The task fails with this error. */
  error(error: unknown): void;
}

/** Finds a commit point again that decided earlier, and that the job may no longer use. */
export interface CommitPointResolver {
  /** `undefined`: it is not one of mine. */
  resolve(identity: CommitPointIdentity, context: CommitPointContext): MaybePromise<ExternalCommitPoint | undefined>;
}

/** The default: the snapshot store marks the manifest as committed in the step that checks the fence. */
export function storeCommitPoint(store: TaskStore, options?: RecoveryOptions): CommitPoint {
  return {
    kind: 'store',
    recover: () => recoverThroughStore(store, options),
    commit: (token, manifest) => store.confirm(token, manifest.id),
  };
}
