import {
  InternalError,
  type Json,
  type MaybePromise,
  type PartitionPhase,
  type SourceContext,
  type SourceMeasures,
  type SourceReader,
} from '../../../lib/index.ts';
import type { KafkaClient, TopicPartition } from '../client/port.ts';
import { AutoCommit } from './auto-commit.ts';
import { BatchSize } from './batch-size.ts';
import type { DeadLetters } from './dead-letters.ts';
import { Discovery } from './discovery.ts';
import { ofPartition } from './errors.ts';
import { Fetcher } from './fetcher.ts';
import { GroupCommits } from './group-commits.ts';
import { isEmptyToTheEnd, offsetInPlaceOf } from './log-limits.ts';
import type { KafkaSourceSettings } from './options.ts';
import { PartitionMap, partitionText } from './partitions.ts';
import type { Patience } from './patience.ts';
import { Poison } from './poison.ts';
import { positionJson, readPosition } from './position.ts';
import { type ReadPartition, ReadPartitions } from './read-partitions.ts';
import { RecordBatch, RecordRun, type RunEnd } from './record-run.ts';
import type { SourceStart } from './source-start.ts';
import { takeUp } from './topic-changes.ts';
import type { TopicChanges, TopicWatch } from './topic-watch.ts';
import { turn } from './turn.ts';

export interface ReaderServices<T> {
  readonly client: KafkaClient;
  readonly settings: KafkaSourceSettings<T>;
  readonly context: SourceContext<T>;
  readonly group: string;
  readonly patience: Patience;
  readonly deadLetters: DeadLetters | undefined;
}

/** An open Kafka source: gives what the fetcher brings, batch by batch, and knows how far it is. */
export class KafkaReader<T> implements SourceReader {
  readonly #services: ReaderServices<T>;
  readonly #cluster: string;
  readonly #partitions = new ReadPartitions();
  readonly #watch: TopicWatch;
  /** Of the topics that are read. */
  #ids: ReadonlyMap<string, string>;
  readonly #fetcher: Fetcher;
  readonly #poison: Poison;
  readonly #commits: GroupCommits;
  readonly #discovery: Discovery | undefined;
  readonly #batch = new RecordBatch<T>();
  readonly #size = new BatchSize();
  readonly #aborting = new AbortController();
  /** Offsets that the broker does not have, while what was fetched before them is still read. */
  readonly #missingOffsets = new PartitionMap<number>();
  /** Came to their stop offset since the last batch. */
  readonly #ended: TopicPartition[] = [];
  #run: RecordRun<T> | undefined;
  #isPaused = false;
  #isClosed = false;
  #hasChanged = false;
  #wake: (() => void) | undefined;
  #loop: Promise<void> | undefined;
  readonly #autoCommit: AutoCommit | undefined;

  constructor(services: ReaderServices<T>, start: SourceStart) {
    this.#services = services;
    this.#cluster = start.cluster;
    this.#watch = start.watch;
    this.#ids = new Map(start.watch.ids);
    for (const [topic, gone] of start.gone) this.#partitions.gone.set(topic, gone);
    const { client, settings, context, group } = services;
    const { logger, scheduler } = context;
    this.#fetcher = new Fetcher(client, settings, scheduler, logger, {
      changed: () => this.#changed(),
      outOfRange: (partition, offset) => this.#missing(partition, offset),
      failed: error => this.#failed(error),
      nothingBefore: (partition, offset, end) => this.#guard(this.#mayHaveEnded(partition, offset, end)),
    });
    this.#poison = new Poison({
      policy: typeof settings.onBadRecord === 'string' ? settings.onBadRecord : 'dead letter',
      deadLetters: services.deadLetters,
      source: settings.name,
      logger,
      now: () => scheduler.now(),
    });
    this.#commits = new GroupCommits(client, group, logger, () => scheduler.now());
    const { autoCommitInterval: interval } = settings;
    if (context.takesCheckpoints === false && settings.commitOffsets && interval !== 'off') {
      this.#autoCommit = new AutoCommit(scheduler, interval, () => this.#commits.commit(this.#partitions.offsets()));
    }
    const changed = (changes: TopicChanges) => this.#topicsChanged(changes);
    if (settings.discovery !== 'off') {
      this.#discovery = new Discovery(client, start.watch, settings.discovery, scheduler, logger, changed);
    }
    for (const partition of start.partitions) this.#partitions.add(partition);
  }

  start(): void {
    for (const of of this.#partitions.all()) {
      const { topic, partition, position } = of;
      this.#tell(of, position.isReached ? 'ended' : 'reading');
      if (!position.isReached) this.#fetcher.add({ topic, partition }, position.next, position.stop);
    }
    this.#discovery?.begin(error => this.#failed(error));
    this.#autoCommit?.begin();
    this.#loop = this.#read();
  }

  position(): Json {
    const { group, settings } = this.#services;
    const { positions, gone } = this.#partitions;
    const position = positionJson(this.#cluster, group, positions.topics(), this.#ids, gone);
    // Whoever commits offsets in a transaction finds here that it is not to.
    return settings.commitOffsets ? position : { ...(position as object), commits: false };
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#changed();
  }

  flush(): MaybePromise<void> {
    return this.#services.deadLetters?.flush?.();
  }

  committed(_id: number, position: Json): void {
    const { settings, context } = this.#services;
    if (!settings.commitOffsets || this.#isClosed || context.hasPublished?.(position)) return;
    this.#commits.commit(readPosition(position, settings.name).partitions);
  }

  progress(): number | undefined {
    return this.#services.settings.stop === undefined ? undefined : this.#partitions.progress();
  }

  measures(): SourceMeasures {
    const partitions = this.#partitions.measures(this.#fetcher.extents);
    const { skipped, deadLettered } = this.#poison;
    return {
      partitions,
      skipped: { null: this.#batch.nothings, poison: skipped, 'dead letter': deadLettered },
      failures: { 'offset commit': this.#commits.failures },
    };
  }

  /** What was fetched of a partition that is held is fetched again later. */
  holdPartition(name: string, isHeld: boolean): void {
    const of = this.#partitions.all().find(one => partitionText(one) === name);
    if (!of) return;
    if (isHeld) this.#fetcher.pause(of, of.position.next);
    else this.#fetcher.resume(of);
  }

  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#fetcher.close();
      this.#discovery?.close();
      this.#autoCommit?.close();
      this.#services.patience.close();
      this.#aborting.abort();
      this.#changed();
    }
    await this.#loop;
    await this.#commits.settled();
  }

  get #isOver(): boolean {
    return this.#services.settings.stop !== undefined && this.#partitions.areFinished;
  }

  async #read(): Promise<void> {
    try {
      while (await this.#mayGive()) {
        if (this.#isOver) {
          this.#services.context.complete();
          return;
        }
        const end = this.#fill();
        const handled = this.#batch.handled;
        this.#give();
        if (typeof end === 'object') await this.#load(end.missing);
        else if (end === 'idle' && handled === 0 && !this.#isOver) await this.#untilChanged();
        else await turn();
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Fills the batch from what was fetched; `idle` when nothing of it is left. */
  #fill(): RunEnd | 'idle' {
    try {
      for (;;) {
        this.#run = this.#current() ?? this.#nextRun();
        if (!this.#run) return 'idle';
        const before = this.#batch.values.length;
        const { chunk } = this.#run;
        const end = this.#run.fill(this.#batch, this.#size.records);
        this.#batch.cameFrom(partitionText(chunk));
        this.#count(chunk, this.#batch.values.length - before);
        if (end === 'full' || typeof end === 'object') return end;
        this.#fetcher.done(chunk);
        this.#run = undefined;
        this.#wasRead(chunk);
      }
    } catch (error) {
      // What came before the record that cannot be read is given first.
      const chunk = this.#run?.chunk;
      this.#give();
      throw chunk ? ofPartition(error, chunk) : error;
    }
  }

  #wasRead(chunk: TopicPartition): void {
    const partition = this.#partitions.get(chunk);
    if (partition) this.#moved(partition);
    const missing = this.#missingOffsets.get(chunk);
    if (missing !== undefined) this.#missing(chunk, missing);
  }

  #current(): RecordRun<T> | undefined {
    return this.#run && this.#fetcher.isCurrent(this.#run.chunk) ? this.#run : undefined;
  }

  #nextRun(): RecordRun<T> | undefined {
    const chunk = this.#fetcher.take();
    if (!chunk) return undefined;
    const position = this.#partitions.get(chunk)?.position;
    if (!position?.continuesAt(chunk.offset)) {
      throw new InternalError(
        `Records of ${partitionText(chunk)} from offset ${chunk.offset} do not continue its position, ${position?.next}.`,
      );
    }
    const { value: deserializer, timestamp } = this.#services.settings;
    return new RecordRun(chunk, position, { deserializer, timestamp, poison: this.#poison });
  }

  #count(partition: TopicPartition, records: number): void {
    const of = this.#partitions.get(partition);
    if (of) of.records += records;
  }

  /** The task handles the batch before this returns. */
  #give(): void {
    const batch = this.#batch;
    const { values, timestamps, runs } = batch;
    batch.clear();
    if (values.length > 0 && !this.#isClosed) {
      const { context } = this.#services;
      const startedAt = context.scheduler.now();
      context.batch(values, timestamps, runs);
      this.#size.took(values.length, context.scheduler.now() - startedAt);
    }
    for (const partition of this.#ended.splice(0)) this.#tell(partition, 'ended');
  }

  #tell(partition: TopicPartition, phase: PartitionPhase): void {
    this.#services.context.partition?.(partitionText(partition), phase);
  }

  /** Notices that a partition has come to its stop offset; it is told behind its last records. */
  #moved(of: ReadPartition): void {
    this.#partitions.moved(of);
    if (of.position.isReached) this.#ended.push(of);
  }

  async #load(missing: ReadonlySet<number>): Promise<void> {
    await this.#services.settings.value.load?.(missing, this.#aborting.signal);
  }

  /** Waits while the source is paused, or its dead letters are not taken; `false` once it is closed. */
  async #mayGive(): Promise<boolean> {
    const { deadLetters } = this.#services;
    while ((this.#isPaused || deadLetters?.isFull) && !this.#isClosed) {
      if (deadLetters?.isFull) deadLetters.whenRoom?.(this.#changed);
      await this.#untilChanged();
    }
    return !this.#isClosed;
  }

  readonly #changed = (): void => {
    this.#hasChanged = true;
    this.#wake?.();
  };

  /** Waits until there is something new to look at; what was new since the last wait counts. */
  async #untilChanged(): Promise<void> {
    if (!this.#hasChanged && !this.#isClosed) {
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    this.#hasChanged = false;
  }

  #failed(error: unknown): void {
    if (this.#isClosed) return;
    this.#fetcher.close();
    this.#services.context.error(error);
  }

  #guard(work: Promise<void>): void {
    void work.catch(error => this.#failed(error));
  }

  /** The broker does not have this offset. What was fetched before it is given first; then it is decided where to go on. */
  #missing(partition: TopicPartition, wanted: number): void {
    const of = this.#partitions.get(partition);
    if (!of || of.position.next < wanted) {
      this.#missingOffsets.set(partition, wanted);
      return;
    }
    this.#missingOffsets.delete(partition);
    this.#guard(this.#goOnElsewhere(of));
  }

  async #goOnElsewhere(of: ReadPartition): Promise<void> {
    const { client, patience, settings, context } = this.#services;
    const services = { client, patience, settings, logger: context.logger };
    const { topic, partition, position } = of;
    const wanted = position.next;
    const offset = await offsetInPlaceOf(services, { topic, partition }, wanted);
    // It may have been read on in the meantime: an answer about where it was then must not take it back.
    if (offset === undefined || this.#isClosed || position.next !== wanted) return;
    position.moveTo(offset);
    this.#moved(of);
    this.#fetcher.seek({ topic, partition }, offset);
    this.#changed();
  }

  async #mayHaveEnded(partition: TopicPartition, offset: number, end: number): Promise<void> {
    const of = this.#partitions.get(partition);
    if (!of) return;
    const { position } = of;
    const isThere = () => position.next === offset && !position.isReached && end >= position.stop;
    if (!isThere() || !(await isEmptyToTheEnd(this.#services.client, of.topic)) || !isThere()) return;
    position.passedBatch(position.stop - 1);
    this.#moved(of);
    this.#fetcher.remove(partition);
    this.#changed();
  }

  async #topicsChanged(changes: TopicChanges): Promise<void> {
    const before = this.#partitions.all();
    const ids = new Map(this.#watch.ids);
    const added = await takeUp(changes, this.#services, this.#partitions, this.#fetcher, this.#ids, ids);
    if (this.#isClosed) return;
    this.#ids = ids;
    for (const one of before) if (this.#partitions.get(one) !== one) this.#tell(one, 'gone');
    for (const one of added) {
      this.#partitions.add(one);
      this.#tell(one, 'reading');
      this.#fetcher.add({ topic: one.topic, partition: one.partition }, one.next);
    }
  }
}
