import type { Manifest, TaskLayout } from '../checkpoint/manifest.ts';
import type { TaskRef } from '../checkpoint/snapshot-store.ts';
import { PartitionCountChangedError, TaskLayoutError } from '../errors.ts';
import { currentTasks, type StoredTask, shapeOf } from './current-tasks.ts';

/** How many tasks a job has, and how many partitions its topics have. */
export type JobShape = Omit<TaskLayout, 'index'>;

/** What ways out there are where state is spread in another way than the job is to run. */
const waysOut =
  'Stop the job as it was with a savepoint (tidemark savepoint stop) and start it from that (--from-savepoint), which spreads its state anew; ' +
  'or start it under another name.';

/**
 * Throws when the state in `committed` is not that of this task: another number of tasks, one task where there were several, or
 * other partition counts under keys, which would then be looked for where they are not.
 */
export function verifyLayout(
  ref: TaskRef,
  layout: TaskLayout | undefined,
  committed: Pick<Manifest, 'tasks'> | undefined,
  hasKeys: boolean,
): void {
  if (!committed) return;
  const { tasks: stored } = committed;
  if (stored?.count !== layout?.count || stored?.index !== layout?.index) {
    throw new TaskLayoutError(
      `The stored state of the job "${ref.job}" is ${shown(stored)}, and it is started as ${shown(layout)}. ${waysOut}`,
      { context: { ...ref } },
    );
  }
  if (stored?.spread !== layout?.spread) {
    throw new TaskLayoutError(
      `The job "${ref.job}" was started from a savepoint, or without one, while this process ran it as it was before: the stored state of task ` +
        `${ref.task} is of another line. Start this process again, with the settings of the others.`,
      { context: { ...ref } },
    );
  }
  if (stored && layout && hasKeys) verifyPartitions(ref, stored.partitions, layout.partitions);
}

/** Throws when a job that starts as one task has newer state of several: it would begin behind what they have read. */
export function verifyAlone(ref: TaskRef, stored: readonly StoredTask[]): void {
  const current = currentTasks(stored);
  if (!current?.layout) return;
  throw new TaskLayoutError(
    `The stored state of the job "${ref.job}" is that of ${current.layout.count} per-partition tasks, and it is started as one task. ${waysOut}`,
    { context: { ...ref } },
  );
}

/** Throws `PartitionCountChangedError` where a topic has another number of partitions than when the state was written. */
export function verifyPartitions(
  ref: { readonly job: string; readonly task?: string },
  before: TaskLayout['partitions'],
  now: TaskLayout['partitions'],
): void {
  for (const [topic, partitions] of Object.entries(before)) {
    const count = now[topic];
    if (count === undefined || count === partitions) continue;
    throw new PartitionCountChangedError(
      `The topic ${topic} has ${count} partitions and had ${partitions} when the state of the job "${ref.job}" was written: records of ` +
        `a key may come to another task now than the one that has its state. ${waysOut}`,
      { context: { ...ref, topic, before: partitions, now: count } },
    );
  }
}

/** The shape that the stored state of a job has; throws where its tasks disagree, and where it is that of one task. */
export function storedShape(job: string, manifests: readonly Pick<Manifest, 'tasks' | 'task'>[]): JobShape | undefined {
  let found: { readonly shape: JobShape; readonly task: string } | undefined;
  for (const { tasks, task } of manifests) {
    if (!tasks) {
      throw new TaskLayoutError(
        `The stored state of the job "${job}" is that of one task ("${task}"), and it is started with tasks for partitions. ${waysOut}`,
        { context: { job, task } },
      );
    }
    if (found && found.shape.count !== tasks.count) {
      throw new TaskLayoutError(
        `The stored state of the job "${job}" is of ${found.shape.count} tasks in task ${found.task} and of ${tasks.count} in ` +
          `task ${task}: processes with another maxTasks have written it. ${waysOut}`,
        { context: { job } },
      );
    }
    found ??= { shape: shapeOf(tasks), task };
  }
  return found?.shape;
}

const shown = (layout: TaskLayout | undefined): string =>
  layout === undefined ? 'one task' : `task ${layout.index} of ${layout.count}`;
