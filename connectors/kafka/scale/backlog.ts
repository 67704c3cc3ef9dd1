import type { Isolation } from '../client/port.ts';
import type { KafkaConnectionOptions } from '../options.ts';
import { listOffsets } from '../source/offset-lookup.ts';
import { partitionText } from '../source/partitions.ts';
import type { KafkaPosition } from '../source/position.ts';
import { withClient } from './with-client.ts';

/** How many offsets lie between a position and the ends of its partitions now; those that are read to the end are left out. */
export function backlogBehind(
  { partitions }: KafkaPosition,
  connection: KafkaConnectionOptions,
  isolation: Isolation,
): Promise<{ readonly partition: string; readonly records: number }[]> {
  const positions = [...partitions.entries()];
  if (positions.length === 0) return Promise.resolve([]);
  return withClient(connection, async (client, patience) => {
    const queries = positions.map(([partition]) => ({ ...partition, at: 'latest' as const }));
    const ends = await listOffsets(client, patience, queries, isolation);
    return positions.flatMap(([partition, next]) => {
      const records = (ends?.get(partition) ?? Number.POSITIVE_INFINITY) - next;
      return records > 0 ? [{ partition: partitionText(partition), records }] : [];
    });
  });
}
