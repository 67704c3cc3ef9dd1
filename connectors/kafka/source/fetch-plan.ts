import type { TopicPartition } from '../client/port.ts';
import { retryDelay } from './fetch-failure.ts';
import { PartitionMap } from './partitions.ts';

export interface FetchLimits {
  /** The most bytes of one answer. */
  readonly requestBytes: number;
  /** The most bytes of one partition in an answer. While twice that waits to be read, its node is not asked. */
  readonly partitionBytes: number;
  /** The most bytes that may be fetched and not yet read, over all partitions. */
  readonly bufferBytes: number;
}

/** How one partition is fetched. Only the plan changes it. */
export interface PartitionFetch extends TopicPartition {
  /** What is fetched next. */
  readonly offset: number;
  readonly stop: number;
  /** The node that leads it; `undefined` until it is found. */
  readonly node: number | undefined;
  readonly isPaused: boolean;
  /** Fetched and not yet read. */
  readonly bufferedBytes: number;
  /** Of the first failure since it was last fetched. */
  readonly failingSince: number | undefined;
}

interface Writable extends TopicPartition {
  offset: number;
  stop: number;
  node: number | undefined;
  isPaused: boolean;
  bufferedBytes: number;
  failingSince: number | undefined;
  failures: number;
  retryAt: number;
  isAsked: boolean;
  isHeld: boolean;
  /** Rises whenever what was asked before is no longer wanted. */
  generation: number;
}

/** Part of a request: a partition, and from where it was asked. */
export interface Asked extends TopicPartition {
  readonly offset: number;
  readonly maxBytes: number;
  readonly generation: number;
}

/** One request to one node. */
export interface PlannedFetch {
  readonly node: number;
  readonly maxBytes: number;
  readonly partitions: readonly Asked[];
}

/** Fetched records that are still wanted: give `bytes` back with `read`. */
export interface Kept extends TopicPartition {
  readonly offset: number;
  readonly bytes: number;
  readonly generation: number;
}

/**
 * Decides what is asked of which node next: the partitions that have waited longest first, so that none starves when an
 * answer is full; only those that have room, and never more in all than the buffer takes. Knows no client and no clock.
 */
export class FetchPlan {
  readonly #limits: FetchLimits;
  /** In the order of their turns. */
  readonly #turns = new Set<Writable>();
  readonly #partitions = new PartitionMap<Writable>();
  #generation = 0;
  /** Fetched and not read, and what answers under way may bring. */
  #heldBytes = 0;

  constructor(limits: FetchLimits) {
    this.#limits = limits;
  }

  /** Bytes fetched and not read, and those that answers under way may bring. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  of(partition: TopicPartition): PartitionFetch | undefined {
    return this.#partitions.get(partition);
  }

  partitions(): Iterable<PartitionFetch> {
    return this.#turns;
  }

  /** Begins to fetch a partition; what was fetched of it under an older assignment is not wanted any more. */
  assign({ topic, partition }: TopicPartition, offset: number, stop = Number.POSITIVE_INFINITY): void {
    this.remove({ topic, partition });
    const added: Writable = {
      topic,
      partition,
      offset,
      stop,
      node: undefined,
      isPaused: false,
      bufferedBytes: 0,
      failingSince: undefined,
      failures: 0,
      retryAt: Number.NEGATIVE_INFINITY,
      isAsked: false,
      isHeld: false,
      generation: ++this.#generation,
    };
    this.#partitions.set(added, added);
    this.#turns.add(added);
  }

  /** Fetches from another offset; what was fetched before is not wanted any more. */
  seek(partition: TopicPartition, offset: number): void {
    const of = this.#partitions.get(partition);
    if (!of) return;
    this.#forget(of);
    // The same offset again is what has just failed.
    if (of.offset !== offset) of.retryAt = Number.NEGATIVE_INFINITY;
    of.offset = offset;
    of.isHeld = false;
  }

  remove(partition: TopicPartition): void {
    const of = this.#partitions.get(partition);
    if (!of) return;
    this.#forget(of);
    this.#partitions.delete(of);
    this.#turns.delete(of);
  }

  /**
   * Fetches no more of a partition until `resume`, which goes on from `offset`. What is fetched already is dropped, so that
   * a paused partition takes no room from the others.
   */
  pause(partition: TopicPartition, offset: number): void {
    this.seek(partition, offset);
    const of = this.#partitions.get(partition);
    if (of) of.isPaused = true;
  }

  resume(partition: TopicPartition): void {
    const of = this.#partitions.get(partition);
    if (of) of.isPaused = false;
  }

  /** Asks nothing of a partition until `seek`: the offset that it wants is not there. */
  hold(partition: TopicPartition): void {
    const of = this.#partitions.get(partition);
    if (of) of.isHeld = true;
  }

  ledBy(partition: TopicPartition, node: number | undefined): void {
    const of = this.#partitions.get(partition);
    if (of) of.node = node;
  }

  /** The partitions that lack a leader and may be looked for now. */
  leaderless(now: number): PartitionFetch[] {
    return [...this.#turns].filter(of => of.node === undefined && of.retryAt <= now && this.#isWanted(of));
  }

  /**
   * The next request to a node; `undefined` when nothing can be asked of it now. While one of its partitions is full nothing
   * is: a request for the others could wait at the broker long after that one has room again.
   */
  request(node: number, now: number): PlannedFetch | undefined {
    const wanted = [...this.#turns].filter(
      of => of.node === node && of.retryAt <= now && !of.isAsked && this.#isWanted(of),
    );
    if (wanted.some(of => this.#isFull(of))) return undefined;
    const { requestBytes, partitionBytes, bufferBytes } = this.#limits;
    // Room is held for an answer while the broker waits for records: no node holds what another one needs.
    const share = Math.max(partitionBytes, Math.floor(bufferBytes / this.#nodes()));
    const most = Math.min(requestBytes, share, wanted.length * partitionBytes);
    const maxBytes = Math.min(most, bufferBytes - this.#heldBytes);
    if (maxBytes < Math.min(partitionBytes, bufferBytes)) return undefined;
    const partitions: Asked[] = [];
    for (const of of wanted) {
      of.isAsked = true;
      const { topic, partition, offset, generation } = of;
      partitions.push({ topic, partition, offset, maxBytes: this.#limits.partitionBytes, generation });
    }
    if (partitions.length === 0) return undefined;
    this.#heldBytes += maxBytes;
    return { node, maxBytes, partitions };
  }

  /** Nodes that lead a partition. */
  #nodes(): number {
    const nodes = new Set<number>();
    for (const { node } of this.#turns) if (node !== undefined) nodes.add(node);
    return Math.max(nodes.size, 1);
  }

  /** The answer to a request is there, or never comes; told once for each request, before its partitions. */
  answered({ maxBytes, partitions }: PlannedFetch): void {
    this.#heldBytes -= maxBytes;
    for (const asked of partitions) {
      const of = this.#current(asked);
      if (of) of.isAsked = false;
    }
  }

  /** Records of a partition have come, up to `behind`; `undefined` when they are not wanted any more. */
  fetched(asked: Asked, behind: number, bytes: number): Kept | undefined {
    const of = this.#current(asked);
    if (!of || of.offset !== asked.offset || behind <= of.offset) return undefined;
    const { topic, partition, offset, generation } = of;
    of.offset = behind;
    of.bufferedBytes += bytes;
    this.#heldBytes += bytes;
    // Whoever got something goes behind those that still wait.
    this.#turns.delete(of);
    this.#turns.add(of);
    return { topic, partition, offset, bytes, generation };
  }

  /** The partition answered without an error. Answers since when it had failed, if it had. */
  succeeded(asked: Asked): number | undefined {
    const of = this.#current(asked);
    const since = of?.failingSince;
    if (of) {
      of.failingSince = undefined;
      of.failures = 0;
      of.retryAt = Number.NEGATIVE_INFINITY;
    }
    return since;
  }

  /** The partition could not be fetched: it waits a little longer each time. Answers since when it has failed. */
  failed(partition: TopicPartition, now: number, isLedElsewhere: boolean): number {
    const of = this.#partitions.get(partition);
    if (!of) return now;
    of.failures++;
    of.failingSince ??= now;
    of.retryAt = now + retryDelay(of.failures);
    if (isLedElsewhere) of.node = undefined;
    return of.failingSince;
  }

  /** Whether what was asked is still of the present assignment of its partition. */
  isCurrent(asked: TopicPartition & { readonly generation: number }): boolean {
    return this.#current(asked) !== undefined;
  }

  /** What was fetched has been read. */
  read(kept: Kept): void {
    const of = this.#current(kept);
    if (!of) return;
    of.bufferedBytes -= kept.bytes;
    this.#heldBytes -= kept.bytes;
  }

  /** When the next partition that waits after a failure may be asked again. */
  nextRetryAt(now: number): number | undefined {
    let next: number | undefined;
    for (const of of this.#turns) {
      if (of.retryAt > now && this.#isWanted(of)) next = Math.min(next ?? of.retryAt, of.retryAt);
    }
    return next;
  }

  #isWanted(of: Writable): boolean {
    return !of.isPaused && !of.isHeld && of.offset < of.stop;
  }

  /** One answer that waits, beside the one that is read, is enough to keep the reader busy. */
  #isFull(of: Writable): boolean {
    return of.bufferedBytes >= 2 * this.#limits.partitionBytes;
  }

  #current({ generation, ...partition }: TopicPartition & { readonly generation: number }): Writable | undefined {
    const of = this.#partitions.get(partition);
    return of?.generation === generation ? of : undefined;
  }

  #forget(of: Writable): void {
    this.#heldBytes -= of.bufferedBytes;
    of.bufferedBytes = 0;
    of.isAsked = false;
    of.generation = ++this.#generation;
  }
}
