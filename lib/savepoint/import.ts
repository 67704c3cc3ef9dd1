import type { ActorEntry, Manifest } from '../checkpoint/manifest.ts';
import { newestConfirmed } from '../checkpoint/recovery-decision.ts';
import { keepNote, keepText } from '../checkpoint/savepoint-notes.ts';
import { type SnapshotStore, type TaskStore, tokenOfSegment } from '../checkpoint/snapshot-store.ts';
import { SavepointError } from '../errors.ts';
import { copySegments, segmentBytes } from './copy-segments.ts';
import { originOf, type SavedTask, type Savepoint } from './savepoint.ts';

export interface ImportSavepointOptions {
  /** Under which the job will run; its own when left out. */
  readonly job?: string;
}

/**
 * Puts a savepoint into a store that has nothing of the job: there it is the newest committed checkpoint. Under its own name the job
 * has moved, ids and fence tokens included, so that Kafka's commit record and files know it again; under another name it is a fork.
 */
export async function importSavepoint(
  store: SnapshotStore,
  savepoint: Savepoint,
  { job = savepoint.job }: ImportSavepointOptions = {},
): Promise<void> {
  for (const task of savepoint.tasks) {
    const target = store.task({ job, task: task.manifest.task });
    const newest = newestConfirmed(await target.manifests());
    if (newest && isSame(newest, task.manifest, job)) continue;
    if (newest) {
      throw new SavepointError(
        `The ${store.kind} store at ${store.location} has state of job "${job}" already, checkpoint ${newest.id}: import it under ` +
          'another name, or start the job from the savepoint, which says what that takes.',
        { context: { job, task: newest.task } },
      );
    }
    if (job === savepoint.job) await move(task, target, savepoint);
    else await fork(task, target, savepoint, job);
  }
}

const isSame = (newest: Manifest, saved: Manifest, job: string): boolean => {
  const { checksum } = originOf(saved);
  return job === saved.job ? originOf(newest).checksum === checksum : newest.origin?.checksum === checksum;
};

/** As it is: under the tokens that it was written under, lowest first. Begun again, it finds what it has written. */
export async function move(task: SavedTask, target: TaskStore, { name }: Pick<Savepoint, 'name'>): Promise<void> {
  const { manifest } = task;
  const segments = Object.entries(manifest.actors).flatMap(([actor, entry]) =>
    entry.segments.map(segment => ({ actor, segment, token: tokenOfSegment(segment.name) })),
  );
  const tokens = [...new Set([...segments.map(({ token }) => token), manifest.token])].sort((a, b) => a - b);
  for (const token of tokens) {
    const fence = await target.fence();
    if (fence > token) {
      const isComplete = (
        await Promise.all(segments.filter(one => one.token === token).map(one => target.getSegment(one.segment.name)))
      ).every(bytes => bytes !== undefined);
      if (isComplete && token !== manifest.token) continue;
      throw new SavepointError(
        `The store has run job "${manifest.job}" beyond fence token ${token}, so the savepoint cannot take its old place there: ` +
          'start the job from the savepoint, or import it under another name.',
        { context: { job: manifest.job, task: manifest.task } },
      );
    }
    if (fence < token) await target.acquireFence(token - 1);
    for (const { actor, segment } of segments.filter(one => one.token === token)) {
      if ((await target.getSegment(segment.name)) !== undefined) continue;
      await target.putSegment(token, segment.name, await segmentBytes(task, segment, actor));
    }
  }
  await target.prepare(manifest.token, manifest);
  if (manifest.kind === 'checkpoint')
    await target.putNote(keepNote(manifest), keepText({ name, createdAt: Date.now() }));
  await target.confirm(manifest.token, manifest.id);
}

async function fork(task: SavedTask, target: TaskStore, { name }: Savepoint, job: string): Promise<void> {
  const { manifest } = task;
  const token = await target.acquireFence(manifest.token - 1);
  const actors: Record<string, ActorEntry> = await copySegments(task, target, { token, id: manifest.id });
  await target.prepare(token, forked(manifest, { job, token, name, actors }));
  await target.confirm(token, manifest.id);
}

/** The state for a job of another name: nothing in it leads to what the original writes, or to what decides about it. */
export function forked(
  manifest: Manifest,
  to: { readonly job: string; readonly token: number; readonly name: string; readonly actors: Manifest['actors'] },
): Manifest {
  const { commitPoint, ...rest } = manifest;
  const { job, token, name, actors } = to;
  return {
    ...rest,
    job,
    token,
    actors,
    kind: 'savepoint',
    savepoint: { name },
    origin: originOf(manifest),
    sinks: {},
  };
}
