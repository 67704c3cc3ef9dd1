import { type Json, SourcePositionError } from '../../../lib/index.ts';
import { PartitionMap } from './partitions.ts';

/** How far a source has read, as a manifest keeps it: `{ cluster, group, partitions: { topic: { partition: next } } }`. */
export interface KafkaPosition {
  /** Id of the cluster that the offsets belong to. */
  readonly cluster: string;
  /** The group whose committed offsets follow the checkpoints. */
  readonly group: string;
  /** The next offset to read. */
  readonly partitions: PartitionMap<number>;
}

/** The position as JSON. */
export function positionJson(
  cluster: string,
  group: string,
  topics: ReadonlyMap<string, ReadonlyMap<number, { readonly next: number }>>,
): Json {
  const partitions: [string, Json][] = [];
  for (const [topic, ofTopic] of topics) {
    const offsets: Record<string, number> = {};
    for (const [partition, { next }] of ofTopic) offsets[partition] = next;
    partitions.push([topic, offsets]);
  }
  // Not assigned one by one: a topic may be called "__proto__".
  return { cluster, group, partitions: Object.fromEntries(partitions) };
}

/** Reads a position from a manifest; anything else is a `SourcePositionError` that names the source. */
export function readPosition(json: Json, source: string): KafkaPosition {
  const { cluster, group, partitions: topics } = fieldsOf(json) ?? {};
  const ofTopics = fieldsOf(topics);
  if (typeof cluster !== 'string' || typeof group !== 'string' || !ofTopics) throw refused(source);
  const partitions = new PartitionMap<number>();
  for (const [topic, offsets] of Object.entries(ofTopics)) {
    const ofTopic = fieldsOf(offsets);
    if (!ofTopic) throw refused(source);
    for (const [partition, offset] of Object.entries(ofTopic)) {
      if (!/^\d+$/.test(partition) || !Number.isSafeInteger(offset) || (offset as number) < 0) throw refused(source);
      partitions.set({ topic, partition: Number(partition) }, offset as number);
    }
  }
  return { cluster, group, partitions };
}

function fieldsOf(json: unknown): Record<string, unknown> | undefined {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
    ? (json as Record<string, unknown>)
    : undefined;
}

function refused(source: string): SourcePositionError {
  return new SourcePositionError(
    `The checkpointed position of source "${source}" has a form that is not that of a Kafka source. Was the source of ` +
      'this name another one? Otherwise start the job afresh to read everything again.',
    { context: { source } },
  );
}
