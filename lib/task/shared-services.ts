import type { SchedulerLike } from 'rxjs';
import { messageOf, NotRunningError } from '../errors.ts';
import { attempt, eachInOrder, type MaybePromise } from '../maybe-promise.ts';
import type { Logger } from '../observe/logger.ts';
import { closedInTime } from './closing.ts';

/** Who shares a service: what one incarnation of a task is made of, or all tasks that run in this process. */
export type SharedBy = 'task' | 'process';

/** `shared` of a source's or sink's context; `by` is `task` when left out. */
export type Shared = <T>(key: string, make: () => T, close: (service: T) => MaybePromise<void>, by?: SharedBy) => T;

/** What the sources and sinks of one incarnation of a task share: connections, producers. */
export class SharedServices {
  private readonly logger: Logger;
  private readonly scheduler: SchedulerLike;
  private readonly services = new Map<string, { readonly service: unknown; close(): MaybePromise<void> }>();
  /** Of the process, where several tasks run in it. */
  private readonly wider: Shared | undefined;
  private isClosed = false;

  constructor(scheduler: SchedulerLike, logger: Logger, wider?: Shared) {
    this.scheduler = scheduler;
    this.logger = logger;
    this.wider = wider;
  }

  /** The service with this key: made by the first who asks, the same for all others. */
  readonly of: Shared = <T>(
    key: string,
    make: () => T,
    close: (service: T) => MaybePromise<void>,
    by: SharedBy = 'task',
  ): T => {
    if (by === 'process' && this.wider && !this.isClosed) return this.wider(key, make, close);
    const known = this.services.get(key);
    if (known) return known.service as T;
    // Nobody would close it any more.
    if (this.isClosed) throw new NotRunningError(`The task has ended: "${key}" is not made any more.`);
    const service = make();
    this.services.set(key, { service, close: () => close(service) });
    return service;
  };

  /** Closes all of them, last made first, but does not wait for ever; what fails is only logged. */
  close(): MaybePromise<void> {
    this.isClosed = true;
    const closing = [...this.services].reverse();
    this.services.clear();
    const closed = eachInOrder(closing, ([key, { close }]) =>
      attempt<void>(close, error =>
        this.logger.warn({ service: key, error: messageOf(error) }, 'closing what connectors share failed'),
      ),
    );
    return closedInTime(closed, this.scheduler, this.logger);
  }
}
