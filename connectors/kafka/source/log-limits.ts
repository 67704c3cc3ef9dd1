import { TidemarkError } from '../../../lib/index.ts';
import type { KafkaClient, OffsetQuery, TopicPartition } from '../client/port.ts';
import { listOffsets } from './offset-lookup.ts';
import { presentOffset, type StartServices } from './source-start.ts';

/**
 * Where to go on when a broker does not have the wanted offset: asks for the limits of the log. The same offset when it is
 * in range after all; `undefined` once closed. Throws an `OffsetGapError` unless `onMissingOffset` says where to go on.
 */
export async function offsetInPlaceOf(
  { client, patience, settings, logger }: Omit<StartServices, 'group'>,
  partition: TopicPartition,
  wanted: number,
): Promise<number | undefined> {
  const ask = async (at: OffsetQuery['at'], isolation: 'read_committed' | 'read_uncommitted') =>
    (await listOffsets(client, patience, [{ ...partition, at }], isolation))?.get(partition);
  const logStart = await ask('earliest', 'read_uncommitted');
  const logEnd = await ask('latest', 'read_uncommitted');
  const latest = await ask('latest', settings.isolation);
  if (logStart === undefined || logEnd === undefined || latest === undefined) return undefined;
  return presentOffset({ settings, logger }, { ...partition, wanted, logStart, logEnd }, latest);
}

/**
 * Whether an empty answer means that nothing is left in the log. On a compacted topic it does: compaction leaves holes, also
 * at the end. Elsewhere it may mean less (tiered storage that did not answer in time), and the log has no such holes.
 */
export async function isEmptyToTheEnd(client: KafkaClient, topic: string): Promise<boolean> {
  try {
    return (await client.setting({ topic }, 'cleanup.policy'))?.includes('compact') ?? false;
  } catch (error) {
    // The next empty answer asks again.
    if (error instanceof TidemarkError && error.retriable) return false;
    throw error;
  }
}
