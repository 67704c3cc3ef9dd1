import type { Json, Manifest } from '../checkpoint/manifest.ts';
import type { CheckpointSink } from '../checkpoint/participants.ts';
import { messageOf } from '../errors.ts';
import { andThen, attempt, type MaybePromise } from '../maybe-promise.ts';
import type { Logger } from '../observe/logger.ts';
import { Barrier, type Mark } from '../stream/elements.ts';
import type { Scope, Stage } from '../stream/stage.ts';
import type { Sink, SinkContext, SinkWriter } from './sink.ts';

/** One open sink of a task: writes what passes. */
export class SinkRunner implements Stage<unknown>, CheckpointSink {
  readonly sink: Sink<unknown>;
  records = 0;
  private readonly scope: Scope;
  private readonly out: Stage<unknown>;
  private readonly logger: Logger;
  private writer: SinkWriter<unknown> | undefined;
  private isClosed = false;

  constructor(sink: Sink<unknown>, scope: Scope, out: Stage<unknown>, logger: Logger) {
    this.sink = sink;
    this.scope = scope;
    this.out = out;
    this.logger = logger;
  }

  get name(): string {
    return this.sink.name;
  }

  /** Opens the sink and applies what the restored checkpoint holds for it. */
  open(context: SinkContext, restored: Manifest | undefined): MaybePromise<void> {
    return andThen(this.sink.open(context), writer => {
      this.writer = writer;
      if (this.isClosed) return this.close();
      const handle = restored?.sinks[this.name];
      return writer.restore(
        restored && handle !== undefined ? { id: restored.id, token: restored.token, handle } : undefined,
      );
    });
  }

  next(value: unknown): void {
    const { scope } = this;
    if (scope.hasFailed) return;
    this.records++;
    try {
      (this.writer as SinkWriter<unknown>).write(value, scope.timestamp, scope.key);
    } catch (error) {
      scope.fail(error, { sink: this.name });
      return;
    }
    this.out.next(value);
  }

  mark(mark: Mark): void {
    if (this.scope.hasFailed) return;
    if (mark instanceof Barrier) {
      try {
        this.writer?.barrier(mark.id);
      } catch (error) {
        this.scope.fail(error, { sink: this.name });
        return;
      }
    }
    this.out.mark(mark);
  }

  error(error: unknown): void {
    this.out.error(error);
  }

  complete(): void {
    this.out.complete();
  }

  flush(id: number): MaybePromise<Json> {
    return (this.writer as SinkWriter<unknown>).flush(id);
  }

  commit(id: number, handle: Json): MaybePromise<void> {
    return this.writer?.commit(id, handle);
  }

  abandon(id: number): void {
    this.writer?.abandon(id);
  }

  close(): MaybePromise<void> {
    const { writer } = this;
    this.isClosed = true;
    this.writer = undefined;
    return attempt<void>(
      () => writer?.close(),
      error => this.logger.warn({ sink: this.name, error: messageOf(error) }, 'closing the sink failed'),
    );
  }
}
