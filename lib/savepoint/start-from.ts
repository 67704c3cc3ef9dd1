import type { Recovered } from '../checkpoint/commit-point.ts';
import { type Manifest, manifestChecksum, type Origin, type TaskLayout } from '../checkpoint/manifest.ts';
import type { SnapshotStore, TaskRef, TaskStore } from '../checkpoint/snapshot-store.ts';
import { SavepointError } from '../errors.ts';
import { andThen, attempt, type MaybePromise } from '../maybe-promise.ts';
import { copySegments } from './copy-segments.ts';
import { isSavepointDirectory, readSavepointDirectory } from './directory.ts';
import { move } from './import.ts';
import { outputStays, type Rewind, rewoundOrigin } from './rewind.ts';
import { beginsChannels } from './same-shape.ts';
import { mergedTask, originOfAll, type SavedTasks, savedTasks } from './saved-tasks.ts';
import { findCheckpoint, findSavepoint, originOf, type SavedTask, type Savepoint } from './savepoint.ts';

/** What a start is asked to begin with. */
export interface SavepointStart {
  readonly savepoint: Savepoint;
  /** Of several that are spread anew: all that they hold. */
  readonly task: SavedTask;
  /** Its tasks, where they are not those of the job that starts: its state is spread anew. */
  readonly spread?: SavedTasks;
  readonly origin: Origin;
  readonly rewind: Rewind | undefined;
}

/**
 * Finds a savepoint: a directory that `export` wrote, the name of one of the job in the store, or `<job>/<name>` for one of another
 * job there. The id of a committed checkpoint does in the place of a name.
 */
export async function openSavepoint(store: SnapshotStore, job: string | undefined, given: string): Promise<Savepoint> {
  if (await isSavepointDirectory(given)) return readSavepointDirectory(given);
  const at = given.lastIndexOf('/');
  const of = at > 0 ? given.slice(0, at) : job;
  const name = given.slice(at + 1);
  if (of !== undefined) {
    return /^[1-9]\d{0,14}$/.test(name) ? findCheckpoint(store, of, Number(name)) : findSavepoint(store, of, name);
  }
  throw new SavepointError(
    `"${given}" is neither a directory with a savepoint, nor of the form <job>/<name> or <job>/<checkpoint id>.`,
  );
}

/** How the tasks are spread that start from a savepoint. */
export interface StartLayout {
  readonly layout: TaskLayout | undefined;
  /** Whether state is kept by keys, which partitions spread. */
  readonly hasSpreadKeys: boolean;
}

/** The part of a savepoint that a task starts from. */
export function startOf(
  savepoint: Savepoint,
  ref: TaskRef,
  rewind: Rewind | undefined,
  { layout, hasSpreadKeys }: StartLayout = { layout: undefined, hasSpreadKeys: false },
): SavepointStart {
  const saved = savedTasks(savepoint);
  const origin = originOfAll(saved);
  const rewound = rewind && rewoundOrigin(origin, rewind);
  // Going back in several tasks begins a spread of its own, also over as many as before.
  const isRewound = layout
    ? layout.spread !== undefined && layout.spread === rewound?.checksum
    : (rewind?.length ?? 1) > 1;
  if (!isSameSpread(saved.layout, layout, hasSpreadKeys) || beginsChannels(saved) || isRewound) {
    if (!saved.layout && saved.tasks.length > 1) {
      throw new SavepointError(
        `The savepoint "${savepoint.name}" of job "${savepoint.job}" has ${saved.tasks.length} tasks of their own, which cannot be spread ` +
          'over partitions.',
        { context: { ...ref } },
      );
    }
    return {
      savepoint,
      task: mergedTask(saved),
      origin: (layout && isRewound && rewound) || origin,
      rewind,
      spread: saved,
    };
  }
  const task = saved.tasks.find(({ manifest }) => manifest.task === ref.task);
  if (task) return { savepoint, task, origin: originOf(task.manifest), rewind };
  const known = savepoint.tasks.map(({ manifest }) => `"${manifest.task}"`).join(', ');
  throw new SavepointError(
    `The savepoint "${savepoint.name}" of job "${savepoint.job}" has no task "${ref.task}"; it has ${known}. Set the task to one of ` +
      'them.',
    { context: { ...ref } },
  );
}

/** Whether state of the one spread is where the other looks for it. */
export function isSameSpread(
  before: SavedTasks['layout'],
  now: Omit<TaskLayout, 'index'> | undefined,
  hasSpreadKeys: boolean,
): boolean {
  if (before?.count !== now?.count) return false;
  if (!before || !now || !hasSpreadKeys) return true;
  return Object.entries(before.partitions).every(([topic, count]) => (now.partitions[topic] ?? count) === count);
}

/**
 * Whether a start goes on from `newest`, which descends from the savepoint, or goes back to the savepoint. Pure. Throws a
 * `SavepointError` where that gives up a checkpoint that nobody has named.
 */
export function decideStart(
  ref: TaskRef,
  newest: Manifest | undefined,
  { savepoint, origin, rewind, spread }: Pick<SavepointStart, 'savepoint' | 'origin' | 'rewind' | 'spread'>,
): 'resume' | 'restore' {
  if (spread) {
    // What has gone on since was looked at before (`verifyNotPassed`): what lies here otherwise is left over from an older spread.
    return newest?.origin?.checksum === origin.checksum ? 'resume' : 'restore';
  }
  const isGivenUp = rewind?.length === 1 && newest?.id === rewind[0];
  if (!newest || isGivenUp || manifestChecksum(newest) === origin.checksum) return 'restore';
  if (newest.origin?.checksum === origin.checksum) return 'resume';
  const isSame = origin.job === ref.job && origin.task === ref.task;
  throw new SavepointError(
    `The job "${ref.job}" has checkpoint ${newest.id}, which does not descend from the savepoint "${savepoint.name}"` +
      `${isSame ? `, taken at checkpoint ${origin.id}` : ` of job "${origin.job}"`}: started from it, what the job has done since is ` +
      `forgotten, and what it has written since is written again.${outputStays(newest)} Start the job without the savepoint to go on; under another ` +
      `name to keep both; or give up checkpoint ${newest.id} for it (--rewind ${newest.id}, recovery.rewind).`,
    { context: { ...ref, checkpointId: newest.id } },
  );
}

/** In a store that has nothing of the job, its savepoint takes its old place, so that what decides about it knows it again. */
export function prepareStart(
  store: TaskStore,
  ref: TaskRef,
  { task, savepoint, spread }: SavepointStart,
): MaybePromise<void> {
  if (spread) return;
  const { job, task: name, token } = task.manifest;
  if (job !== ref.job || name !== ref.task) return;
  return andThen(store.manifests(), stored => {
    if (stored.length > 0) return;
    const moved = (fence: number) =>
      attempt<void>(
        () => (fence <= token ? move(task, store, savepoint) : undefined),
        error => {
          // Its old place is taken: it is copied once this incarnation holds the fence.
          if (!(error instanceof SavepointError)) throw error;
        },
      );
    return andThen(store.fence(), moved);
  });
}

/**
 * What a task goes on from when it starts from a savepoint: its state, in the store of the task, to be committed as a new and higher
 * checkpoint before the first element. `spread`: the mark of the tasks that start.
 */
export function startFrom(
  store: TaskStore,
  ref: TaskRef,
  start: SavepointStart,
  found: Recovered,
  spread?: string,
): MaybePromise<Recovered> {
  if (decideStart(ref, found.committed, start) === 'resume') return found;
  const { task, origin } = start;
  const { manifest } = task;
  const isSame = origin.job === ref.job && origin.task === ref.task;
  const isHere = isSame && found.stored.some(stored => manifestChecksum(stored.manifest) === origin.checksum);
  const lastId = Math.max(found.lastId, manifest.id);
  const tasks = manifest.tasks && { tasks: withMark(manifest.tasks, spread) };
  const actors = isHere ? manifest.actors : copySegments(task, store, { token: found.token, id: lastId + 1 });
  return andThen(actors, own => ({
    ...found,
    lastId,
    // What the original may not have made visible yet is its own to make visible.
    committed: { ...manifest, ...ref, ...tasks, actors: own, sinks: isSame ? manifest.sinks : {} },
    origin,
    takesOver: true,
  }));
}

const withMark = ({ spread: _, ...layout }: TaskLayout, spread: string | undefined): TaskLayout => ({
  ...layout,
  ...(spread === undefined ? {} : { spread }),
});
