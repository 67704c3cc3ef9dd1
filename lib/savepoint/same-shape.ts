import type { Manifest, TaskLayout } from '../checkpoint/manifest.ts';
import type { SourceEntry } from '../checkpoint/participants.ts';
import type { TaskRef } from '../checkpoint/snapshot-store.ts';
import { channelPrefix, hasChannels } from '../scale/channel-state.ts';
import type { SavedTasks } from './saved-tasks.ts';
import type { SavedTask } from './savepoint.ts';

/** Whether a start from it makes new incarnations of its channels: then it is a spread of its own, also over as many tasks as before. */
export const beginsChannels = ({ tasks }: Pick<SavedTasks, 'tasks'>): boolean =>
  tasks.some(({ manifest }) => hasChannels(manifest));

/** A channel as a new incarnation of it begins: empty, at the time that it had reached. */
export const channelBegun = ({ finished, watermark }: SourceEntry): SourceEntry => ({
  position: null,
  finished,
  watermark,
});

/** What a task begins with that has the same part of the state as one of the savepoint, but new channels to the others. */
export function sameManifest({ manifest }: SavedTask, ref: TaskRef, layout: TaskLayout): Manifest {
  const { rest, savepoint, origin, commitPoint, ...kept } = manifest;
  const sources = Object.entries(manifest.sources).map(
    ([name, entry]) => [name, name.startsWith(channelPrefix) ? channelBegun(entry) : entry] as const,
  );
  return { ...kept, ...ref, sources: Object.fromEntries(sources), actors: {}, sinks: {}, closed: true, tasks: layout };
}
