import { CommitPointLostError, StateLostError, type TidemarkError } from '../errors.ts';
import type { CommitRecord } from './commit-point.ts';
import { type CommitPointIdentity, type Manifest, manifestChecksum } from './manifest.ts';
import type { StoredManifest, TaskRef } from './snapshot-store.ts';

/** A commit point outside the store that was asked, after it had refused every earlier incarnation. */
export interface Witness {
  readonly identity: CommitPointIdentity;
  readonly record: CommitRecord | undefined;
}

/** What a person has chosen for the case that the commit point and the store do not fit together. */
export interface RecoveryChoices {
  /** The newest confirmed checkpoint, to go on from although it may not be the last one. */
  readonly acceptCheckpoint?: number | undefined;
  /** Nothing is restored anyway. */
  readonly isFresh?: boolean;
}

export interface RecoveryDecision {
  /** The checkpoint that was decided last. */
  readonly committed: Manifest | undefined;
  /** The store does not know yet that it was. */
  readonly isUnconfirmed: boolean;
  /** The highest id that was ever used. */
  readonly lastId: number;
  /** Why nobody knows whether it is the last one; a person has chosen to go on. */
  readonly accepted: TidemarkError | undefined;
}

const storeIdentity: CommitPointIdentity = { kind: 'store' };

/** What decided about a manifest. */
export const identityOf = (manifest: Manifest | undefined): CommitPointIdentity =>
  manifest?.commitPoint ?? storeIdentity;

export const isSameCommitPoint = (a: CommitPointIdentity, b: CommitPointIdentity): boolean =>
  a.kind === b.kind && a.clusterId === b.clusterId;

/** Of what is stored, committed or not; 0 where nothing is. */
export const highestId = (stored: readonly StoredManifest[]): number =>
  Math.max(0, ...stored.map(({ manifest }) => manifest.id));

/** The newest manifest that the store knows to be committed. */
export const newestConfirmed = (stored: readonly StoredManifest[]): Manifest | undefined =>
  stored.findLast(({ confirmed }) => confirmed)?.manifest;

/**
 * Whether a commit point that is not asked can have decided anything behind the newest confirmed manifest: it cannot when
 * nothing was prepared there, because no checkpoint is decided before its manifest is in the store.
 */
export function mayHaveDecidedMore(stored: readonly StoredManifest[]): boolean {
  const newest = newestConfirmed(stored)?.id ?? 0;
  return stored.some(({ manifest, confirmed }) => !confirmed && manifest.id > newest);
}

/**
 * Which checkpoint to restore: the one that was decided last. Pure. Throws `StateLostError` when the store lacks what a record
 * names, and `CommitPointLostError` when nobody can say what was decided; unless a person has chosen to go on nevertheless.
 */
export function decideRecovery(
  ref: TaskRef,
  stored: readonly StoredManifest[],
  witnesses: readonly Witness[],
  choices: RecoveryChoices,
): RecoveryDecision {
  const newest = newestConfirmed(stored);
  const lastId = Math.max(highestId(stored), ...witnesses.map(w => w.record?.id ?? 0));
  const decision = { committed: newest, isUnconfirmed: false, lastId, accepted: undefined };
  // Deleted on purpose; the store may not have got so far.
  const isCleared = ({ identity, record }: Witness): boolean =>
    record?.isCleared === true &&
    (!newest || (record.id >= newest.id && isSameCommitPoint(identity, identityOf(newest))));
  if (witnesses.some(isCleared)) return { ...decision, committed: undefined };
  const problem = problemWith(ref, stored, newest, witnesses);
  if (problem) {
    const isAccepted = choices.isFresh || (newest !== undefined && choices.acceptCheckpoint === newest.id);
    if (!isAccepted) throw problem;
    return { ...decision, accepted: problem };
  }
  // At most one record is newer than what the store knows: an older commit point was left behind by a confirmed checkpoint.
  const named = witnesses
    .map(({ record }) => record && !record.isCleared && manifestOf(stored, record))
    .filter(manifest => !!manifest && manifest.id > (newest?.id ?? 0))
    .sort((a, b) => (b as Manifest).id - (a as Manifest).id)[0];
  return named ? { ...decision, committed: named, isUnconfirmed: true } : decision;
}

const manifestOf = (stored: readonly StoredManifest[], { id, token }: CommitRecord): Manifest | undefined =>
  stored.find(({ manifest }) => manifest.id === id && manifest.token === token)?.manifest;

function problemWith(
  ref: TaskRef,
  stored: readonly StoredManifest[],
  newest: Manifest | undefined,
  witnesses: readonly Witness[],
): TidemarkError | undefined {
  for (const { identity, record } of witnesses) {
    if (record && !record.isCleared && record.id >= (newest?.id ?? 0)) {
      const manifest = manifestOf(stored, record);
      if (!manifest) return stateLost(ref, identity, record, newest, 'the snapshot store does not have it');
      if (manifestChecksum(manifest) !== record.checksum) {
        return stateLost(ref, identity, record, newest, 'what the snapshot store has under its name is another one');
      }
    }
    // A commit point that the task had left behind says nothing about what came after.
    if (!newest || !isSameCommitPoint(identity, identityOf(newest))) continue;
    if (!record && !(newest.closed && !mayHaveDecidedMore(stored))) {
      return lost(ref, newest, `${shown(identity)} has no record of it or of any other (was the group deleted?)`);
    }
    if (record && record.id < newest.id) {
      return lost(ref, newest, `the record of ${shown(identity)} names an older one, ${record.id}`);
    }
  }
  const identity = identityOf(newest);
  const isAsked = witnesses.some(witness => isSameCommitPoint(witness.identity, identity));
  if (newest && identity.kind !== storeIdentity.kind && !isAsked && mayHaveDecidedMore(stored)) {
    return lost(
      ref,
      newest,
      `${shown(identity)} may have decided about a later one, but the job no longer has a sink there, so it cannot be asked. ` +
        'Start the job once more with that sink and stop it cleanly before the sink goes, or name the old commit point in ' +
        'the setting recovery.previousCommitPoint',
    );
  }
  return undefined;
}

const shown = ({ kind, clusterId, location }: CommitPointIdentity): string =>
  `the ${kind === 'kafka' ? 'Kafka' : kind} commit point${clusterId ? ` (cluster ${clusterId}${location ? `, ${location}` : ''})` : ''}`;

function stateLost(
  { job, task }: TaskRef,
  identity: CommitPointIdentity,
  { id, token }: CommitRecord,
  newest: Manifest | undefined,
  what: string,
): StateLostError {
  return new StateLostError(
    `Checkpoint ${id} (token ${token}) of task ${task} of job ${job} was committed, says ${shown(identity)}, but ${what}. ` +
      `Nothing was changed. Put the store's data back; or ${newest ? `${older(newest)}, or ` : ''}${fresh}.`,
    { context: { job, task, checkpointId: id } },
  );
}

function lost({ job, task }: TaskRef, newest: Manifest, what: string): CommitPointLostError {
  return new CommitPointLostError(
    `Checkpoint ${newest.id} of task ${task} of job ${job} is the newest that the snapshot store knows to be committed, but ` +
      `${what}. Nothing was changed. Find out what happened to it; or ${older(newest)}, or ${fresh}.`,
    { context: { job, task, checkpointId: newest.id } },
  );
}

const older = ({ id }: Manifest): string =>
  `set recovery.acceptCheckpoint to ${id} (--accept-checkpoint ${id}) to go on from checkpoint ${id}, where output that was committed after it comes twice`;
const fresh = 'start fresh, which begins with empty state';
