import type { TopicPartition } from '../client/port.ts';

/** A value for each of many partitions, looked up by topic and partition. */
export class PartitionMap<V> {
  readonly #topics = new Map<string, Map<number, V>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get({ topic, partition }: TopicPartition): V | undefined {
    return this.#topics.get(topic)?.get(partition);
  }

  has(of: TopicPartition): boolean {
    return this.get(of) !== undefined;
  }

  set({ topic, partition }: TopicPartition, value: V): this {
    let partitions = this.#topics.get(topic);
    if (!partitions) {
      partitions = new Map();
      this.#topics.set(topic, partitions);
    }
    if (!partitions.has(partition)) this.#size++;
    partitions.set(partition, value);
    return this;
  }

  delete({ topic, partition }: TopicPartition): void {
    const partitions = this.#topics.get(topic);
    if (!partitions?.delete(partition)) return;
    this.#size--;
    if (partitions.size === 0) this.#topics.delete(topic);
  }

  *values(): IterableIterator<V> {
    for (const partitions of this.#topics.values()) yield* partitions.values();
  }

  *entries(): IterableIterator<readonly [TopicPartition, V]> {
    for (const [topic, partitions] of this.#topics) {
      for (const [partition, value] of partitions) yield [{ topic, partition }, value];
    }
  }

  /** Topics with their partitions. */
  topics(): ReadonlyMap<string, ReadonlyMap<number, V>> {
    return this.#topics;
  }
}

/** `flights-3`, as Kafka's own tools write it. */
export const partitionText = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`;

/** Some names, and how many more there are: what an error or a log line can bear. */
export function listed(names: readonly string[], most = 10): string {
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}
