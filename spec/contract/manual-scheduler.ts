import { type SchedulerAction, type SchedulerLike, Subscription } from 'rxjs';

interface Due {
  readonly at: number;
  readonly run: () => void;
}

/** A scheduler whose time stands still until a spec moves it; `untilScheduled` waits for whoever will wait on it. */
export class ManualScheduler implements SchedulerLike {
  #now = 0;
  readonly #due = new Set<Due>();
  #watchers: (() => void)[] = [];

  now(): number {
    return this.#now;
  }

  schedule<S>(work: (this: SchedulerAction<S>, state?: S) => void, delay = 0, state?: S): Subscription {
    const due: Due = { at: this.#now + delay, run: () => work.call(undefined as never, state) };
    this.#due.add(due);
    for (const tell of this.#watchers.splice(0)) tell();
    return new Subscription(() => this.#due.delete(due));
  }

  /** What waits to be run. */
  get pending(): number {
    return this.#due.size;
  }

  /** Moves time on by `ms` and runs what is due. */
  advance(ms: number): void {
    this.#now += ms;
    for (const due of [...this.#due].filter(({ at }) => at <= this.#now).sort((a, b) => a.at - b.at)) {
      if (this.#due.delete(due)) due.run();
    }
  }

  /** Resolves once something waits to be run. */
  async untilScheduled(): Promise<void> {
    while (this.#due.size === 0) await new Promise<void>(resolve => this.#watchers.push(resolve));
  }
}
