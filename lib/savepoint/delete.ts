import { newestConfirmed } from '../checkpoint/recovery-decision.ts';
import { appliedNote, keepNote, readNotes, releaseNote } from '../checkpoint/savepoint-notes.ts';
import type { SnapshotStore, TaskStore } from '../checkpoint/snapshot-store.ts';
import { manifestName } from '../checkpoint/store-rules.ts';
import { FencedError, StateLostError } from '../errors.ts';
import { findSavepoint, savepointsOf } from './savepoint.ts';

/**
 * Deletes a savepoint. What other checkpoints share with it stays; where it is the newest checkpoint of its job, it becomes an
 * ordinary one, which goes when newer ones have come. The job may run meanwhile.
 */
export async function deleteSavepoint(store: SnapshotStore, job: string, name: string): Promise<void> {
  const { tasks } = await findSavepoint(store, job, name);
  for (const { manifest } of tasks) await deleteOf(store.task(manifest), name);
}

async function deleteOf(task: TaskStore, name: string): Promise<void> {
  for (const { manifest, isKept } of (await savepointsOf(task)).filter(savepoint => savepoint.name === name)) {
    await task.removeNote(appliedNote(manifest));
    if (isKept) {
      await task.removeNote(keepNote(manifest));
      continue;
    }
    // From now on it expires; what follows only frees the space at once.
    await task.putNote(releaseNote(manifest), '');
    const newest = newestConfirmed(await task.manifests());
    const { kept } = readNotes(await task.notes());
    if (newest?.id === manifest.id || kept.has(manifestName(manifest))) continue;
    try {
      // Under the token of whoever holds the task: it is not fenced off, and drops the same by the same rules.
      await task.collect(await task.fence(), [manifest.id]);
      await task.removeNote(releaseNote(manifest));
    } catch (error) {
      // It was taken over just now, or has lost something: the next retention of the job, or its next start, sees to it.
      if (!(error instanceof FencedError || error instanceof StateLostError)) throw error;
    }
  }
}
