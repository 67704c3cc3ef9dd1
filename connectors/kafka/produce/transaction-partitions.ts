import type { TopicPartition } from '../client/port.ts';

/** Which partitions the open transaction has, and which are to be added before anything is written to them. */
export class TransactionPartitions {
  readonly #added = new Map<string, Set<number>>();
  readonly #wanted = new Map<string, Map<number, TopicPartition>>();
  #wantedCount = 0;

  has({ topic, partition }: TopicPartition): boolean {
    return this.#added.get(topic)?.has(partition) ?? false;
  }

  get wantsMore(): boolean {
    return this.#wantedCount > 0;
  }

  /** To be added, unless it is there. */
  want({ topic, partition }: TopicPartition): void {
    if (this.has({ topic, partition })) return;
    const ofTopic = this.#wanted.get(topic) ?? new Map<number, TopicPartition>();
    this.#wanted.set(topic, ofTopic);
    if (ofTopic.has(partition)) return;
    ofTopic.set(partition, { topic, partition });
    this.#wantedCount++;
  }

  /** All that are wanted. They stay so until they are `added`. */
  get wanted(): readonly TopicPartition[] {
    return [...this.#wanted.values()].flatMap(ofTopic => [...ofTopic.values()]);
  }

  added({ topic, partition }: TopicPartition): void {
    if (this.#wanted.get(topic)?.delete(partition)) this.#wantedCount--;
    const ofTopic = this.#added.get(topic);
    if (ofTopic) ofTopic.add(partition);
    else this.#added.set(topic, new Set([partition]));
  }

  /** The transaction has ended. */
  clear(): void {
    this.#added.clear();
    this.#wanted.clear();
    this.#wantedCount = 0;
  }
}
