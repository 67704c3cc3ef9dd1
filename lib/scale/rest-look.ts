import type { Manifest, RestEntry, TaskLayout } from '../checkpoint/manifest.ts';
import type { SnapshotStore, TaskRef } from '../checkpoint/snapshot-store.ts';
import { andThen, type MaybePromise } from '../maybe-promise.ts';
import { restOf } from './channel-state.ts';
import { restId } from './rest-state.ts';

/** Looks whether all tasks of a job have committed that they are at rest for one savepoint; those that were found are not asked for again. */
export function allAtRest(
  store: SnapshotStore,
  job: string,
  { count, spread }: Pick<TaskLayout, 'count' | 'spread'>,
): (entry: RestEntry) => MaybePromise<boolean> {
  const found = new Set<string>();
  const isThere = (manifest: Manifest, rest: string) =>
    manifest.tasks?.spread === spread && (restOf(manifest) === rest || manifest.jobFinished);
  const lookAt = (index: number, rest: string): MaybePromise<boolean> => {
    if (index === count) return true;
    const ref: TaskRef = { job, task: `${index}` };
    const known = `${index} ${rest}`;
    if (found.has(known)) return lookAt(index + 1, rest);
    return andThen(store.task(ref).manifests(), manifests => {
      if (!manifests.some(({ manifest, confirmed }) => confirmed && isThere(manifest, rest))) return false;
      found.add(known);
      return lookAt(index + 1, rest);
    });
  };
  return entry => lookAt(0, restId(entry));
}
