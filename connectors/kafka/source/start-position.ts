import type { TopicPartition } from '../client/port.ts';
import type { PartitionMap } from './partitions.ts';

/** Where a source begins that has no checkpoint. */
export type StartPosition =
  | 'group-offsets'
  | 'earliest'
  | 'latest'
  /** The first record with this timestamp or a later one, ms since 1970; the end where there is none. */
  | { readonly timestamp: number | Date }
  /** The next offset to read, by topic and partition; a partition that is not named begins at its group offset. */
  | { readonly offsets: Readonly<Record<string, Readonly<Record<number, number>>>> };

/** What to do for a partition without a committed group offset. */
export type NoGroupOffset = 'earliest' | 'latest' | 'fail';

/** Where one partition begins, as far as it is known without asking the cluster. */
export type Beginning =
  | { readonly at: 'offset'; readonly offset: number }
  | { readonly at: 'timestamp'; readonly timestamp: number }
  | { readonly at: 'earliest' | 'latest' | 'group-offset' };

export interface PlannedStart extends TopicPartition {
  readonly beginning: Beginning;
  /** What decided it. */
  readonly by: 'checkpoint' | 'discovery' | 'start setting' | 'group offset' | 'missing group offset';
}

/**
 * Where each partition begins. A restored checkpoint wins over the start setting; a partition that it does not know was
 * added since, and begins at its earliest record: nothing of it was read.
 */
export function planStart(
  partitions: readonly TopicPartition[],
  restored: PartitionMap<number> | undefined,
  start: StartPosition,
): PlannedStart[] {
  return partitions.map(({ topic, partition }) => {
    if (!restored) {
      const beginning = beginningOf(start, topic, partition);
      return { topic, partition, beginning, by: 'start setting' };
    }
    const offset = restored.get({ topic, partition });
    return offset === undefined
      ? { topic, partition, beginning: { at: 'earliest' }, by: 'discovery' }
      : { topic, partition, beginning: { at: 'offset', offset }, by: 'checkpoint' };
  });
}

function beginningOf(start: StartPosition, topic: string, partition: number): Beginning {
  if (start === 'group-offsets') return { at: 'group-offset' };
  if (typeof start === 'string') return { at: start };
  if ('timestamp' in start) return { at: 'timestamp', timestamp: Number(start.timestamp) };
  const offsets = Object.hasOwn(start.offsets, topic) ? start.offsets[topic] : undefined;
  const offset = offsets?.[partition];
  return offset === undefined ? { at: 'group-offset' } : { at: 'offset', offset };
}

/** Puts what the group has committed into the plan. `missing` are the partitions that may not begin without it. */
export function withGroupOffsets(
  planned: readonly PlannedStart[],
  committed: PartitionMap<number>,
  otherwise: NoGroupOffset,
): { readonly planned: readonly PlannedStart[]; readonly missing: readonly TopicPartition[] } {
  const missing: TopicPartition[] = [];
  const filled = planned.map((one): PlannedStart => {
    if (one.beginning.at !== 'group-offset') return one;
    const { topic, partition } = one;
    const offset = committed.get(one);
    if (offset !== undefined) return { topic, partition, beginning: { at: 'offset', offset }, by: 'group offset' };
    if (otherwise !== 'fail') {
      return { topic, partition, beginning: { at: otherwise }, by: 'missing group offset' };
    }
    missing.push({ topic, partition });
    return one;
  });
  return { planned: filled, missing };
}
