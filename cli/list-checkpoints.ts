import type { SnapshotStore, TaskRef } from '../lib/checkpoint/snapshot-store.ts';
import { checkpointLines, type ListedCheckpoint, listed } from './checkpoint-list.ts';
import { UsageError } from './exit-code.ts';

export interface ListOptions {
  /** Only the tasks of this job. */
  readonly job?: string | undefined;
  readonly isJson: boolean;
  /** Wall clock, ms since 1970. */
  readonly now: number;
}

/** The checkpoints in a store as text; reads only. `UsageError` where there is nothing of the job. */
export async function listCheckpoints(store: SnapshotStore, { job, isJson, now }: ListOptions): Promise<string> {
  const all = await store.tasks();
  const tasks = job === undefined ? all : all.filter(task => task.job === job);
  if (tasks.length === 0 && job !== undefined) {
    const known = [...new Set(all.map(task => task.job))].join(', ');
    throw new UsageError(
      `${placeOf(store)} has nothing of a job "${job}"; ${known ? `it has ${known}` : 'it is empty'}.`,
    );
  }
  const found: { readonly task: TaskRef; readonly rows: ListedCheckpoint[] }[] = [];
  for (const task of tasks) {
    const manifests = await store.task(task).manifests();
    found.push({ task, rows: manifests.map(manifest => listed(manifest, now)) });
  }
  if (isJson)
    return `${JSON.stringify(
      found.flatMap(({ rows }) => rows),
      null,
      2,
    )}\n`;
  if (found.length === 0) return `${placeOf(store)} is empty.\n`;
  return `${found.map(({ task, rows }) => checkpointLines(task, rows).join('\n')).join('\n\n')}\n`;
}

const placeOf = (store: SnapshotStore): string => `The ${store.kind} store at ${store.location}`;
