import type { Subscription } from 'rxjs';
import type { Json } from '../checkpoint/manifest.ts';
import { JobDefinitionError } from '../errors.ts';
import { andThen } from '../maybe-promise.ts';
import { type Source, type SourceContext, type SourceMeasures, type SourceReader, wrapSource } from './source.ts';

/**
 * Slows a source down to so many records a second on average: recorded data at the speed of life.
 *
 * Throws `JobDefinitionError` unless `recordsPerSecond` is a positive number.
 */
export function paced<T>(source: Source<T>, recordsPerSecond: number): Source<T> {
  if (!(recordsPerSecond > 0)) {
    throw new JobDefinitionError(`paced() takes a positive number of records a second, not ${recordsPerSecond}.`);
  }
  return wrapSource(source, {
    open(position, context) {
      const pace = new Pace(context, recordsPerSecond);
      return andThen(source.open(position, pace.slowed()), reader => pace.around(reader));
    },
  });
}

/** Pauses the reader after each batch for as long as the batch should have taken. */
class Pace<T> implements SourceReader {
  private readonly context: SourceContext<T>;
  private readonly recordsPerSecond: number;
  private reader: SourceReader | undefined;
  private wake: Subscription | undefined;
  /** When the records given so far should have been given, on the scheduler's clock. */
  private dueAt = Number.NEGATIVE_INFINITY;
  private isPaused = false;

  constructor(context: SourceContext<T>, recordsPerSecond: number) {
    this.context = context;
    this.recordsPerSecond = recordsPerSecond;
  }

  slowed(): SourceContext<T> {
    const { context } = this;
    return {
      job: context.job,
      task: context.task,
      slice: context.slice,
      logger: context.logger,
      scheduler: context.scheduler,
      shared: context.shared,
      takesCheckpoints: context.takesCheckpoints ?? true,
      hasPublished: position => context.hasPublished?.(position) ?? false,
      batch: (values, timestamps, runs) => {
        context.batch(values, timestamps, runs);
        this.gave(values.length);
      },
      next: (value, timestamp) => {
        context.next(value, timestamp);
        this.gave(1);
      },
      partition: (name, phase) => context.partition?.(name, phase),
      watermark: timestamp => context.watermark(timestamp),
      checkpoint: () => context.checkpoint(),
      complete: () => context.complete(),
      error: error => context.error(error),
      failed: error => context.failed(error),
    };
  }

  around(reader: SourceReader): SourceReader {
    this.reader = reader;
    return this;
  }

  start(): void {
    this.reader?.start();
  }

  position(): Json {
    return this.reader?.position() ?? null;
  }

  pause(): void {
    this.isPaused = true;
    this.reader?.pause();
  }

  resume(): void {
    this.isPaused = false;
    if (!this.wake) this.reader?.resume();
  }

  holdPartition(partition: string, isHeld: boolean): void {
    this.reader?.holdPartition?.(partition, isHeld);
  }

  flush(id: number): ReturnType<NonNullable<SourceReader['flush']>> {
    return this.reader?.flush?.(id);
  }

  committed(id: number, position: Json): void {
    this.reader?.committed?.(id, position);
  }

  progress(): number | undefined {
    return this.reader?.progress?.();
  }

  measures(): SourceMeasures {
    return this.reader?.measures?.() ?? { partitions: [], skipped: {} };
  }

  close(): ReturnType<SourceReader['close']> {
    this.wake?.unsubscribe();
    return this.reader?.close();
  }

  private gave(records: number): void {
    const now = this.context.scheduler.now();
    this.dueAt = Math.max(this.dueAt, now) + (records * 1_000) / this.recordsPerSecond;
    const wait = this.dueAt - now;
    if (wait < shortestWaitMs) return;
    this.reader?.pause();
    this.wake?.unsubscribe();
    this.wake = this.context.scheduler.schedule(() => {
      this.wake = undefined;
      if (!this.isPaused) this.reader?.resume();
    }, wait);
  }
}

/** Below this a timer costs more than it slows. */
const shortestWaitMs = 5;
