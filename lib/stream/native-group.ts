import { Observable, Scheduler, Subscriber } from 'rxjs';
import { LiftError } from '../errors.ts';
import type { Mark } from './elements.ts';
import type { Scope, Stage } from './stage.ts';

/** The native group whose operators run right now; nothing asynchronous and no other stream may be used inside it. */
let running: NativeGroup | null = null;

/** The native group whose operators run right now. */
export function runningGroup(): NativeGroup | null {
  return running;
}

/** Runs Tidemark's own code that happens to be called below a native operator, free of the group's guards. */
export function outsideGroups<R>(work: () => R): R {
  const outer = running;
  running = null;
  try {
    return work();
  } finally {
    running = outer;
  }
}

const guarded = Symbol.for('tidemark.scheduler-guard');

/**
 * Makes RxJS's schedulers refuse work while a group subscribes or handles a record: what they would emit later could fall
 * on the wrong side of a barrier. The queue scheduler works at once and is allowed.
 */
function guardSchedulers(): void {
  const prototype = Scheduler.prototype as Scheduler & { [guarded]?: true };
  if (prototype[guarded]) return;
  prototype[guarded] = true;
  const schedule = prototype.schedule;
  prototype.schedule = function (this: Scheduler, ...args: Parameters<Scheduler['schedule']>) {
    if (running !== null && this.constructor.name !== 'QueueScheduler') {
      throw running.refuse(
        new LiftError(
          `${running.label} use an RxJS scheduler while they ${running.isWired ? 'handle a record' : 'subscribe'}: ` +
            'what they emit later would be lost in a crash. Use the checkpointed operator of the same name from ' +
            '"tidemark/operators", or read handle.output(tag) when this is a side effect of the application.',
        ),
      );
    }
    return schedule.apply(this, args) as ReturnType<Scheduler['schedule']>;
  } as Scheduler['schedule'];
}

export type NativeOperator = (input: Observable<unknown>) => Observable<unknown>;

/** Consecutive native operators, subscribed once per task, that records pass synchronously and marks go around. */
export class NativeGroup implements Stage<unknown> {
  readonly label: string;
  readonly scope: Scope;
  readonly out: Stage<unknown>;
  isWired = false;
  isCompleted = false;
  private head: Subscriber<unknown> | null = null;
  private failure: unknown;
  private readonly whenCompleted: () => void;

  constructor(scope: Scope, out: Stage<unknown>, label: string, whenCompleted: () => void) {
    this.scope = scope;
    this.out = out;
    this.label = label;
    this.whenCompleted = whenCompleted;
  }

  /** Subscribes the operators; afterwards the group waits for its first record. Throws `LiftError`. */
  wire(operators: readonly NativeOperator[]): void {
    guardSchedulers();
    const input = new Observable<unknown>(subscriber => {
      if (this.isWired) {
        subscriber.error(
          new LiftError(
            `${this.label} subscribe their source later than at the start (as retry, repeat or a delayed subscription do): ` +
              'what came in between would be lost. Restart strategies of the job replace retry.',
          ),
        );
      } else if (this.head !== null) {
        subscriber.error(
          new LiftError(
            `${this.label} subscribe their source twice. Branch the stream itself and join it with union().`,
          ),
        );
      } else this.head = subscriber;
    });
    const outer = running;
    running = this;
    try {
      operators.reduce((source, operator) => operator(source), input).subscribe(new Tail(this));
    } catch (error) {
      this.failure ??= error;
    } finally {
      running = outer;
    }
    if (this.failure !== undefined) throw this.failure;
    if (this.head === null && !this.isCompleted) {
      throw new LiftError(`${this.label} did not subscribe their source at the start: records would be lost.`);
    }
    this.isWired = true;
  }

  next(value: unknown): void {
    if (this.isCompleted) return;
    const outer = running;
    running = this;
    (this.head as Subscriber<unknown>).next(value);
    running = outer;
  }

  mark(mark: Mark): void {
    this.out.mark(mark);
  }

  error(error: unknown): void {
    if (this.isCompleted) return;
    const outer = running;
    running = this;
    (this.head as Subscriber<unknown>).error(error);
    running = outer;
  }

  complete(): void {
    if (this.isCompleted) return;
    const { scope } = this;
    const { timestamp, key } = scope;
    scope.timestamp = Number.POSITIVE_INFINITY;
    scope.key = undefined;
    const outer = running;
    running = this;
    (this.head as Subscriber<unknown>).complete();
    running = outer;
    scope.timestamp = timestamp;
    scope.key = key;
    if (!this.isCompleted && !scope.hasFailed) {
      scope.fail(
        new LiftError(
          `${this.label} did not complete with their source: something in them still waits, and would be lost.`,
        ),
      );
    }
  }

  /** The operators completed, or the restored checkpoint says that they had: nothing more comes out but marks. */
  finish(): void {
    if (this.isCompleted) return;
    this.isCompleted = true;
    this.head?.unsubscribe();
    this.whenCompleted();
  }

  /** Fails the task at once, or the wiring, whatever an operator like catchError makes of the throw that follows. */
  refuse(error: unknown): unknown {
    if (this.isWired) this.scope.fail(error);
    else this.failure ??= error;
    return error;
  }

  /** Leaves the group's guards while a value is handled downstream. */
  emit(value: unknown): void {
    if (this.scope.hasFailed) return;
    if (running !== this) {
      this.scope.fail(
        new LiftError(
          `${this.label} emitted while none of their records was being handled (a promise, a timer or another stream): ` +
            'such output is not covered by any checkpoint. Use the checkpointed operator from "tidemark/operators", or union().',
        ),
      );
      return;
    }
    running = null;
    this.out.next(value);
    running = this;
  }

  fail(error: unknown): void {
    const outer = running;
    running = null;
    this.out.error(error);
    running = outer;
  }

  completeDownstream(): void {
    this.finish();
    const outer = running;
    running = null;
    this.out.complete();
    running = outer;
  }
}

/** Takes what a group's last operator emits. Overrides the protected methods, so that nothing wraps or swallows a throw. */
class Tail extends Subscriber<unknown> {
  private readonly group: NativeGroup;

  constructor(group: NativeGroup) {
    super();
    this.group = group;
  }

  protected override _next(value: unknown): void {
    if (this.group.isWired) this.group.emit(value);
    else {
      this.group.refuse(
        new LiftError(
          `${this.group.label} emit a value when they are subscribed (as startWith does): it would be repeated at every ` +
            'restart. Use startWith from "tidemark/operators".',
        ),
      );
    }
  }

  protected override _error(error: unknown): void {
    if (this.group.isWired) this.group.fail(error);
    else this.group.refuse(error);
    this.unsubscribe();
  }

  protected override _complete(): void {
    if (this.group.isWired) this.group.completeDownstream();
    else this.group.finish();
    this.unsubscribe();
  }
}
