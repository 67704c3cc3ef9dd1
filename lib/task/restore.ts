import type { ActorStage } from '../actor/actor-stage.ts';
import { entryKinds } from '../actor/actor-state.ts';
import { keyOf } from '../actor/key.ts';
import { decodeKey } from '../actor/key-codec.ts';
import { type Migration, MigrationFailure, migrated, verifySteps } from '../actor/migration.ts';
import type { StoredRequest } from '../actor/requests/requests.ts';
import { kindFunction } from '../actor/state-kind.ts';
import type { ActorEntry, SegmentRef } from '../checkpoint/manifest.ts';
import { openSegment, readEntries } from '../checkpoint/segment.ts';
import type { TaskRef, TaskStore } from '../checkpoint/snapshot-store.ts';
import { decodeStored } from '../checkpoint/stamped-value.ts';
import { decodeValue } from '../checkpoint/value-codec.ts';
import { messageOf, StateLostError, StateMismatchError } from '../errors.ts';
import { andThen, eachInOrder, isPromise, type MaybePromise } from '../maybe-promise.ts';

export interface RestoreServices {
  readonly store: Pick<TaskStore, 'getSegment'>;
  readonly ref: TaskRef;
  /** Whether stored states that the actor no longer declares are dropped, instead of refused. */
  readonly allowsDropped?: boolean;
}

/**
 * Fills an actor from its chain of segments, oldest first; answers whether its state was migrated to a newer version.
 *
 * Throws `StateMismatchError` when the versions or states do not fit, `StateLostError` when a segment is missing or damaged.
 */
export function restoreActor(stage: ActorStage, entry: ActorEntry, services: RestoreServices): MaybePromise<boolean> {
  const { ref } = services;
  const migrates = verifyVersion(stage, entry, ref);
  return andThen(readActor(stage, entry, services), () => {
    verifyStates(stage, entry, services);
    convertState(stage, entry, ref);
    // Times by which state expires have come or gone: they are stored at the next checkpoint.
    if (migrates || stage.stored.hasNewTimes) stage.state.markAllChanged();
    return migrates;
  });
}

/** Puts into an actor what its chain holds, as it is stored. */
export function readActor(stage: ActorStage, entry: ActorEntry, { store }: RestoreServices): MaybePromise<void> {
  const fetched = new Map<SegmentRef, MaybePromise<Uint8Array>>();
  const fetch = (segment: SegmentRef | undefined): void => {
    if (!segment || fetched.has(segment)) return;
    const raw = rawSegment(store, segment, stage.name);
    // Its failure is seen when its turn comes.
    if (isPromise(raw)) void raw.then(undefined, () => {});
    fetched.set(segment, raw);
  };
  return eachInOrder(entry.segments.entries(), ([index, segment]) => {
    fetch(segment);
    for (let ahead = 1; ahead <= segmentsAhead; ahead++) fetch(entry.segments[index + ahead]);
    return andThen(fetched.get(segment) as MaybePromise<Uint8Array>, raw => {
      fetched.delete(segment);
      apply(stage, raw);
    });
  });
}

/** Whether the states that were read fit the actor; drops what it may drop. Calls no code of the user. */
export function verifyStates(
  stage: ActorStage,
  entry: ActorEntry,
  { ref, allowsDropped = false }: RestoreServices,
): void {
  dropUndeclared(stage, ref, allowsDropped);
  verifyKinds(stage, ref);
  verifyMigrations(stage, entry, ref);
}

/** Migrates what was read, or gives it the form in which the actor works with it; tells of each entry that was migrated. */
export function convertState(stage: ActorStage, entry: ActorEntry, ref: TaskRef, migratedOne = () => {}): void {
  const isOlder = entry.version !== stage.state.version;
  const migrations = new Map(isOlder ? stage.stored.stateMigrations : []);
  for (const state of stage.state.entries.states) {
    const migration = migrations.get(state);
    if (migration) migrateEntries(stage, state, migration, entry.version, ref, migratedOne);
    else stage.stored.restoreEntries(state, value => value);
  }
  if (isOlder && stage.stored.migration) migrateValues(stage, stage.stored.migration, entry.version, ref, migratedOne);
  else decodeValues(stage, ref);
}

/** Segments that are read and unpacked while one is applied. */
const segmentsAhead = 3;

function rawSegment(store: RestoreServices['store'], segment: SegmentRef, actor: string): MaybePromise<Uint8Array> {
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
  const undeclared = stage.stored.undeclaredStates();
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
  const changed = stage.stored.changedKinds();
  if (changed.length === 0) return;
  throw new StateMismatchError(
    `The kinds of states of the actor "${stage.name}" have changed: ${changed.join(', ')}. Declare it as it is stored, give the new one ` +
      'another name (allowDroppedState drops the old one), or start fresh.',
    { context: { job, operator: stage.name } },
  );
}

/** Whether the stored state must be migrated. */
export function verifyVersion(stage: ActorStage, entry: ActorEntry, { job }: TaskRef): boolean {
  const { state, stored } = stage;
  const { migration } = stored;
  if (entry.version === state.version) return false;
  const context = { job, operator: state.name };
  if (entry.version > state.version) {
    throw new StateMismatchError(
      `The stored state of the actor "${state.name}" has version ${entry.version}, which is newer than the job's ${state.version}. ` +
        'Run the newer version of the job, or start fresh.',
      { context },
    );
  }
  if (migration) verifySteps(`the actor "${state.name}"`, migration, entry.version, state.version, context);
  else if (stored.stateMigrations.length === 0) throw withoutMigrate(stage, entry, job);
  return true;
}

/** What of the states has a way to this version: known once it is read which of them have entries. */
function verifyMigrations(stage: ActorStage, entry: ActorEntry, { job }: TaskRef): void {
  const { state } = stage;
  if (entry.version === state.version) return;
  if (!stage.stored.migration && state.values.size > 0) throw withoutMigrate(stage, entry, job);
  for (const [name, migration] of stage.stored.stateMigrations) {
    if (!state.entries.kindOf(name)) continue;
    verifySteps(whoseState(stage, name), migration, entry.version, state.version, { job, operator: stage.name });
  }
}

function withoutMigrate({ name, state }: ActorStage, entry: ActorEntry, job: string): StateMismatchError {
  return new StateMismatchError(
    `The stored state of the actor "${name}" has version ${entry.version}, the job's is ${state.version}: give the actor a ` +
      '"migrate" that makes one of the other, or start fresh.',
    { context: { job, operator: name } },
  );
}

function decodeValues(stage: ActorStage, { job }: TaskRef): void {
  for (const cell of stage.state.values.cells()) {
    try {
      cell.value = stage.stored.restored(cell.value);
    } catch (error) {
      throw new StateMismatchError(
        `The codec of the actor "${stage.name}" could not read the stored state of key ${String(keyOf(cell.key))}: ` +
          `${messageOf(error)}. Give it a decode that reads what is stored, or a new version with "migrate".`,
        { cause: error, context: { job, operator: stage.name } },
      );
    }
  }
}

function migrateValues(
  stage: ActorStage,
  migration: Migration<unknown>,
  version: number,
  { job }: TaskRef,
  migratedOne: () => void,
): void {
  for (const cell of stage.state.values.cells()) {
    const key = keyOf(cell.key);
    try {
      cell.value = stage.stored.migrated(cell.value, migration, version, key);
    } catch (error) {
      throw migrateThrew(stage, `the actor "${stage.name}"`, `key ${String(key)}`, error, job);
    }
    migratedOne();
  }
}

function migrateEntries(
  stage: ActorStage,
  state: string,
  migration: Migration<unknown>,
  version: number,
  { job }: TaskRef,
  migratedOne: () => void,
): void {
  const isNamed = stage.state.entries.kindOf(state) === 'map';
  stage.stored.restoreEntries(state, (value, key, entry) => {
    const ofKey = keyOf(key);
    try {
      const now = migrated(migration, value, version, stage.state.version, ofKey);
      migratedOne();
      return now;
    } catch (error) {
      const where = `key ${String(ofKey)}${isNamed ? `, entry ${String(keyOf(entry))}` : ''}`;
      throw migrateThrew(stage, whoseState(stage, state), where, error, job);
    }
  });
}

function whoseState(stage: ActorStage, state: string): string {
  const kind = stage.state.entries.kindOf(state);
  return `the ${kind ? `${kindFunction(kind)} ` : ''}"${state}" of the actor "${stage.name}"`;
}

function migrateThrew(
  stage: ActorStage,
  whose: string,
  where: string,
  error: unknown,
  job: string,
): StateMismatchError {
  const { version, cause } = error instanceof MigrationFailure ? error : { version: undefined, cause: error };
  return new StateMismatchError(
    `migrate() of ${whose} threw for ${where}${version === undefined ? '' : ` at version ${version}`}: ${messageOf(cause)}`,
    { cause, context: { job, operator: stage.name } },
  );
}
