import { JobDefinitionError, SettingsError } from '../errors.ts';
import type { ResolvedSettings } from '../job/settings.ts';
import type { Logger } from '../observe/logger.ts';
import type { SourceNode } from '../stream/from.ts';
import { describe, type StreamNode } from '../stream/node.ts';
import type { SourceSpread } from '../task/source.ts';
import type { TaskSharing } from './task-share.ts';

/** How the sources of a graph are spread over tasks. Throws `JobDefinitionError` where they cannot be. */
export function spreadOf(
  job: string,
  nodes: readonly StreamNode[],
): { readonly spread: SourceSpread; readonly topics: readonly string[] } {
  const sources = nodes.filter(({ kind }) => kind === 'source') as SourceNode[];
  const refuse = (what: string) =>
    new JobDefinitionError(`The tasks of the job "${job}" cannot be shared by processes: ${what}`, {
      context: { job },
    });
  const topics = new Set<string>();
  for (const node of sources) {
    const { spread, kind } = node.source;
    if (!spread) {
      throw refuse(
        `${describe(node)} (${kind}) has no partitions that a group of processes could share. Read from Kafka, or run it with tasks: 'single'.`,
      );
    }
    if (!spread.topics) {
      throw refuse(`${describe(node)} reads topics by a pattern: name them, so that all processes know the same.`);
    }
    for (const topic of spread.topics) topics.add(topic);
  }
  const [first, ...others] = sources;
  const spread = first?.source.spread;
  if (!first || !spread) throw refuse('it has no source.');
  const elsewhere = others.find(({ source }) => source.spread?.where !== spread.where);
  if (elsewhere) {
    throw refuse(
      `${describe(first)} and ${describe(elsewhere)} are on different clusters: one of them has to know the group.`,
    );
  }
  return { spread, topics: [...topics].sort() };
}

/** The group in which the processes of a job share its tasks. */
export const groupOf = (job: string, { members }: Pick<ResolvedSettings, 'members'>): string =>
  members.group ?? `tidemark.${job}.members`;

/** The sharing of a job's tasks as its settings say. */
export function sharingOf(
  job: string,
  { spread, topics }: ReturnType<typeof spreadOf>,
  settings: ResolvedSettings,
  logger: Logger,
): TaskSharing {
  const { members } = settings;
  return spread.sharing({
    group: groupOf(job, settings),
    topics,
    instanceId: members.instanceId,
    sessionTimeoutMs: members.sessionTimeout,
    rebalanceTimeoutMs: Math.max(members.releaseTimeout, members.sessionTimeout),
    logger,
  });
}

/** Throws a `SettingsError` for settings that do not go together with tasks that are shared. */
export function verifySharedSettings(job: string, { fresh, recovery }: ResolvedSettings): void {
  const problems: string[] = [];
  if (fresh) {
    problems.push(
      'fresh: several processes share the tasks of this job, and each would begin them anew whenever a task comes to it. Start the job under another name',
    );
  }
  if (recovery.acceptCheckpoint !== undefined) {
    problems.push(
      'recovery.acceptCheckpoint: each task has checkpoints of its own; it can be chosen for a job of one task only',
    );
  }
  if (problems.length > 0) throw new SettingsError(`The settings of the job "${job}" cannot be used`, problems);
}
