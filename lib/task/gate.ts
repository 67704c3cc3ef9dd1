import type { SchedulerLike } from 'rxjs';
import type { ErrorContext } from '../errors.ts';
import type { Key } from '../stream/elements.ts';
import { leaveGroups, type NativeGroup, outsideGroups, returnToGroup } from '../stream/native-group.ts';
import type { Scope, Stage } from '../stream/stage.ts';

/**
 * The one entry to a task: records, marks, timers, async results and queries pass one after another, and what arrives while
 * an element (or a source's batch) is handled waits. So no barrier falls between the outputs of one record.
 */
export class Gate implements Scope {
  timestamp = Number.NaN;
  key: Key | undefined = undefined;
  hasFailed = false;
  /** Elements that entered since the task began; equal numbers at two barriers mean that nothing happened in between. */
  entered = 0;
  readonly scheduler: SchedulerLike;
  private isBusy = false;
  private waiting: (() => void)[] = [];
  private whenIdle: (() => void)[] = [];
  private readonly whenFailed: (error: unknown, context: ErrorContext) => void;

  constructor(scheduler: SchedulerLike, whenFailed: (error: unknown, context: ErrorContext) => void) {
    this.scheduler = scheduler;
    this.whenFailed = whenFailed;
  }

  /** Whether an element is being handled. */
  get isProcessing(): boolean {
    return this.isBusy;
  }

  /** The first failure wins and is told at once; everything that waits is dropped. */
  fail(error: unknown, context: ErrorContext = {}): void {
    if (this.hasFailed) return;
    this.hasFailed = true;
    this.waiting = [];
    const outer = leaveGroups();
    this.whenFailed(error, context);
    returnToGroup(outer);
  }

  /** Lets nothing in any more, without a failure. */
  close(): void {
    this.hasFailed = true;
    this.waiting = [];
  }

  enter(work: () => void): void {
    if (this.isBusy) {
      // Counted when it is handled: a barrier may still come before it.
      this.between(() => {
        this.entered++;
        work();
      });
      return;
    }
    this.entered++;
    this.between(work);
  }

  /** Runs `work` between two elements, without counting as one: for barriers and queries. */
  between(work: () => void): void {
    if (this.hasFailed) return;
    if (this.isBusy) {
      this.waiting.push(work);
      return;
    }
    const outer = this.begin();
    try {
      work();
      this.handleWaiting();
    } catch (error) {
      this.fail(error);
    } finally {
      this.end(outer);
    }
  }

  /**
   * Runs `work` outside the gate, once nothing waits in it: for what may let elements in at once (a source that resumes), and
   * for barriers: then a source's position is never past a record that still waits.
   */
  afterwards(work: () => void): void {
    if (this.isBusy) this.whenIdle.push(work);
    else if (!this.hasFailed) outsideGroups(work);
  }

  /** One record. */
  next<T>(stage: Stage<T>, value: T, timestamp: number): void {
    if (this.hasFailed) return;
    if (this.isBusy) {
      this.waiting.push(() => this.handle(stage, value, timestamp));
      return;
    }
    const outer = this.begin();
    try {
      this.handle(stage, value, timestamp);
      this.handleWaiting();
    } catch (error) {
      this.fail(error);
    } finally {
      this.end(outer);
    }
  }

  /** Many records, one after another, without a call or closure for each. */
  batch<T>(stage: Stage<T>, values: readonly T[], timestamps: readonly number[] | undefined): void {
    this.enter(() => {
      for (let i = 0; i < values.length; i++) {
        if (this.hasFailed) return;
        this.timestamp = timestamps === undefined ? Number.NaN : (timestamps[i] as number);
        this.key = undefined;
        stage.next(values[i] as T);
      }
    });
  }

  /** The end of an input, inside `enter` or `between`: what is emitted at it has the end of time, and no key. */
  complete(stage: Stage<unknown>): void {
    this.timestamp = Number.POSITIVE_INFINITY;
    this.key = undefined;
    stage.complete();
  }

  private handle<T>(stage: Stage<T>, value: T, timestamp: number): void {
    this.entered++;
    this.timestamp = timestamp;
    this.key = undefined;
    stage.next(value);
  }

  private begin(): NativeGroup | null {
    this.isBusy = true;
    return leaveGroups();
  }

  private handleWaiting(): void {
    while (this.waiting.length > 0 && !this.hasFailed) {
      const works = this.waiting;
      this.waiting = [];
      for (const work of works) {
        if (this.hasFailed) return;
        this.timestamp = Number.NaN;
        this.key = undefined;
        work();
      }
    }
  }

  private end(outer: NativeGroup | null): void {
    this.isBusy = false;
    this.timestamp = Number.NaN;
    this.key = undefined;
    if (this.whenIdle.length > 0) outsideGroups(() => this.runIdle());
    returnToGroup(outer);
  }

  private runIdle(): void {
    while (this.whenIdle.length > 0 && !this.isBusy) {
      const work = this.whenIdle.shift();
      if (!this.hasFailed) work?.();
    }
  }
}
