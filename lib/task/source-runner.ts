import type { SchedulerLike } from 'rxjs';
import type { Json } from '../checkpoint/manifest.ts';
import type { CheckpointSource, SourceEntry } from '../checkpoint/participants.ts';
import { messageOf, TidemarkError, UserCodeError } from '../errors.ts';
import type { MaybePromise } from '../maybe-promise.ts';
import { andThen, attempt } from '../maybe-promise.ts';
import type { Logger } from '../observe/logger.ts';
import { Barrier, Rest, Watermark } from '../stream/elements.ts';
import type { Stage } from '../stream/stage.ts';
import type { Gate } from './gate.ts';
import type { Shared } from './shared-services.ts';
import type { PartitionPhase, PartitionRun, Source, SourceContext, SourceMeasures, SourceReader } from './source.ts';
import { SourceClock, type SourceClockHost, type SourceTime } from './source-clock.ts';

/** One open source of a task: lets its records in through the gate and answers for its position. */
export class SourceRunner implements SourceContext<unknown>, CheckpointSource, SourceClockHost {
  readonly source: Source<unknown>;
  readonly job: string;
  readonly task: string;
  readonly logger: Logger;
  readonly scheduler: SchedulerLike;
  readonly checkpoint: () => void;
  readonly shared: Shared;
  readonly takesCheckpoints: boolean;
  readonly slice: SourceContext<unknown>['slice'];
  readonly hasPublished: (position: Json) => boolean;
  records = 0;
  isFinished = false;
  isPaused = false;
  private readonly gate: Gate;
  private readonly out: Stage<unknown>;
  private reader: SourceReader | undefined;
  private lastPosition: Json = null;
  private lastWatermark = Number.NEGATIVE_INFINITY;
  private isClosed = false;
  private clock: SourceClock | undefined;
  /** What the stages were told last about whether records are expected. */
  private isIdle = false;
  /** Whether it is ahead of other sources, and waits for them. */
  private isAhead = false;
  /** Whether the task wants it to read, and whether the reader was begun. */
  private isWanted = false;
  private hasStarted = false;
  /** What the manifest says of it while it rests: nothing enters any more, whatever its reader still does. */
  private resting: SourceEntry | undefined;

  constructor(
    source: Source<unknown>,
    out: Stage<unknown>,
    gate: Gate,
    context: Pick<SourceContext<unknown>, 'job' | 'task' | 'logger' | 'shared' | 'checkpoint'> &
      Partial<Pick<SourceContext<unknown>, 'slice' | 'takesCheckpoints' | 'hasPublished'>>,
  ) {
    this.source = source;
    this.out = out;
    this.gate = gate;
    this.job = context.job;
    this.task = context.task;
    this.logger = context.logger;
    this.scheduler = gate.scheduler;
    this.checkpoint = context.checkpoint;
    this.shared = context.shared;
    this.slice = context.slice;
    this.takesCheckpoints = context.takesCheckpoints ?? true;
    this.hasPublished = position => context.hasPublished?.(position) ?? false;
  }

  get name(): string {
    return this.source.name;
  }

  /** Opens at what the manifest says; reads nothing yet. A source that had finished is not opened again. */
  open(restored: SourceEntry | undefined): MaybePromise<void> {
    if (restored) {
      this.lastPosition = restored.position;
      this.isFinished = restored.finished;
      this.lastWatermark = restored.watermark ?? Number.NEGATIVE_INFINITY;
    }
    if (this.isFinished) return;
    const { eventTime } = this.source;
    if (eventTime) this.clock = new SourceClock(eventTime, this, restored?.clocks, this.lastWatermark);
    return andThen(this.source.open(restored?.position, this), reader => {
      this.reader = reader;
      if (this.isClosed) return reader.close();
    });
  }

  /** Gives the restored watermark and end to the stages. */
  restoreMarks(): void {
    // A stage behind it may not have passed on the end of time yet.
    if (this.isFinished) this.lastWatermark = Number.POSITIVE_INFINITY;
    if (this.lastWatermark > Number.NEGATIVE_INFINITY) {
      this.gate.between(() => this.out.mark(new Watermark(this.lastWatermark)));
    }
    if (this.isFinished) this.gate.between(() => this.gate.complete(this.out));
  }

  /** Begins to read; while it is paused (for the credits that another source used up), when it is resumed. */
  start(): void {
    this.isWanted = true;
    if (!this.isFinished) this.clock?.start();
    if (!this.isPaused) this.startOrResume();
  }

  pause(): void {
    if (this.isPaused || this.isFinished) return;
    this.isPaused = true;
    if (this.hasStarted && !this.isAhead) this.tell(reader => reader.pause());
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.startOrResume();
  }

  get isHalted(): boolean {
    return this.isPaused || this.isAhead;
  }

  hold(isHeld: boolean): void {
    if (isHeld === this.isAhead) return;
    this.isAhead = isHeld;
    if (this.isPaused) return;
    if (!isHeld) this.gate.afterwards(() => this.startOrResume());
    else if (this.hasStarted) this.tell(reader => reader.pause());
  }

  holdPartition(partition: string, isHeld: boolean): boolean {
    if (!this.reader?.holdPartition) return false;
    this.tell(reader => reader.holdPartition?.(partition, isHeld));
    return true;
  }

  private startOrResume(): void {
    if (this.isClosed || this.isFinished || this.resting || !this.isWanted || this.isHalted) return;
    if (this.hasStarted) this.tell(reader => reader.resume());
    else {
      this.hasStarted = true;
      this.tell(reader => reader.start());
    }
  }

  /** A reader that throws fails the task: whoever tells it something (a stop, a sink that gives credits back) cannot help it. */
  private tell(order: (reader: SourceReader) => void): void {
    const { reader } = this;
    if (!reader) return;
    try {
      order(reader);
    } catch (error) {
      this.gate.fail(error, { source: this.name });
    }
  }

  /** Gives nothing any more, and says so; inside the gate, while no record waits in it. */
  rest(rest: string): void {
    if (!this.resting) {
      this.resting = this.entry();
      if (this.hasStarted && !this.isFinished && !this.isHalted) this.tell(reader => reader.pause());
    }
    this.passRest(rest);
  }

  /** Says that nothing comes, which is known from elsewhere; inside the gate. */
  passRest(rest: string): void {
    if (!this.gate.hasFailed) this.out.mark(new Rest(rest));
  }

  entry(): SourceEntry {
    if (this.resting) return this.resting;
    if (this.reader && !this.isFinished) this.lastPosition = this.positionOf(this.reader);
    const watermark = this.lastWatermark;
    return {
      position: this.lastPosition,
      finished: this.isFinished,
      watermark: Number.isFinite(watermark) ? watermark : null,
      ...(this.clock && !this.isFinished ? { clocks: this.clock.stored() } : {}),
    };
  }

  private positionOf(reader: SourceReader): Json {
    try {
      return reader.position();
    } catch (error) {
      throw this.failure('threw when it was asked for its position', error);
    }
  }

  barrier(id: number): void {
    this.out.mark(new Barrier(id));
  }

  flush(id: number): MaybePromise<void> {
    return this.reader?.flush?.(id);
  }

  /** Told to a finished source, too: its end is a position that others want to see. */
  committed(id: number, position: Json): void {
    this.reader?.committed?.(id, position);
  }

  progress(): number | undefined {
    if (this.isFinished) return 1;
    try {
      return this.reader?.progress?.();
    } catch {
      return undefined; // only a display waits for it
    }
  }

  measures(): SourceMeasures | undefined {
    try {
      return this.reader?.measures?.();
    } catch {
      return undefined; // only metrics wait for it
    }
  }

  /** Its watermark, ms; `undefined` before the first, and at the end of time. */
  get reached(): number | undefined {
    return Number.isFinite(this.lastWatermark) ? this.lastWatermark : undefined;
  }

  /** What a status tells of its event time; `undefined` where nothing assigns it. */
  time(): SourceTime | undefined {
    return this.clock?.status();
  }

  batch(values: readonly unknown[], timestamps?: readonly number[], runs?: readonly PartitionRun[]): void {
    if (this.isClosed || this.isFinished || this.resting) return;
    this.records += values.length;
    if (this.clock) this.timed(this.clock, values, timestamps, runs);
    else this.gate.batch(this.out, values, timestamps);
  }

  next(value: unknown, timestamp = Number.NaN): void {
    if (this.isClosed || this.isFinished || this.resting) return;
    this.records++;
    if (this.clock) this.timed(this.clock, [value], [timestamp], undefined);
    else this.gate.next(this.out, value, timestamp);
  }

  private timed(
    clock: SourceClock,
    values: readonly unknown[],
    timestamps: readonly number[] | undefined,
    runs: readonly PartitionRun[] | undefined,
  ): void {
    try {
      const times = clock.timesOf(values, timestamps);
      this.activate();
      this.gate.batch(this.out, values, times);
      clock.handled(values, times, runs);
    } catch (error) {
      this.error(error);
    }
  }

  partition(name: string, phase: PartitionPhase): void {
    if (!this.isClosed && !this.isFinished) this.clock?.partition(name, phase);
  }

  /** A watermark of the source itself; where event time is assigned, that decides. */
  watermark(timestamp: number): void {
    if (!this.clock) this.advance(timestamp, false);
  }

  /** As `watermark`, of a source that also knows whether it is idle. */
  moved(timestamp: number, isIdle: boolean): void {
    this.advance(timestamp, isIdle);
  }

  clockMoved(): void {
    const { clock } = this;
    if (clock) this.advance(clock.watermark, clock.isIdle);
  }

  /** Its records count again before the first one comes. */
  private activate(): void {
    if (this.isIdle) this.advance(this.lastWatermark, false);
  }

  private advance(timestamp: number, isIdle: boolean): void {
    if (this.isClosed || this.isFinished || this.resting) return;
    this.gate.enter(() => {
      if (this.isFinished || this.resting || (timestamp <= this.lastWatermark && isIdle === this.isIdle)) return;
      this.lastWatermark = Math.max(this.lastWatermark, timestamp);
      this.isIdle = isIdle;
      this.out.mark(new Watermark(this.lastWatermark, isIdle));
    });
  }

  /** The end of bounded input, or of a drained job: time ends, operators complete. */
  complete(): void {
    if (this.isClosed || this.resting) return;
    this.gate.enter(() => {
      if (this.isFinished || this.resting) return;
      if (this.reader) this.lastPosition = this.positionOf(this.reader);
      this.isFinished = true;
      this.clock?.end();
      this.lastWatermark = Number.POSITIVE_INFINITY;
      this.out.mark(new Watermark(Number.POSITIVE_INFINITY));
      if (!this.gate.hasFailed) this.gate.complete(this.out);
    });
  }

  error(error: unknown): void {
    if (!this.isClosed) this.gate.fail(error, { source: this.name });
  }

  failed(error: unknown): void {
    if (this.isClosed) return;
    const failure = this.failure('failed', error);
    this.gate.enter(() => this.out.error(failure));
  }

  private failure(what: string, error: unknown): TidemarkError {
    if (error instanceof TidemarkError) return error;
    const { name } = this;
    return new UserCodeError(`The source "${name}" ${what}: ${messageOf(error)}`, {
      cause: error,
      context: { source: name },
    });
  }

  close(): MaybePromise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    this.clock?.close();
    return attempt<void>(
      () => this.reader?.close(),
      error => this.logger.warn({ source: this.name, error: messageOf(error) }, 'closing the source failed'),
    );
  }
}
