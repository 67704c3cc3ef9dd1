import type { TopicMetadata, TopicPartition } from '../client/port.ts';

/** Which topics a source reads: these, or those that match. */
export type TopicSelection = readonly string[] | RegExp;

/** What has changed since the cluster was asked last. */
export interface TopicChanges {
  /** Partitions that were not there before. */
  readonly added: readonly TopicPartition[];
  /** Topics that are gone; told once. */
  readonly removed: readonly string[];
  /** Topics with another id than before: they were deleted and made again; all their partitions are among those added. */
  readonly remade: readonly string[];
  /** The same where the brokers give no ids, known by fewer partitions than before. */
  readonly shrunk: readonly { readonly topic: string; readonly from: number; readonly to: number }[];
}

/** How often in a row a topic must be absent to be gone: a cluster that restarts may not name it for a moment. */
const absences = 2;

/** Knows the topics of a source and tells what is new. */
export class TopicWatch {
  readonly #selection: TopicSelection;
  readonly #partitions = new Map<string, number>();
  readonly #absent = new Map<string, number>();
  readonly #ids = new Map<string, string>();

  constructor(selection: TopicSelection, known: ReadonlyMap<string, number> = new Map()) {
    this.#selection = selection;
    for (const [topic, partitions] of known) this.#partitions.set(topic, partitions);
  }

  /** What to ask the cluster for. */
  get asked(): readonly string[] | 'all' {
    return this.#selection instanceof RegExp ? 'all' : this.#selection;
  }

  /** The ids of the topics that were there at the last look. */
  get ids(): ReadonlyMap<string, string> {
    return this.#ids;
  }

  /** Takes over what the cluster has now. */
  look(metadata: readonly TopicMetadata[]): TopicChanges {
    const present = metadata.filter(topic => selects(this.#selection, topic));
    const added: TopicPartition[] = [];
    const shrunk: TopicChanges['shrunk'][number][] = [];
    const remade: string[] = [];
    for (const { topic, id, partitions } of present) {
      const before = this.#ids.get(topic);
      const isOther = id !== undefined && before !== undefined && id !== before;
      if (isOther) remade.push(topic);
      if (id !== undefined) this.#ids.set(topic, id);
      const from = isOther ? 0 : (this.#partitions.get(topic) ?? 0);
      const to = partitions.length;
      for (let partition = from; partition < to; partition++) added.push({ topic, partition });
      if (to < from) shrunk.push({ topic, from, to });
      this.#partitions.set(topic, to);
      this.#absent.delete(topic);
    }
    return { added, removed: this.#removed(new Set(present.map(({ topic }) => topic))), remade, shrunk };
  }

  #removed(present: ReadonlySet<string>): string[] {
    const removed: string[] = [];
    for (const topic of this.#partitions.keys()) {
      if (present.has(topic)) continue;
      const absent = (this.#absent.get(topic) ?? 0) + 1;
      this.#absent.set(topic, absent);
      if (absent < absences) continue;
      removed.push(topic);
      this.#partitions.delete(topic);
      this.#absent.delete(topic);
      this.#ids.delete(topic);
    }
    return removed;
  }
}

/** Topics of Kafka's own are read only when they are named. */
export function selects(selection: TopicSelection, { topic, isInternal }: TopicMetadata): boolean {
  if (!(selection instanceof RegExp)) return selection.includes(topic);
  // A pattern with the flag "g" or "y" remembers where it was.
  selection.lastIndex = 0;
  return !isInternal && selection.test(topic);
}
