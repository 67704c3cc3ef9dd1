import { type Manifest, manifestChecksum, type Origin } from '../checkpoint/manifest.ts';
import { readNotes } from '../checkpoint/savepoint-notes.ts';
import type { SnapshotStore, TaskRef, TaskStore } from '../checkpoint/snapshot-store.ts';
import { manifestName } from '../checkpoint/store-rules.ts';
import { SavepointError } from '../errors.ts';
import { andThen, type MaybePromise } from '../maybe-promise.ts';

/** What a savepoint holds of one task: its manifest, and the segments that it names. */
export interface SavedTask {
  readonly manifest: Manifest;
  getSegment(name: string): MaybePromise<Uint8Array | undefined>;
}

/** A savepoint, in a store or in a directory. */
export interface Savepoint {
  readonly job: string;
  readonly name: string;
  /** Wall clock, ms since 1970: when its state was taken. */
  readonly createdAt: number;
  /** For people: the directory or the store. */
  readonly where: string;
  /** Of each task of the job. */
  readonly tasks: readonly SavedTask[];
}

/** A savepoint of one task in a store. */
interface StoredSavepoint {
  readonly name: string;
  readonly manifest: Manifest;
  /** A checkpoint that was made a savepoint while nobody ran the job. */
  readonly isKept: boolean;
}

const form = /^[a-z][a-z0-9._-]{0,99}$/;

/** Names tell savepoints of a job apart. Throws a `SavepointError`. */
export function verifySavepointName(name: string): void {
  if (form.test(name)) return;
  throw new SavepointError(
    `"${name}" is no name for a savepoint: it begins with a-z, and goes on with a-z, digits, ".", "-" and "_", 100 at most.`,
  );
}

/** The savepoints of one task, oldest first. */
export function savepointsOf(store: TaskStore): MaybePromise<readonly StoredSavepoint[]> {
  return andThen(store.manifests(), stored =>
    andThen(store.notes(), notes => {
      const { kept, released } = readNotes(notes);
      return stored.flatMap(({ manifest, confirmed }) => {
        if (!confirmed) return [];
        const found: StoredSavepoint[] = [];
        const key = manifestName(manifest);
        if (manifest.kind === 'savepoint' && !released.has(key)) {
          found.push({ name: manifest.savepoint?.name ?? `checkpoint-${manifest.id}`, manifest, isKept: false });
        }
        const mark = kept.get(key);
        if (mark) found.push({ name: mark.name, manifest, isKept: true });
        return found;
      });
    }),
  );
}

/** The savepoints in a store, of one job or of all, oldest first. */
export async function listSavepoints(store: SnapshotStore, job?: string): Promise<readonly Savepoint[]> {
  const found = new Map<string, { job: string; name: string; tasks: SavedTask[] }>();
  for (const ref of await tasksOf(store, job)) {
    const task = store.task(ref);
    for (const { name, manifest } of await savepointsOf(task)) {
      const key = JSON.stringify([ref.job, name]);
      const entry = found.get(key) ?? { job: ref.job, name, tasks: [] };
      entry.tasks.push({ manifest, getSegment: segment => task.getSegment(segment) });
      found.set(key, entry);
    }
  }
  return [...found.values()]
    .map(entry => ({
      ...entry,
      where: placeOf(store),
      createdAt: Math.max(...entry.tasks.map(({ manifest }) => manifest.createdAt)),
    }))
    .sort((a, b) => a.createdAt - b.createdAt);
}

/** A savepoint in a store. A `SavepointError` that names those that are there when there is none of the name. */
export async function findSavepoint(store: SnapshotStore, job: string, name: string): Promise<Savepoint> {
  const all = await listSavepoints(store, job);
  const found = all.find(savepoint => savepoint.name === name);
  if (found) return found;
  const known = all.map(savepoint => savepoint.name).join(', ');
  throw new SavepointError(
    `There is no savepoint "${name}" of job "${job}" in ${placeOf(store)}; ${known ? `it has ${known}` : 'it has none of this job'}.`,
    { context: { job } },
  );
}

/** A committed checkpoint of a job, of the task that has it, as if it were a savepoint. */
export async function findCheckpoint(store: SnapshotStore, job: string, id: number): Promise<Savepoint> {
  const tasks: SavedTask[] = [];
  for (const ref of await tasksOf(store, job)) {
    const task = store.task(ref);
    const found = (await task.manifests()).find(({ manifest, confirmed }) => confirmed && manifest.id === id);
    if (found) tasks.push({ manifest: found.manifest, getSegment: name => task.getSegment(name) });
  }
  const [first] = tasks;
  if (!first) throw new SavepointError(`There is no committed checkpoint ${id} of job "${job}" in ${placeOf(store)}.`);
  return { job, name: `checkpoint-${id}`, createdAt: first.manifest.createdAt, where: placeOf(store), tasks };
}

const placeOf = ({ kind, location }: SnapshotStore): string => `the ${kind} store at ${location}`;

async function tasksOf(store: SnapshotStore, job: string | undefined): Promise<readonly TaskRef[]> {
  return (await store.tasks()).filter(ref => job === undefined || ref.job === job);
}

/** Tells the state of a task from any other, wherever it lies. */
export function originOf(manifest: Manifest): Origin {
  const { job, task, id } = manifest;
  return { job, task, id, checksum: manifestChecksum(manifest) };
}
