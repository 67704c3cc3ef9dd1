import { createHash } from 'node:crypto';
import {
  type ActorEntry,
  type Manifest,
  manifestChecksum,
  type Origin,
  segmentsOf,
  type TaskLayout,
} from '../checkpoint/manifest.ts';
import { SavepointError } from '../errors.ts';
import { underWay } from '../scale/channel-state.ts';
import { shapeOf } from '../scale/current-tasks.ts';
import { originOf, type SavedTask, type Savepoint } from './savepoint.ts';

/** All tasks of a savepoint, in order. */
export interface SavedTasks {
  readonly tasks: readonly SavedTask[];
  /** How they are spread; `undefined`: the job was one task. */
  readonly layout: Omit<TaskLayout, 'index'> | undefined;
}

/** Throws a `SavepointError` where tasks of a savepoint of several are missing, or are of different spreads. */
export function savedTasks({ job, name, tasks }: Pick<Savepoint, 'job' | 'name' | 'tasks'>): SavedTasks {
  const refuse = (what: string) =>
    new SavepointError(`The savepoint "${name}" of job "${job}" cannot be used: ${what}.`, { context: { job } });
  const [first] = tasks;
  if (!first) throw refuse('it has no task');
  const way = underWay(tasks.map(({ manifest }) => manifest));
  if (way !== undefined) throw refuse(way);
  const layout = first.manifest.tasks;
  if (!layout) {
    if (tasks.some(({ manifest }) => manifest.tasks)) throw refuse('it has state of one task and of several');
    return { tasks, layout: undefined };
  }
  const byIndex = new Map<number, SavedTask>();
  for (const task of tasks) {
    const { tasks: own, task: of } = task.manifest;
    if (own?.count !== layout.count)
      throw refuse(`task ${of} is one of ${own?.count ?? 1}, and task ${first.manifest.task} one of ${layout.count}`);
    byIndex.set(own.index, task);
  }
  const missing = Array.from({ length: layout.count }, (_, index) => index).filter(index => !byIndex.has(index));
  if (missing.length > 0) throw refuse(`it lacks the state of the tasks ${missing.join(', ')} of ${layout.count}`);
  const changed = tasks.find(
    ({ manifest }) => JSON.stringify(sorted(manifest)) !== JSON.stringify(sorted(first.manifest)),
  );
  if (changed) {
    throw refuse(
      `topics had other numbers of partitions in task ${changed.manifest.task} than in task ${first.manifest.task}: start the job in ` +
        'place once, and take another',
    );
  }
  return {
    tasks: [...byIndex].sort(([a], [b]) => a - b).map(([, task]) => task),
    layout: shapeOf(layout),
  };
}

const sorted = ({ tasks }: Manifest) => Object.entries(tasks?.partitions ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));

/** What tells the state of a savepoint, spread anew, from any other. */
export function originOfAll({ tasks }: SavedTasks): Origin {
  const [first] = tasks as readonly [SavedTask, ...SavedTask[]];
  const digest = createHash('sha256').update(JSON.stringify(tasks.map(({ manifest }) => manifestChecksum(manifest))));
  return {
    ...originOf(first.manifest),
    id: Math.max(...tasks.map(({ manifest }) => manifest.id)),
    checksum: digest.digest('hex'),
  };
}

/** All that the tasks hold, as if it were one: to look at what its actors have. */
export function mergedTask({ tasks }: SavedTasks): SavedTask {
  const [first] = tasks as readonly [SavedTask, ...SavedTask[]];
  if (tasks.length === 1) return first;
  const actors: Record<string, ActorEntry> = {};
  for (const { manifest } of tasks) {
    for (const [name, { version, keys, segments }] of Object.entries(manifest.actors)) {
      const before = Object.hasOwn(actors, name) ? actors[name] : undefined;
      actors[name] = {
        version: Math.max(before?.version ?? 0, version),
        keys: (before?.keys ?? 0) + keys,
        segments: [...(before?.segments ?? []), ...segments],
      };
    }
  }
  const homes = new Map(tasks.flatMap(task => segmentsOf(task.manifest).map(name => [name, task] as const)));
  const jobFinished = tasks.every(({ manifest }) => manifest.jobFinished);
  return {
    manifest: { ...first.manifest, jobFinished, actors },
    getSegment: name => homes.get(name)?.getSegment(name),
  };
}

export const notSpreadYet = (job: string, missing: readonly string[]): SavepointError =>
  new SavepointError(
    `The state of job "${job}" was being spread anew from a savepoint, and the tasks ${missing.join(', ')} have none of it yet: start the ` +
      'job from that savepoint again (--from-savepoint), which goes on with it.',
    { context: { job } },
  );
