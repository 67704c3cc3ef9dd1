import type { ActorStage } from '../actor/actor-stage.ts';
import { entryKinds } from '../actor/actor-state.ts';
import { keyOf } from '../actor/key.ts';
import { decodeKey } from '../actor/key-codec.ts';
import type { StoredRequest } from '../actor/requests/requests.ts';
import type { ActorEntry, SegmentRef } from '../checkpoint/manifest.ts';
import { openSegment, readEntries } from '../checkpoint/segment.ts';
import type { TaskRef, TaskStore } from '../checkpoint/snapshot-store.ts';
import { decodeStored } from '../checkpoint/stamped-value.ts';
import { decodeValue } from '../checkpoint/value-codec.ts';
import { messageOf, StateLostError, StateMismatchError } from '../errors.ts';
import { andThen, eachInOrder, isPromise, type MaybePromise } from '../maybe-promise.ts';

export interface RestoreServices {
  readonly store: TaskStore;
  readonly ref: TaskRef;
  /** Whether stored states that the actor no longer declares are dropped, instead of refused. */
  readonly allowsDropped?: boolean;
}

/**
 * Fills an actor from its chain of segments, oldest first; answers whether its state was migrated to a newer version.
 *
 * Throws `StateMismatchError` when the versions or states do not fit, `StateLostError` when a segment is missing or damaged.
 */
export function restoreActor(
  stage: ActorStage,
  entry: ActorEntry,
  { store, ref, allowsDropped = false }: RestoreServices,
): MaybePromise<boolean> {
  const migrates = verifyVersion(stage, entry, ref);
  const fetched = new Map<SegmentRef, MaybePromise<Uint8Array>>();
  const fetch = (segment: SegmentRef | undefined): void => {
    if (!segment || fetched.has(segment)) return;
    const raw = rawSegment(store, segment, stage.name);
    // Its failure is seen when its turn comes.
    if (isPromise(raw)) void raw.then(undefined, () => {});
    fetched.set(segment, raw);
  };
  const applied = eachInOrder(entry.segments.entries(), ([index, segment]) => {
    fetch(segment);
    for (let ahead = 1; ahead <= segmentsAhead; ahead++) fetch(entry.segments[index + ahead]);
    return andThen(fetched.get(segment) as MaybePromise<Uint8Array>, raw => {
      fetched.delete(segment);
      apply(stage, raw);
    });
  });
  return andThen(applied, () => {
    dropUndeclared(stage, ref, allowsDropped);
    verifyKinds(stage, ref);
    stage.restoreEntries();
    if (migrates) migrateValues(stage, entry.version, ref);
    else decodeValues(stage, ref);
    // Times by which state expires have come or gone: they are stored at the next checkpoint.
    if (migrates || stage.hasNewTimes) stage.state.markAllChanged();
    return migrates;
  });
}

/** Segments that are read and unpacked while one is applied. */
const segmentsAhead = 3;

function rawSegment(store: TaskStore, segment: SegmentRef, actor: string): MaybePromise<Uint8Array> {
  const found = store.getSegment(segment.name);
  // What a store answers at once is opened at once, so that recovery stays in virtual time.
  const sync = !isPromise(found);
  return andThen(found, bytes => {
    if (!bytes) {
      throw new StateLostError(
        `The segment ${segment.name}, which holds state of the actor "${actor}", is gone from the store. Restore it from a copy, ` +
          'or start fresh: then the job begins with empty state.',
        { context: { operator: actor } },
      );
    }
    return openSegment(bytes, segment.checksum, `${segment.name} of the actor "${actor}"`, { sync });
  });
}

function apply({ state }: ActorStage, raw: Uint8Array): void {
  readEntries(raw, (kind, buffer, keyStart, keyEnd, valueStart, valueEnd) => {
    const isDeleted = valueEnd < 0;
    if (kind === entryKinds.state) {
      const key = decodeKey(buffer, keyStart, keyEnd);
      if (isDeleted) state.values.restoreDeletion(key);
      else state.values.restore(key, decodeStored(buffer, valueStart, valueEnd));
      return;
    }
    if (kind === entryKinds.entry) {
      const name = decodeKey(buffer, keyStart, keyEnd);
      if (isDeleted) state.entries.restoreDeletion(name);
      else state.entries.restore(name, decodeStored(buffer, valueStart, valueEnd));
      return;
    }
    if (kind === entryKinds.request) {
      const id = decodeKey(buffer, keyStart, keyEnd);
      if (isDeleted) state.requests.restoreDeletion(id);
      else state.requests.restore(id, decodeValue(buffer, valueStart, valueEnd) as StoredRequest);
      return;
    }
    const timers = state.timers(kind === entryKinds.event ? 'event' : 'processing');
    if (isDeleted) timers.restoreDeletion(buffer, keyStart, keyEnd);
    else timers.restore(buffer, keyStart, keyEnd);
  });
}

function dropUndeclared(stage: ActorStage, { job }: TaskRef, allowsDropped: boolean): void {
  const undeclared = stage.undeclaredStates();
  if (undeclared.length > 0 && !allowsDropped) {
    const names = undeclared.map(state => `"${state}"`).join(', ');
    throw new StateMismatchError(
      `The actor "${stage.name}" has stored state in ${names}, which its "states" no longer declare. Declare it again under that name, ` +
        'set allowDroppedState to drop it, or start fresh.',
      { context: { job, operator: stage.name } },
    );
  }
  for (const state of undeclared) stage.state.entries.drop(state);
  const { requests } = stage.state;
  if (stage.makesRequests || requests.size === 0) return;
  if (!allowsDropped) {
    throw new StateMismatchError(
      `The actor "${stage.name}" has ${requests.size} stored requests that were not answered, but it makes none any more. Give it back ` +
        'its "requests", set allowDroppedState to drop them, or start fresh.',
      { context: { job, operator: stage.name } },
    );
  }
  stage.dropRequests();
}

function verifyKinds(stage: ActorStage, { job }: TaskRef): void {
  const changed = stage.changedKinds();
  if (changed.length === 0) return;
  throw new StateMismatchError(
    `The kinds of states of the actor "${stage.name}" have changed: ${changed.join(', ')}. Declare it as it is stored, give the new one ` +
      'another name (allowDroppedState drops the old one), or start fresh.',
    { context: { job, operator: stage.name } },
  );
}

/** Whether the stored state must be migrated. */
function verifyVersion({ state, canMigrate }: ActorStage, entry: ActorEntry, { job }: TaskRef): boolean {
  if (entry.version === state.version) return false;
  const context = { job, operator: state.name };
  if (entry.version > state.version) {
    throw new StateMismatchError(
      `The stored state of the actor "${state.name}" has version ${entry.version}, which is newer than the job's ${state.version}. ` +
        'Run the newer version of the job, or start fresh.',
      { context },
    );
  }
  if (!canMigrate) {
    throw new StateMismatchError(
      `The stored state of the actor "${state.name}" has version ${entry.version}, the job's is ${state.version}: give the actor a ` +
        '"migrate" that makes one of the other, or start fresh.',
      { context },
    );
  }
  return true;
}

function decodeValues(stage: ActorStage, { job }: TaskRef): void {
  for (const cell of stage.state.values.cells()) {
    try {
      cell.value = stage.restored(cell.value);
    } catch (error) {
      throw new StateMismatchError(
        `The codec of the actor "${stage.name}" could not read the stored state of key ${String(keyOf(cell.key))}: ` +
          `${messageOf(error)}. Give it a decode that reads what is stored, or a new version with "migrate".`,
        { cause: error, context: { job, operator: stage.name } },
      );
    }
  }
}

function migrateValues(stage: ActorStage, version: number, { job }: TaskRef): void {
  for (const cell of stage.state.values.cells()) {
    try {
      cell.value = stage.migrate(cell.value, version, keyOf(cell.key));
    } catch (error) {
      throw new StateMismatchError(
        `migrate() of the actor "${stage.name}" threw for key ${String(keyOf(cell.key))} at version ${version}: ${messageOf(error)}`,
        { cause: error, context: { job, operator: stage.name } },
      );
    }
  }
}
