import type { MaybePromise } from '../maybe-promise.ts';
import type { Manifest } from './manifest.ts';

/** What is kept together in a store: the state of one task of one job. */
export interface TaskRef {
  readonly job: string;
  readonly task: string;
}

export interface StoredManifest {
  readonly manifest: Manifest;
  /** Whether the commit point named it; otherwise it is only prepared. */
  readonly confirmed: boolean;
}

/** A small text beside the manifests of a task: anybody may leave one, for whoever runs it or for a later start. */
export interface TaskNote {
  /** `a-z`, digits, `.`, `-` and `_`. */
  readonly name: string;
  readonly text: string;
}

/** Something that an operator of the store should know, told once at start. */
export interface StoreNotice {
  readonly level: 'info' | 'warn';
  readonly message: string;
}

/**
 * Keeps segments and manifests. It may answer synchronously; then whole checkpoints run in virtual time.
 *
 * Every write is refused with `FencedError` once a newer token than `token` was handed out. Segments are write-once and
 * written before the manifest that names them, so a store is safe by ordering alone.
 */
export interface SnapshotStore {
  /** Shown to people: 'memory', 'file', 'redis'. */
  readonly kind: string;
  /** Where it is, without credentials. */
  readonly location: string;
  /** Verifies that the store can be used and is as durable as it should be; throws when it cannot. */
  check(): MaybePromise<readonly StoreNotice[]>;
  /** The state of one task; opens nothing by itself. */
  task(ref: TaskRef): TaskStore;
  /** Every task that has a manifest or a fence here. */
  tasks(): MaybePromise<readonly TaskRef[]>;
  close(): MaybePromise<void>;
}

/** The part of a `SnapshotStore` that belongs to one task. */
export interface TaskStore {
  /** Hands out a token above every earlier one and above `above`; from then on writes under older ones are refused. */
  acquireFence(above: number): MaybePromise<number>;
  /** The newest token that was handed out; 0 when none was. */
  fence(): MaybePromise<number>;

  /** Writes a segment once; refuses a name that exists. Durable at the latest when `prepare` answers. */
  putSegment(token: number, name: string, bytes: Uint8Array): MaybePromise<void>;
  /** The bytes of a segment; `undefined` when it is not there. */
  getSegment(name: string): MaybePromise<Uint8Array | undefined>;

  /** Writes a manifest as prepared and makes it, and the segments that it names, durable. Refuses an id that exists under the same token. */
  prepare(token: number, manifest: Manifest): MaybePromise<void>;
  /**
   * Marks the prepared manifest `id` as committed in the step that checks the fence, and drops prepared ones that it
   * overtakes. Idempotent: asked again after a lost answer it succeeds. `preparedBy` is the token that it was prepared
   * under, when that is an older one: a commit point outside the store may have named it after its writer had died.
   */
  confirm(token: number, id: number, preparedBy?: number): MaybePromise<void>;
  /** All manifests, oldest id first. A damaged one is a `StateLostError` when it is confirmed, and left out when it is only prepared. */
  manifests(): MaybePromise<readonly StoredManifest[]>;
  /**
   * Drops these manifests and the segments that only they named; refuses to drop the newest confirmed one. Then deletes
   * orphans: segments that older tokens wrote and that no manifest names.
   */
  collect(token: number, ids: readonly number[]): MaybePromise<void>;

  /** The notes of the task, in any order. They need no fence and decide nothing about what is committed. */
  notes(): MaybePromise<readonly TaskNote[]>;
  /** Leaves a note, durably; `false`, and nothing is changed, when there is one of this name that says something else. */
  putNote(name: string, text: string): MaybePromise<boolean>;
  /** Removes a note; nothing when it is not there. */
  removeNote(name: string): MaybePromise<void>;

  /** Deletes everything of the task but the fence (which never goes back). */
  clear(token: number): MaybePromise<void>;
}

/** `<id>-<token>-<random>`, so that collection can tell whose orphan a segment is. */
export function segmentName(id: number, token: number, random: string): string {
  return `${id}-${token}-${random}`;
}

/** The fence token in a segment's name. */
export function tokenOfSegment(name: string): number {
  return Number(name.split('-')[1]);
}

/** The checkpoint that a segment was written for, from its name. */
export function checkpointOfSegment(name: string): number {
  return Number(name.split('-')[0]);
}
