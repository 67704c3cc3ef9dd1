import type { Json, Manifest } from '../../../lib/index.ts';
import type { CommittedOffset } from '../client/port.ts';

/**
 * The offsets that a checkpoint means to groups of this cluster, by group: where its Kafka sources go on. For people and
 * monitoring; recovery goes by the manifest.
 */
export function sourceOffsets(manifest: Manifest, clusterId: string): ReadonlyMap<string, readonly CommittedOffset[]> {
  const groups = new Map<string, CommittedOffset[]>();
  for (const { position } of Object.values(manifest.sources)) {
    const { cluster, group, partitions, commits } = fieldsOf(position);
    if (cluster !== clusterId || typeof group !== 'string' || commits === false) continue;
    const offsets = groups.get(group) ?? [];
    groups.set(group, offsets);
    for (const [topic, ofTopic] of Object.entries(fieldsOf(partitions))) {
      for (const [partition, offset] of Object.entries(fieldsOf(ofTopic))) {
        if (typeof offset !== 'number') continue;
        offsets.push({ topic, partition: Number(partition), offset, metadata: '' });
      }
    }
  }
  for (const [group, offsets] of groups) if (offsets.length === 0) groups.delete(group);
  return groups;
}

/** The cluster that a source's position belongs to. */
export const clusterOf = (position: Json): Json | undefined => fieldsOf(position).cluster;

function fieldsOf(json: Json | undefined): { readonly [name: string]: Json } {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
    ? (json as { readonly [name: string]: Json })
    : {};
}
