import { JobDefinitionError, StateMismatchError, UserCodeError } from '../errors.ts';
import { isPromise } from '../maybe-promise.ts';
import type { KeyOrNone } from '../stream/data-stream.ts';
import type { Key } from '../stream/elements.ts';

/** Makes a state of this version of one that is stored with an older `version`. */
export type MigrateFunction<S, K extends KeyOrNone> = {
  migrate(state: unknown, version: number, key: K): S;
}['migrate'];

/** Makes a state of the next version of one of the version that it stands under. */
export type MigrationStep<K extends KeyOrNone> = { step(state: unknown, key: K): unknown }['step'];

/** Steps by the version that they begin with, one for each version from the oldest that can be restored to the one before this. */
export interface MigrationSteps<K extends KeyOrNone> {
  readonly [version: number]: MigrationStep<K>;
}

/** How state of older versions is brought to this one: a function for all of them, or a step for each. */
export type Migration<S, K extends KeyOrNone = KeyOrNone> = MigrateFunction<S, K> | MigrationSteps<K>;

type AnyMigration = Migration<unknown, Key | undefined>;

/** Throws a `JobDefinitionError` when no state could come to `version` by this migration. */
export function verifyMigration(where: string, migration: unknown, version: number): void {
  if (migration === undefined || typeof migration === 'function') return;
  if (typeof migration !== 'object' || migration === null) {
    throw new JobDefinitionError(
      `${where}: migrate must be a function of (state, version, key), or steps by the version that each begins with, such as { 1: state => … }.`,
    );
  }
  const names = Object.keys(migration);
  if (names.length === 0) {
    throw new JobDefinitionError(`${where}: migrate has no steps: give one under each older version, or leave it out.`);
  }
  const odd = names.find(name => !/^[1-9]\d*$/.test(name) || Number(name) >= version);
  if (odd !== undefined) {
    throw new JobDefinitionError(
      `${where}: migrate has a step "${odd}", but the version is ${version}: each step stands under the version that it begins with, from 1 to ${version - 1}.`,
    );
  }
  const notCallable = names.find(name => typeof (migration as Record<string, unknown>)[name] !== 'function');
  if (notCallable !== undefined) {
    throw new JobDefinitionError(`${where}: step ${notCallable} of migrate is no function of (state, key).`);
  }
  for (let step = Math.min(...names.map(Number)); step < version; step++) {
    if (Object.hasOwn(migration, step)) continue;
    throw new JobDefinitionError(
      `${where}: migrate has no step ${step}, so nothing that is older comes to version ${version}: add the step from ${step} to ${step + 1}.`,
    );
  }
}

/** Throws a `StateMismatchError` when the steps begin behind the stored version; `whose`: 'the actor "a"'. */
export function verifySteps(
  whose: string,
  migration: AnyMigration,
  stored: number,
  version: number,
  context: { readonly job: string; readonly operator: string },
): void {
  if (typeof migration === 'function' || Object.hasOwn(migration, stored)) return;
  const oldest = Math.min(...Object.keys(migration).map(Number));
  throw new StateMismatchError(
    `The stored state of ${whose} has version ${stored}, the job's is ${version}, and its "migrate" begins with step ${oldest}: add the ` +
      `step${oldest - stored > 1 ? `s ${stored} to ${oldest - 1}` : ` ${stored}`}, run a version of the job between them, or start fresh.`,
    { context },
  );
}

/** A migration that failed, with the version at which it did. */
export class MigrationFailure {
  readonly version: number;
  readonly cause: unknown;

  constructor(version: number, cause: unknown) {
    this.version = version;
    this.cause = cause;
  }
}

/** A state of version `stored` as one of `version`; throws a `MigrationFailure`. */
export function migrated(
  migration: AnyMigration,
  state: unknown,
  stored: number,
  version: number,
  key: Key | undefined,
): unknown {
  if (typeof migration === 'function') return attempted(stored, () => migration(state, stored, key));
  let current = state;
  for (let at = stored; at < version; at++) {
    const before = current;
    current = attempted(at, () => (migration[at] as MigrationStep<KeyOrNone>)(before, key));
  }
  return current;
}

function attempted(version: number, migrate: () => unknown): unknown {
  let state: unknown;
  try {
    state = migrate();
  } catch (error) {
    throw new MigrationFailure(version, error);
  }
  if (!isPromise(state as never)) return state;
  throw new MigrationFailure(version, new UserCodeError('it returned a promise, and a migration is synchronous'));
}
