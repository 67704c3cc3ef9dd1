import type { SchedulerLike, Subscription } from 'rxjs';
import { type Logger, messageOf } from '../../../lib/index.ts';
import type { FetchedPartition, Isolation, KafkaClient, KafkaNode, TopicPartition } from '../client/port.ts';
import type { Chunk, LogExtent } from './chunk.ts';
import { outOfReach, refusal, unreadable } from './errors.ts';
import { isLasting, verdictOn } from './fetch-failure.ts';
import { type Asked, type FetchLimits, FetchPlan, type PlannedFetch } from './fetch-plan.ts';
import { behindFetched } from './fetched-extent.ts';
import { listed, PartitionMap, partitionText } from './partitions.ts';

export interface FetchSettings extends FetchLimits {
  readonly isolation: Isolation;
  /** How long a broker waits for `minBytes` before it answers. */
  readonly maxWaitMs: number;
  readonly minBytes: number;
  /** How long a partition may fail before that is the task's failure. */
  readonly retryTimeoutMs: number;
}

/** What a fetcher tells whoever reads. */
export interface FetchEvents {
  /** There is something to take, or to know. */
  changed(): void;
  /** The broker does not have the offset that the partition is at; nothing more is asked of it until `seek`. */
  outOfRange(partition: TopicPartition, offset: number): void;
  /** There is no record from `offset` on before `end`, and the partition is to be read up to a stop offset before that. */
  nothingBefore(partition: TopicPartition, offset: number, end: number): void;
  /** Fetching cannot go on. */
  failed(error: unknown): void;
}

/** How often a failure that goes on is told. */
const reminderMs = 10_000;

/** Fetches partitions from their leaders, ahead of whoever reads: one loop a leader, one request of each under way. */
export class Fetcher {
  readonly plan: FetchPlan;
  readonly extents = new PartitionMap<LogExtent>();
  readonly #client: KafkaClient;
  readonly #settings: FetchSettings;
  readonly #scheduler: SchedulerLike;
  readonly #logger: Logger;
  readonly #events: FetchEvents;
  readonly #nodes = new Map<number, KafkaNode>();
  readonly #looping = new Set<number>();
  /** Ends the waiting of each loop. */
  readonly #wakes = new Set<() => void>();
  #chunks: Chunk[] = [];
  #isLocating = false;
  #isClosed = false;
  #lastReminder = Number.NEGATIVE_INFINITY;
  #timer: { readonly at: number; readonly subscription: Subscription } | undefined;

  constructor(
    client: KafkaClient,
    settings: FetchSettings,
    scheduler: SchedulerLike,
    logger: Logger,
    events: FetchEvents,
  ) {
    this.#client = client;
    this.#settings = settings;
    this.#scheduler = scheduler;
    this.#logger = logger;
    this.#events = events;
    this.plan = new FetchPlan(settings);
  }

  /** Begins to fetch a partition. */
  add(partition: TopicPartition, offset: number, stop?: number): void {
    this.plan.assign(partition, offset, stop);
    this.#kick();
  }

  remove(partition: TopicPartition): void {
    this.plan.remove(partition);
    this.extents.delete(partition);
    this.#kick();
  }

  /** Goes on from another offset. */
  seek(partition: TopicPartition, offset: number): void {
    this.plan.seek(partition, offset);
    this.#kick();
  }

  /** Fetches no more of one partition, and drops what was fetched; `resume` goes on from `offset`. */
  pause(partition: TopicPartition, offset: number): void {
    this.plan.pause(partition, offset);
    this.#kick();
  }

  resume(partition: TopicPartition): void {
    this.plan.resume(partition);
    this.#kick();
  }

  /** The records that came first. */
  take(): Chunk | undefined {
    for (let chunk = this.#chunks.shift(); chunk; chunk = this.#chunks.shift()) {
      if (this.plan.isCurrent(chunk)) return chunk;
    }
    return undefined;
  }

  /** Whether the partition is still assigned as it was when the chunk was fetched. */
  isCurrent(chunk: Chunk): boolean {
    return this.plan.isCurrent(chunk);
  }

  /** The chunk was read: its room is free again. */
  done(chunk: Chunk): void {
    this.plan.read(chunk);
    this.#kick();
  }

  /** Asks nothing any more; answers that are under way are dropped. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.subscription.unsubscribe();
    this.#chunks = [];
    this.#wake();
  }

  #kick(): void {
    if (this.#isClosed) return;
    void this.#locate();
    for (const node of this.#nodes.values()) void this.#loop(node.id);
    this.#wake();
    this.#schedule();
  }

  #wake(): void {
    for (const wake of [...this.#wakes]) wake();
  }

  readonly #due = (): void => {
    this.#timer = undefined;
    this.#kick();
  };

  /** Wakes everything once the next partition may be asked again. */
  #schedule(): void {
    const now = this.#scheduler.now();
    // It is due, and late because this thread is busy: whoever waits for it is not among those that wait from now on.
    if (this.#timer && this.#timer.at <= now) return;
    const at = this.plan.nextRetryAt(now);
    this.#timer?.subscription.unsubscribe();
    this.#timer = at === undefined ? undefined : { at, subscription: this.#scheduler.schedule(this.#due, at - now) };
  }

  /** Finds the leaders of partitions that have none; all of a round first, so that one request asks for all of a leader's. */
  async #locate(): Promise<void> {
    if (this.#isLocating) return;
    this.#isLocating = true;
    // Behind this step, in which more partitions may be added.
    await undefined;
    try {
      for (;;) {
        const partitions = this.plan.leaderless(this.#scheduler.now());
        if (partitions.length === 0 || this.#isClosed) return;
        await Promise.all(partitions.map(partition => this.#findLeader(partition)));
        for (const node of this.#nodes.values()) void this.#loop(node.id);
        this.#wake();
      }
    } finally {
      this.#isLocating = false;
      if (!this.#isClosed) this.#schedule();
    }
  }

  async #findLeader(partition: TopicPartition): Promise<void> {
    try {
      const node = await this.#client.leader(partition);
      if (this.#isClosed) return;
      if (node) {
        this.#nodes.set(node.id, node);
        this.plan.ledBy(partition, node.id);
      } else this.#retry([partition], 'it has no leader at present', false);
    } catch (error) {
      if (this.#isClosed) return;
      if (isLasting(error)) this.#fail(error);
      else this.#retry([partition], messageOf(error), false, error);
    }
  }

  /** Nothing is asked any more: the task is to end. */
  #fail(error: unknown): void {
    if (this.#isClosed) return;
    this.close();
    this.#events.failed(error);
  }

  async #loop(id: number): Promise<void> {
    if (this.#looping.has(id)) return;
    this.#looping.add(id);
    try {
      while (!this.#isClosed) {
        const node = this.#nodes.get(id);
        const request = this.plan.request(id, this.#scheduler.now());
        if (!node) return;
        if (request) await this.#fetch(node, request);
        else await this.#changed();
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#looping.delete(id);
    }
  }

  #changed(): Promise<void> {
    return new Promise(resolve => {
      const wake = () => {
        this.#wakes.delete(wake);
        resolve();
      };
      this.#wakes.add(wake);
    });
  }

  async #fetch(node: KafkaNode, request: PlannedFetch): Promise<void> {
    const { isolation, maxWaitMs, minBytes } = this.#settings;
    const { maxBytes, partitions } = request;
    let answers: readonly FetchedPartition[];
    try {
      answers = await node.fetch({ isolation, maxWaitMs, minBytes, maxBytes, partitions });
    } catch (error) {
      this.plan.answered(request);
      if (this.#isClosed) return;
      if (isLasting(error)) this.#fail(error);
      else this.#retry(partitions, messageOf(error), true, error);
      return;
    }
    this.plan.answered(request);
    if (this.#isClosed) return;
    const asked = new PartitionMap<Asked>();
    for (const partition of partitions) asked.set(partition, partition);
    // A full answer leaves out what there is of other partitions; an empty one says that there is nothing.
    const isEmpty = answers.every(({ records }) => records.length === 0);
    for (const answer of answers) {
      const one = asked.get(answer);
      if (one && this.plan.isCurrent(one)) this.#take(one, answer, isEmpty);
      asked.delete(answer);
    }
    // A broker that throttles this client answers for none.
    const unanswered = answers.length === 0 ? [] : [...asked.values()].filter(one => this.plan.isCurrent(one));
    if (unanswered.length > 0) this.#retry(unanswered, `broker ${node.address} did not answer for it`, true);
    this.#events.changed();
    // What this answer did not use of the buffer is there for the other nodes.
    this.#wake();
    this.#schedule();
  }

  #take(asked: Asked, answer: FetchedPartition, isEmpty: boolean): void {
    if (answer.error !== 'NONE') {
      this.#refused(asked, answer.error);
      return;
    }
    const since = this.plan.succeeded(asked);
    if (since !== undefined) {
      const afterMs = this.#scheduler.now() - since;
      this.#logger.info({ partition: partitionText(asked), afterMs }, 'a partition is read again');
    }
    const { logStartOffset: logStart, lastStableOffset, highWatermark } = answer;
    const end = this.#settings.isolation === 'read_committed' ? lastStableOffset : highWatermark;
    this.extents.set(asked, { logStart, end });
    if (isEmpty && end >= (this.plan.of(asked)?.stop ?? end + 1)) this.#events.nothingBefore(asked, asked.offset, end);
    if (answer.records.length === 0) return;
    const behind = behindFetched(answer.records);
    // A broker gives the first batch whole: to ask for it again would go on for ever.
    if (behind === undefined || behind <= asked.offset) {
      this.#fail(unreadable(asked, asked.offset, answer.records));
      return;
    }
    const kept = this.plan.fetched(asked, behind, answer.records.length);
    if (kept) this.#chunks.push({ ...kept, fetched: answer });
  }

  #refused(asked: Asked, error: string): void {
    const verdict = verdictOn(error);
    if (verdict === 'out of range') {
      this.plan.hold(asked);
      this.plan.failed(asked, this.#scheduler.now(), false);
      this.#events.outOfRange(asked, asked.offset);
    } else if (verdict === 'not permitted' || verdict === 'failed') {
      this.#fail(refusal(asked, error));
    } else {
      this.#retry([asked], error, verdict === 'leader changed');
    }
  }

  #retry(partitions: readonly TopicPartition[], why: string, isLedElsewhere: boolean, cause?: unknown): void {
    const now = this.#scheduler.now();
    let since = now;
    for (const partition of partitions) {
      if (isLedElsewhere) this.#client.forgetLeader(partition);
      since = Math.min(since, this.plan.failed(partition, now, isLedElsewhere));
    }
    const names = listed(partitions.map(partitionText));
    const { retryTimeoutMs } = this.#settings;
    if (now - since >= retryTimeoutMs) {
      this.#fail(outOfReach(names, this.#client.location, retryTimeoutMs, why, cause));
      return;
    }
    if (now - this.#lastReminder >= reminderMs) {
      this.#lastReminder = now;
      this.#logger.warn(
        { partitions: names, why, failingForMs: now - since },
        'cannot be read at present; trying again',
      );
    }
    void this.#locate();
    this.#schedule();
  }
}
