import { type Json, SourcePositionError } from '../../../lib/index.ts';
import { PartitionMap } from './partitions.ts';

/** Where a topic was read to, whichever way it went out of sight. */
export interface GoneTopic {
  readonly id: string;
  readonly offsets: ReadonlyMap<number, number>;
}

/**
 * How far a source has read, as a manifest keeps it: `{ cluster, group, partitions: { topic: { partition: next } }, ids: { topic:
 * id }, gone: { topic: { id, offsets: { partition: next } } } }`; the last two are left out where there are none.
 */
export interface KafkaPosition {
  /** Id of the cluster that the offsets belong to. */
  readonly cluster: string;
  /** The group whose committed offsets follow the checkpoints. */
  readonly group: string;
  /** The next offset to read. */
  readonly partitions: PartitionMap<number>;
  /** What tells a topic from one of the same name that was made later. */
  readonly ids: ReadonlyMap<string, string>;
  /** Topics that match and were not there; they are read on when they are back. */
  readonly gone: ReadonlyMap<string, GoneTopic>;
}

/** The position as JSON. */
export function positionJson(
  cluster: string,
  group: string,
  topics: ReadonlyMap<string, ReadonlyMap<number, { readonly next: number }>>,
  ids: ReadonlyMap<string, string> = new Map(),
  gone: ReadonlyMap<string, GoneTopic> = new Map(),
): Json {
  const partitions: [string, Json][] = [];
  for (const [topic, ofTopic] of topics) {
    const offsets: Record<string, number> = {};
    for (const [partition, { next }] of ofTopic) offsets[partition] = next;
    partitions.push([topic, offsets]);
  }
  // Not assigned one by one: a topic may be called "__proto__".
  return {
    cluster,
    group,
    partitions: Object.fromEntries(partitions),
    ...(ids.size > 0 && { ids: Object.fromEntries(ids) }),
    ...(gone.size > 0 && {
      gone: Object.fromEntries(
        [...gone].map(([topic, { id, offsets }]) => [topic, { id, offsets: Object.fromEntries(offsets) }]),
      ),
    }),
  };
}

/** Reads a position from a manifest; anything else is a `SourcePositionError` that names the source. */
export function readPosition(json: Json, source: string): KafkaPosition {
  const { cluster, group, partitions: topics, ids = {}, gone = {} } = fieldsOf(json) ?? {};
  const fieldsIn = (of: unknown) => {
    const fields = fieldsOf(of);
    if (!fields) throw refused(source);
    return fields;
  };
  if (typeof cluster !== 'string' || typeof group !== 'string') throw refused(source);
  const offsetsIn = (of: unknown): [number, number][] =>
    Object.entries(fieldsIn(of)).map(([partition, offset]) => {
      if (!/^\d+$/.test(partition) || !Number.isSafeInteger(offset) || (offset as number) < 0) throw refused(source);
      return [Number(partition), offset as number];
    });
  const idIn = (id: unknown): string => {
    if (typeof id !== 'string') throw refused(source);
    return id;
  };
  const partitions = new PartitionMap<number>();
  for (const [topic, offsets] of Object.entries(fieldsIn(topics))) {
    for (const [partition, offset] of offsetsIn(offsets)) partitions.set({ topic, partition }, offset);
  }
  return {
    cluster,
    group,
    partitions,
    ids: new Map(Object.entries(fieldsIn(ids)).map(([topic, id]) => [topic, idIn(id)])),
    gone: new Map(
      Object.entries(fieldsIn(gone)).map(([topic, one]) => {
        const { id, offsets } = fieldsIn(one);
        return [topic, { id: idIn(id), offsets: new Map(offsetsIn(offsets)) }];
      }),
    ),
  };
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
