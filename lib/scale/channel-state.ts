import type { Manifest } from '../checkpoint/manifest.ts';

/** The name of a channel's source and sink, as manifests have it. */
export const channelPrefix = 'repartition:';

/** Whether records may be on their way between tasks that the manifest does not hold. */
export const hasChannels = ({ tasks, sources }: Pick<Manifest, 'tasks' | 'sources'>): boolean =>
  (tasks?.count ?? 1) > 1 && Object.keys(sources).some(name => name.startsWith(channelPrefix));

export const channelsRefusal =
  'it has repartition, and runs as several tasks: records are on their way between these, in topics that no savepoint holds. ' +
  'Only where it runs as one task (tasks: "single") can savepoints of it be taken';
