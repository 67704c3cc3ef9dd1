import type { SchedulerLike } from 'rxjs';
import type { Json, Logger, Source, SourceContext, SourceReader } from '../../lib/index.ts';
import { SharedServices } from '../../lib/task/shared-services.ts';
import { ManualScheduler } from './manual-scheduler.ts';

export interface LoggedLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

/** A logger that keeps what it is told. */
export function keptLog(lines: LoggedLine[]): Logger {
  const at = (level: LoggedLine['level']) => (fields: object, message: string) => {
    lines.push({ level, fields, message });
  };
  const logger: Logger = {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => logger,
  };
  return logger;
}

/** A position as a manifest brings it back. */
export function stored(position: Json): Json {
  return JSON.parse(JSON.stringify(position)) as Json;
}

/** Stands where a task stands for one opened source: keeps what it gives, and breaks when it gives what it may not. */
export class SourceProbe<T> {
  readonly values: T[] = [];
  readonly timestamps: number[] = [];
  /** Records in each batch. */
  readonly batches: number[] = [];
  readonly errors: unknown[] = [];
  readonly log: LoggedLine[] = [];
  readonly scheduler = new ManualScheduler();
  completions = 0;
  isPaused = false;
  isClosed = false;
  hasStarted = false;
  /** What was given while it was not allowed. */
  readonly violations: string[] = [];
  /** Runs behind each batch, as a task does that pauses its sources or draws a barrier. */
  afterBatch: ((probe: SourceProbe<T>) => void) | undefined;
  #reader: SourceReader | undefined;
  readonly #shared = new SharedServices(this.scheduler, keptLog(this.log));
  readonly #waiting: { readonly isThere: () => boolean; readonly resolve: () => void }[] = [];

  /** `meanwhile` runs while the source opens, which may wait on the clock. */
  static async open<T>(
    source: Source<T>,
    position?: Json,
    meanwhile?: (probe: SourceProbe<T>) => void,
  ): Promise<SourceProbe<T>> {
    const probe = new SourceProbe<T>();
    const opening = source.open(position, probe.#context());
    meanwhile?.(probe);
    probe.#reader = await opening;
    return probe;
  }

  get reader(): SourceReader {
    if (!this.#reader) throw new Error('the source is not open yet');
    return this.#reader;
  }

  start(): this {
    this.hasStarted = true;
    this.reader.start();
    return this;
  }

  pause(): void {
    this.isPaused = true;
    this.reader.pause();
  }

  resume(): void {
    this.isPaused = false;
    this.reader.resume();
  }

  position(): Json {
    return stored(this.reader.position());
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.reader.close();
    await this.#shared.close();
    this.#changed();
  }

  /** Resolves once `isThere`; an error of the source rejects it. */
  until(isThere: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = () => (this.errors.length > 0 && !isThere() ? reject(this.errors[0]) : resolve());
      this.#waiting.push({ isThere: () => isThere() || this.errors.length > 0, resolve: settle });
      this.#changed();
    });
  }

  untilCompleted(): Promise<void> {
    return this.until(() => this.completions > 0);
  }

  untilRecords(count: number): Promise<void> {
    return this.until(() => this.values.length >= count);
  }

  /** The error that the source fails with. */
  async untilError(): Promise<unknown> {
    await this.until(() => this.errors.length > 0);
    return this.errors[0];
  }

  #context(): SourceContext<T> {
    return {
      job: 'job',
      task: 'main',
      logger: keptLog(this.log),
      scheduler: this.scheduler as SchedulerLike,
      batch: (values, timestamps) => this.#take(values, timestamps),
      next: (value, timestamp) => this.#take([value], timestamp === undefined ? undefined : [timestamp]),
      watermark: () => this.#verify('a watermark'),
      complete: () => {
        this.#verify('its completion');
        this.completions++;
        this.#changed();
      },
      error: error => this.#fail(error),
      checkpoint: () => {},
      shared: this.#shared.of,
      failed: error => this.#fail(error),
    };
  }

  #take(values: readonly T[], timestamps: readonly number[] | undefined): void {
    this.#verify(`${values.length} records`);
    if (this.isPaused) this.violations.push(`${values.length} records while paused`);
    if (values.length === 0) this.violations.push('an empty batch');
    if (timestamps && timestamps.length !== values.length) this.violations.push('another number of timestamps');
    for (const [index, value] of values.entries()) {
      this.values.push(value);
      this.timestamps.push(timestamps?.[index] ?? Number.NaN);
    }
    this.batches.push(values.length);
    this.afterBatch?.(this);
    this.#changed();
  }

  #fail(error: unknown): void {
    this.#verify('an error');
    this.errors.push(error);
    this.#changed();
  }

  #verify(what: string): void {
    if (!this.hasStarted) this.violations.push(`${what} before start`);
    if (this.isClosed) this.violations.push(`${what} after close`);
    if (this.completions > 0) this.violations.push(`${what} after completion`);
    if (this.errors.length > 0) this.violations.push(`${what} after an error`);
  }

  #changed(): void {
    for (const waiting of this.#waiting.filter(({ isThere }) => isThere())) {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      waiting.resolve();
    }
  }
}
