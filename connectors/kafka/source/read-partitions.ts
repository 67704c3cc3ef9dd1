import type { SourceMeasures } from '../../../lib/index.ts';
import type { TopicPartition } from '../client/port.ts';
import type { LogExtent } from './chunk.ts';
import { PartitionPosition } from './partition-position.ts';
import { PartitionMap, partitionText } from './partitions.ts';
import type { GoneTopic } from './position.ts';
import type { StartedPartition } from './source-start.ts';

/** One partition that a source reads. */
export interface ReadPartition extends TopicPartition {
  readonly position: PartitionPosition;
  /** From where on progress is counted. */
  readonly first: number;
  /** Records given to the task. */
  records: number;
}

/** The partitions of a source: how far each was read, and which are not at their stop offset yet. */
export class ReadPartitions {
  readonly positions = new PartitionMap<PartitionPosition>();
  readonly #partitions = new PartitionMap<ReadPartition>();
  readonly #unfinished = new Set<ReadPartition>();
  /** Topics that are out of sight, with where they were read to. */
  readonly gone = new Map<string, GoneTopic>();

  add({ topic, partition, next, stop, first }: StartedPartition): ReadPartition {
    const position = new PartitionPosition(next, stop);
    const added: ReadPartition = { topic, partition, position, first, records: 0 };
    this.#partitions.set(added, added);
    this.positions.set(added, position);
    if (!position.isReached) this.#unfinished.add(added);
    return added;
  }

  get(partition: TopicPartition): ReadPartition | undefined {
    return this.#partitions.get(partition);
  }

  all(): ReadPartition[] {
    return [...this.#partitions.values()];
  }

  remove(partition: ReadPartition): void {
    this.#partitions.delete(partition);
    this.positions.delete(partition);
    this.#unfinished.delete(partition);
  }

  /** Removes a topic; with its id it is known again when it is back. Answers what was removed. */
  removeTopic(topic: string, id: string | undefined): ReadPartition[] {
    const removed = this.all().filter(one => one.topic === topic);
    for (const one of removed) this.remove(one);
    if (id !== undefined) {
      const offsets = new Map(removed.map(({ partition, position }) => [partition, position.next]));
      this.gone.set(topic, { id, offsets });
    }
    return removed;
  }

  /** Notices that the partition has come to its stop offset. */
  moved(partition: ReadPartition): void {
    if (partition.position.isReached) this.#unfinished.delete(partition);
  }

  /** Whether every partition was read to its stop offset. */
  get areFinished(): boolean {
    return this.#unfinished.size === 0;
  }

  /** The next offset of each, as it is now. */
  offsets(): PartitionMap<number> {
    const offsets = new PartitionMap<number>();
    for (const { position, topic, partition } of this.#partitions.values()) {
      offsets.set({ topic, partition }, position.next);
    }
    return offsets;
  }

  /** What part of a bounded input was read, 0 to 1. */
  progress(): number {
    let [read, all] = [0, 0];
    for (const { position, first } of this.#partitions.values()) {
      all += Math.max(0, position.stop - first);
      read += Math.max(0, Math.min(position.next, position.stop) - first);
    }
    return all === 0 ? 1 : read / all;
  }

  measures(extents: PartitionMap<LogExtent>): SourceMeasures['partitions'] {
    return this.all().map(one => {
      const end = extents.get(one)?.end;
      const { position, records } = one;
      const lag = end === undefined ? {} : { lag: Math.max(0, end - position.next) };
      return { name: partitionText(one), position: position.next, records, ...lag };
    });
  }
}
