import { Observable, type Observer, type Operator, Subscriber, type Subscription } from 'rxjs';

/** What takes the blame for hand-written code. */
interface Thrower {
  threw(error: unknown): void;
}

type Notification<T> = (value: T) => void;

/**
 * What the operators of a group subscribe. Handlers that hand-written code gives to `subscribe` are guarded: RxJS would report
 * what they throw to a timer and carry on, and the next barrier would commit the loss.
 */
export class GroupInput extends Observable<unknown> {
  private readonly group: Thrower;

  constructor(group: Thrower, connect?: (subscriber: Subscriber<unknown>) => void) {
    super(connect);
    this.group = group;
  }

  override lift<R>(operator?: Operator<unknown, R>): Observable<R> {
    // A connectable Observable takes this method over.
    const output = this instanceof GroupInput ? new GroupInput(this.group) : new Observable<unknown>();
    output.source = this;
    output.operator = operator as Operator<unknown, unknown>;
    return output as Observable<R>;
  }

  override subscribe(
    observerOrNext?: Partial<Observer<unknown>> | Notification<unknown> | null,
    error?: Notification<unknown> | null,
    complete?: (() => void) | null,
  ): Subscription {
    if (observerOrNext instanceof Subscriber) return super.subscribe(observerOrNext);
    const { next, error: failed, complete: completed } = bound(observerOrNext, error, complete);
    return super.subscribe({
      next: this.guarded(next),
      error: this.guarded(failed ?? (unhandled => this.group.threw(unhandled))),
      complete: this.guarded(completed) as () => void,
    });
  }

  private guarded<T>(handler: Notification<T> | null | undefined): Notification<T> {
    return value => {
      try {
        handler?.(value);
      } catch (error) {
        this.group.threw(error);
      }
    };
  }
}

interface Handlers {
  readonly next: Notification<unknown> | null | undefined;
  readonly error: Notification<unknown> | null | undefined;
  readonly complete: (() => void) | null | undefined;
}

function bound(
  observerOrNext: Partial<Observer<unknown>> | Notification<unknown> | null | undefined,
  error: Handlers['error'],
  complete: Handlers['complete'],
): Handlers {
  if (typeof observerOrNext === 'function' || !observerOrNext) return { next: observerOrNext, error, complete };
  return {
    next: observerOrNext.next?.bind(observerOrNext),
    error: observerOrNext.error?.bind(observerOrNext),
    complete: observerOrNext.complete?.bind(observerOrNext),
  };
}
