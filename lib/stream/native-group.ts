import { type Observable, type Scheduler, Subscriber } from 'rxjs';
import { LiftError, UserCodeError } from '../errors.ts';
import type { Mark } from './elements.ts';
import { GroupInput } from './group-input.ts';
import { guardSchedulers, type SchedulerGuard } from './scheduler-guard.ts';
import type { Scope, Stage } from './stage.ts';

/** The native group whose operators run right now; nothing asynchronous and no other stream may be used inside it. */
let running: NativeGroup | null = null;

/** The native group whose operators run right now. */
export function runningGroup(): NativeGroup | null {
  return running;
}

/** Leaves the guards of the group that is running, for code of Tidemark's own below it; answers where to return. */
export function leaveGroups(): NativeGroup | null {
  const outer = running;
  running = null;
  return outer;
}

export function returnToGroup(outer: NativeGroup | null): void {
  running = outer;
}

/** Runs Tidemark's own code that happens to be called below a native operator, free of the group's guards. */
export function outsideGroups<R>(work: () => R): R {
  const outer = leaveGroups();
  try {
    return work();
  } finally {
    returnToGroup(outer);
  }
}

export type NativeOperator = (input: Observable<unknown>) => Observable<unknown>;

/**
 * Consecutive native operators, subscribed once per task, that records pass synchronously and marks go around: whatever leaves
 * the group leaves it while one of its records, or the end of its input, is handled.
 */
export class NativeGroup implements Stage<unknown>, SchedulerGuard {
  readonly label: string;
  readonly scope: Scope;
  readonly out: Stage<unknown>;
  isWired = false;
  /** Completed, or ended by an error notification: nothing more comes out but marks. */
  isCompleted = false;
  hasRefused = false;
  queue: Scheduler | undefined;
  private head: Subscriber<unknown> | null = null;
  private readonly tail: Tail;
  private failure: unknown;
  /** The input's error notification that is on its way through the operators, as they see it and as the stages do. */
  private passing: { readonly seen: unknown; readonly error: unknown } | null = null;
  private readonly whenCompleted: () => void;

  constructor(scope: Scope, out: Stage<unknown>, label: string, whenCompleted: () => void) {
    this.scope = scope;
    this.out = out;
    this.label = label;
    this.whenCompleted = whenCompleted;
    this.tail = new Tail(this);
  }

  /** Subscribes the operators; afterwards the group waits for its first record. Throws `LiftError`, or what an operator threw. */
  wire(operators: readonly NativeOperator[]): void {
    guardSchedulers(runningGroup);
    const input: Observable<unknown> = new GroupInput(this, subscriber => this.connect(subscriber));
    const outer = running;
    running = this;
    try {
      operators.reduce((source, operator) => operator(source), input).subscribe(this.tail);
    } catch (error) {
      this.failure ??= error;
    } finally {
      running = outer;
    }
    if (this.failure === undefined && this.head === null && !this.isCompleted) {
      this.failure = new LiftError(`${this.label} did not subscribe its source at the start: records would be lost.`);
    }
    if (this.failure !== undefined) {
      this.close();
      throw this.failure;
    }
    this.isWired = true;
  }

  next(value: unknown): void {
    if (this.isCompleted) return;
    const head = this.head as Subscriber<unknown>;
    if (head.closed) {
      this.failUnlessCompleted('no longer listens to its source, but has not completed');
      return;
    }
    const outer = running;
    running = this;
    head.next(value);
    running = outer;
  }

  mark(mark: Mark): void {
    this.out.mark(mark);
  }

  /** The input's error notification: the operators see it as the source gave it, and may handle it. */
  error(error: unknown): void {
    if (this.isCompleted) return;
    const isOfSource = error instanceof UserCodeError && error.context.source !== undefined;
    const seen = isOfSource ? error.cause : error;
    this.passing = { seen, error };
    const outer = running;
    running = this;
    (this.head as Subscriber<unknown>).error(seen);
    running = outer;
    this.passing = null;
    this.failUnlessCompleted('did not end when its source failed');
  }

  complete(): void {
    if (this.isCompleted) return;
    const outer = running;
    running = this;
    (this.head as Subscriber<unknown>).complete();
    running = outer;
    this.failUnlessCompleted('did not complete with its source');
  }

  /** The operators completed, or the restored checkpoint says that they had. */
  finish(): void {
    if (this.isCompleted) return;
    this.isCompleted = true;
    this.head?.unsubscribe();
    this.whenCompleted();
  }

  /** Unsubscribes the operators, for a task that has ended. */
  close(): void {
    outsideGroups(() => this.tail.unsubscribe());
  }

  /**
   * Fails the task at once, or the wiring, whatever an operator like catchError makes of the error that follows.
   */
  refuse(error: unknown): unknown {
    this.hasRefused = true;
    if (this.isWired) this.scope.fail(error);
    else this.failure ??= error;
    return error;
  }

  refuseScheduler(): unknown {
    return this.refuse(
      new LiftError(
        `${this.label} uses an RxJS scheduler while it ${this.isWired ? 'handles a record' : 'is subscribed'}: what it emits later ` +
          'would be lost in a crash. Use the checkpointed operator of the same name from "tidemark/operators"; for a side effect ' +
          'of the application, read handle.output(tag) instead.',
      ),
    );
  }

  /** Hand-written code threw where RxJS would report it to a timer and carry on. */
  threw(error: unknown): void {
    if (this.isWired) this.scope.fail(error, { native: this.label });
    else this.failure ??= error;
  }

  /** Leaves the group's guards while a value is handled downstream. */
  emit(value: unknown): void {
    if (!this.isWired) {
      this.refuse(
        new LiftError(
          `${this.label} emits a value when it is subscribed (as startWith does): it would be repeated at every restart. Use ` +
            'startWith from "tidemark/operators".',
        ),
      );
      return;
    }
    if (this.scope.hasFailed) return;
    if (running !== this) {
      this.refuseLate('emitted');
      return;
    }
    running = null;
    this.out.next(value);
    running = this;
  }

  /** The operators ended with an error: the input's own goes on downstream, any other fails the task at once. */
  fail(error: unknown): void {
    if (this.passing === null || this.passing.seen !== error) {
      this.threw(error);
      return;
    }
    this.isCompleted = true;
    const outer = leaveGroups();
    this.out.error(this.passing.error);
    returnToGroup(outer);
  }

  completeDownstream(): void {
    if (this.isWired && running !== this) {
      if (!this.scope.hasFailed) this.refuseLate('completed');
      return;
    }
    this.finish();
    if (!this.isWired) return;
    const outer = leaveGroups();
    this.out.complete();
    returnToGroup(outer);
  }

  /** Whoever is refused gets no answer: an error would be hidden by catchError(), and bring retry() back for ever. */
  private connect(subscriber: Subscriber<unknown>): void {
    if (this.isWired) {
      this.refuse(
        new LiftError(
          `${this.label} subscribes its source later than at the start (as retry, repeat or a delayed subscription do): what came ` +
            'in between would be lost. Restart strategies of the job replace retry.',
        ),
      );
    } else if (this.head !== null) {
      this.refuse(
        new LiftError(`${this.label} subscribes its source twice. Branch the stream itself and join it with union().`),
      );
    } else this.head = subscriber;
  }

  private refuseLate(what: 'emitted' | 'completed'): void {
    this.refuse(
      new LiftError(
        `${this.label} ${what} while none of its records was being handled (a promise, a timer, a Subject or another stream): no ` +
          'checkpoint covers that. Use the checkpointed operator from "tidemark/operators", join streams with union(), and end a ' +
          'job with handle.stop().',
      ),
    );
  }

  private failUnlessCompleted(problem: string): void {
    if (this.isCompleted || this.scope.hasFailed) return;
    this.refuse(
      new LiftError(`${this.label} ${problem}: something in it still waits, and what follows would be lost.`),
    );
  }
}

/** Takes what a group's last operator emits. Overrides the protected methods, so that nothing wraps or swallows a throw. */
class Tail extends Subscriber<unknown> {
  private readonly group: NativeGroup;

  constructor(group: NativeGroup) {
    super();
    this.group = group;
  }

  /** All of `next`: as `_next` it would make the call in Subscriber.next polymorphic, which costs each record of a group. */
  override next(value: unknown): void {
    if (this.isStopped) super.next(value);
    else this.group.emit(value);
  }

  protected override _error(error: unknown): void {
    this.group.fail(error);
    this.unsubscribe();
  }

  protected override _complete(): void {
    this.group.completeDownstream();
    this.unsubscribe();
  }
}
