import type { SchedulerLike } from 'rxjs';
import type { ErrorContext } from '../errors.ts';
import type { Key, Mark } from './elements.ts';

/**
 * One step of a running task. Calls come from inside the task's gate, one at a time, and never throw: what goes wrong is
 * handed to `Scope.fail`. After `complete` a stage still passes marks.
 */
export interface Stage<T> {
  next(value: T): void;
  /** A watermark or barrier, in order with `next`. */
  mark(mark: Mark): void;
  /** The error notification of an Observable that feeds the job; other failures go to `Scope.fail`. */
  error(error: unknown): void;
  complete(): void;
}

/** The running task as its stages see it. Time and key of the record that is being handled are ambient. */
export interface Scope {
  /** Event time of the current record in ms; `NaN` when it has none, `Infinity` for output at completion. */
  timestamp: number;
  key: Key | undefined;
  readonly hasFailed: boolean;
  readonly scheduler: SchedulerLike;
  /** Latches the first failure at once: no further element or mark is handled on any branch. */
  fail(error: unknown, context?: ErrorContext): void;
  /** Runs `work` as an element of its own: now, or after the one that is being handled. */
  enter(work: () => void): void;
}

/** A stage that passes everything on; others override what they change. */
export abstract class PassStage<I, O> implements Stage<I> {
  readonly scope: Scope;
  readonly out: Stage<O>;

  constructor(scope: Scope, out: Stage<O>) {
    this.scope = scope;
    this.out = out;
  }

  abstract next(value: I): void;

  mark(mark: Mark): void {
    this.out.mark(mark);
  }

  error(error: unknown): void {
    this.out.error(error);
  }

  complete(): void {
    this.out.complete();
  }
}

/** Gives each element to several stages in the order in which they were declared. */
export class FanOut<T> implements Stage<T> {
  readonly outs: Stage<T>[] = [];
  readonly scope: Scope;

  constructor(scope: Scope) {
    this.scope = scope;
  }

  next(value: T): void {
    for (const out of this.outs) {
      if (this.scope.hasFailed) return;
      out.next(value);
    }
  }

  mark(mark: Mark): void {
    for (const out of this.outs) {
      if (this.scope.hasFailed) return;
      out.mark(mark);
    }
  }

  error(error: unknown): void {
    for (const out of this.outs) {
      if (this.scope.hasFailed) return;
      out.error(error);
    }
  }

  complete(): void {
    for (const out of this.outs) {
      if (this.scope.hasFailed) return;
      out.complete();
    }
  }
}

/** The end of a branch that nothing reads. */
export class Discard implements Stage<unknown> {
  readonly scope: Scope;

  constructor(scope: Scope) {
    this.scope = scope;
  }

  next(): void {}
  mark(): void {}
  complete(): void {}

  error(error: unknown): void {
    this.scope.fail(error);
  }
}
