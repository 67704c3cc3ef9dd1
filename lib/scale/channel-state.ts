import type { Manifest } from '../checkpoint/manifest.ts';
import { restId } from './rest-state.ts';

/** The name of a channel's source and sink, as manifests have it. */
export const channelPrefix = 'repartition:';

/** Whether the task had channels to others. */
export const hasChannels = ({ tasks, sources }: Pick<Manifest, 'tasks' | 'sources'>): boolean =>
  (tasks?.count ?? 1) > 1 && Object.keys(sources).some(name => name.startsWith(channelPrefix));

/** What a task rests for whose records are all with those who read them; a task that has finished has nothing under way either. */
export function restOf({ rest, jobFinished }: Pick<Manifest, 'rest' | 'jobFinished'>): string | undefined {
  if (rest?.phase === 'there') return restId(rest);
  return jobFinished ? finished : undefined;
}

const finished = '';

/** Why the manifests of a job's tasks are no savepoint: records may be on their way that none of them holds. */
export function underWay(manifests: readonly Manifest[]): string | undefined {
  if (!manifests.some(hasChannels)) return undefined;
  const rests = new Set<string>();
  for (const manifest of manifests) {
    const rest = restOf(manifest);
    if (rest === undefined) return channelsRefusal;
    if (rest !== finished) rests.add(rest);
  }
  return rests.size > 1 ? channelsRefusal : undefined;
}

export const channelsRefusal =
  'the job has repartition, and runs as several tasks: records were on their way between these, in topics that no savepoint holds. ' +
  'Let the running job take it, which brings them home first';
