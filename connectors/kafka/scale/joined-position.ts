import { type Json, SourcePositionError, type TaskSlice } from '../../../lib/index.ts';
import { PartitionMap } from '../source/partitions.ts';
import { type GoneTopic, type KafkaPosition, positionJson, readPosition } from '../source/position.ts';

/** The positions of all tasks of a job as one; throws a `SourcePositionError` where they do not go together. */
export function joinedPosition(positions: readonly Json[], source: string): KafkaPosition {
  const all = positions.map(position => readPosition(position, source));
  const [first, ...others] = all as [KafkaPosition, ...KafkaPosition[]];
  const refuse = (what: string) =>
    new SourcePositionError(
      `The positions of the source "${source}" in the tasks of a savepoint do not go together: ${what}.`,
      {
        context: { source },
      },
    );
  const partitions = new PartitionMap<number>();
  const ids = new Map<string, string>();
  const gone = new Map<string, GoneTopic>();
  if (others.some(({ cluster }) => cluster !== first.cluster)) throw refuse('they are of different clusters');
  for (const position of all) {
    for (const [partition, offset] of position.partitions.entries()) {
      if (partitions.has(partition)) throw refuse(`two of them have ${partition.topic}-${partition.partition}`);
      partitions.set(partition, offset);
    }
    for (const [topic, id] of [...position.ids, ...[...position.gone].map(([topic, { id }]) => [topic, id] as const)]) {
      if ((ids.get(topic) ?? id) !== id) throw refuse(`the topic ${topic} was made anew between them`);
      ids.set(topic, id);
    }
    for (const [topic, { id, offsets }] of position.gone) {
      gone.set(topic, { id, offsets: new Map([...(gone.get(topic)?.offsets ?? []), ...offsets]) });
    }
  }
  for (const topic of gone.keys()) ids.delete(topic);
  const both = [...gone.keys()].find(topic => partitions.topics().has(topic));
  if (both !== undefined) throw refuse(`the topic ${both} was there for one of them, and gone for another`);
  return { cluster: first.cluster, group: first.group, partitions, ids, gone };
}

/** How many partitions each topic had: a position knows of all. */
export function partitionCounts({ partitions }: KafkaPosition): Record<string, number> {
  return Object.fromEntries([...partitions.topics()].map(([topic, of]) => [topic, Math.max(...of.keys()) + 1]));
}

/** What one task reads of it. */
export function slicePosition(
  { cluster, group, partitions, ids, gone }: KafkaPosition,
  { index, count }: Pick<TaskSlice, 'index' | 'count'>,
): Json {
  const ours = <V>(of: ReadonlyMap<number, V>) => new Map([...of].filter(([partition]) => partition % count === index));
  return positionJson(
    cluster,
    group,
    new Map(
      [...partitions.topics()].map(([topic, of]) => [
        topic,
        new Map([...ours(of)].map(([partition, next]) => [partition, { next }])),
      ]),
    ),
    ids,
    new Map([...gone].map(([topic, { id, offsets }]) => [topic, { id, offsets: ours(offsets) }])),
  );
}
