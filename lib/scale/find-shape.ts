import { highestId } from '../checkpoint/recovery-decision.ts';
import type { SnapshotStore } from '../checkpoint/snapshot-store.ts';
import type { ResolvedSettings } from '../job/settings.ts';
import type { Logger } from '../observe/logger.ts';
import { chosenOrigin, rewindOf } from '../savepoint/rewind.ts';
import { beginsChannels } from '../savepoint/same-shape.ts';
import { notSpreadYet, originOfAll, savedTasks } from '../savepoint/saved-tasks.ts';
import { isSameSpread, openSavepoint } from '../savepoint/start-from.ts';
import { hasKeyedState, type WirableNode } from '../stream/node.ts';
import { channelsOf } from './channels.ts';
import { type CurrentTasks, currentTasks, newestOfAll, storedTasks } from './current-tasks.ts';
import { markersPerSecond, verifyMarkerCost } from './marker-cost.ts';
import { type JobShape, storedShape, verifyPartitions } from './task-layout.ts';
import type { TaskSharing } from './task-share.ts';

/** A job that is about to run in several tasks. */
export interface SpreadJob {
  readonly job: string;
  readonly settings: ResolvedSettings;
  readonly nodes: readonly WirableNode[];
  readonly store: SnapshotStore;
  readonly sharing: TaskSharing;
  readonly logger: Logger;
}

export interface FoundShape {
  readonly shape: JobShape;
  /** The highest id of each task that the store knows, by the task's name. */
  readonly highestIds: ReadonlyMap<string, number>;
}

/**
 * How many tasks a job has, from what its topics have, what the store has of it, and the savepoint that it starts from. Where it
 * begins, its channels are cleared of what an earlier job of its name has left. Throws what speaks against a start.
 */
export async function findShape(of: SpreadJob): Promise<FoundShape> {
  const stored = await storedTasks(of.store, of.job);
  const highestIds = new Map(stored.map(({ task, manifests }) => [task, highestId(manifests)]));
  if (of.settings.tasks === 'standby') return { shape: { count: 1, partitions: {} }, highestIds };
  const { shape, begins } = await decided(of, currentTasks(stored));
  verifyCost(of, shape);
  if (begins) await clearChannels(of, shape);
  return { shape, highestIds };
}

/** `begins`: in tasks that the job did not have before. */
async function decided(
  of: SpreadJob,
  current: CurrentTasks | undefined,
): Promise<{ readonly shape: JobShape; readonly begins: boolean }> {
  const { job, settings, nodes, sharing } = of;
  const { tasks, partitions } = await sharing.shape(settings.maxTasks);
  const savepoint = await savepointOf(of, current, { count: tasks, partitions });
  if (savepoint !== undefined && savepoint !== current?.layout?.spread) {
    return { shape: { count: tasks, partitions, spread: savepoint }, begins: true };
  }
  const known = storedShape(job, newestOfAll(current?.tasks ?? []));
  if (known?.spread !== undefined && savepoint === undefined && current && current.missing.length > 0) {
    throw notSpreadYet(job, current.missing);
  }
  if (known && hasKeyedState(nodes)) verifyPartitions({ job }, known.partitions, partitions);
  const spread = known?.spread;
  const shape = { count: known?.count ?? tasks, partitions, ...(spread === undefined ? {} : { spread }) };
  return { shape, begins: !known };
}

/** What tells the tasks that are filled from the savepoint; `undefined` without one, and where its tasks are those of the job. */
async function savepointOf(
  { job, settings: { fromSavepoint, recovery }, nodes, store }: SpreadJob,
  current: CurrentTasks | undefined,
  now: JobShape,
): Promise<string | undefined> {
  if (fromSavepoint === undefined) return undefined;
  const savepoint = await openSavepoint(store, job, fromSavepoint);
  const saved = savedTasks(savepoint);
  const origin = originOfAll(saved);
  const before = current?.layout;
  const keep = hasKeyedState(nodes);
  const isInPlace =
    !beginsChannels(saved) &&
    before?.spread !== origin.checksum &&
    before !== undefined &&
    saved.layout !== undefined &&
    isSameSpread(before, saved.layout, keep) &&
    isSameSpread(before, now, keep);
  const rewind = rewindOf(recovery.rewind);
  const target = isInPlace ? 'in place' : 'several';
  const { checksum } = chosenOrigin({ job, task: '' }, current, { savepoint, origin, rewind, target });
  return isInPlace && checksum === origin.checksum ? undefined : checksum;
}

/** What an earlier job of this name left on its way between tasks belongs to no state any more. */
async function clearChannels({ job, nodes, store }: SpreadJob, shape: JobShape): Promise<void> {
  const channels = [...channelsOf(job, shape, nodes).values()];
  if (channels.length === 0) return;
  const ends = await Promise.all(channels.map(channel => channel.ends()));
  // Asked after the ends: of whatever a task of this job had committed before them, the store knows.
  const isKnown = newestOfAll(await storedTasks(store, job)).some(
    ({ tasks }) => shape.spread === undefined || tasks?.spread === shape.spread,
  );
  if (isKnown) return;
  await Promise.all(channels.map((channel, i) => channel.forget(ends[i] ?? [])));
}

/** What a shuffle costs grows with the square of the tasks: it is said, and bounded. */
function verifyCost({ job, nodes, settings, logger }: SpreadJob, { count: tasks }: JobShape): void {
  const channels = tasks > 1 ? nodes.filter(({ kind }) => kind === 'repartition').length : 0;
  if (channels === 0) return;
  const request = { tasks, channels, interval: settings.checkpoint.interval };
  verifyMarkerCost(job, request, settings.maxMarkers);
  const markersASecond = Math.ceil(markersPerSecond(request));
  logger.info({ job, tasks, channels, markersASecond }, 'records are repartitioned between all tasks');
}
