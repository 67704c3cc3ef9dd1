import type { SchedulerLike } from 'rxjs';
import { ExternalError, type Logger, messageOf } from '../../../lib/index.ts';
import { isLasting, retryDelay } from './fetch-failure.ts';

/** A failure that may pass. */
export class Passing {
  readonly why: string;

  constructor(why: string) {
    this.why = why;
  }
}

/** Asks again, a little later each time, until there is an answer, the time is over, or nobody wants it any more. */
export class Patience {
  readonly #scheduler: SchedulerLike;
  readonly #logger: Logger;
  readonly #timeoutMs: number;
  readonly #location: string;
  readonly #waiting = new Set<() => void>();
  #isClosed = false;

  constructor(scheduler: SchedulerLike, logger: Logger, timeoutMs: number, location: string) {
    this.#scheduler = scheduler;
    this.#logger = logger;
    this.#timeoutMs = timeoutMs;
    this.#location = location;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The answer of `ask`; `undefined` once closed. `what` completes "Kafka could not be asked for …". */
  async answer<T extends object>(what: string, ask: () => Promise<T | Passing>): Promise<T | undefined> {
    const since = this.#scheduler.now();
    for (let failures = 1; !this.#isClosed; failures++) {
      let why: string;
      let cause: unknown;
      try {
        const answer = await ask();
        if (!(answer instanceof Passing)) return answer;
        why = answer.why;
      } catch (error) {
        if (isLasting(error)) throw error;
        why = messageOf(error);
        cause = error;
      }
      if (this.#isClosed) return undefined;
      if (this.#scheduler.now() - since >= this.#timeoutMs) {
        throw new ExternalError(
          `Kafka at ${this.#location} could not be asked for ${what} within ${this.#timeoutMs} ms (retryTimeout): ${why}. ` +
            'Check that the cluster runs and can be reached.',
          cause === undefined ? {} : { cause },
        );
      }
      this.#logger.warn({ why, failures }, `Kafka cannot be asked for ${what} at present; trying again`);
      await this.wait(retryDelay(failures));
    }
    return undefined;
  }

  /** Waits on the task's scheduler; ends early when closed. */
  wait(ms: number): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return new Promise(resolve => {
      const over = () => {
        timer.unsubscribe();
        this.#waiting.delete(over);
        resolve();
      };
      const timer = this.#scheduler.schedule(over, ms);
      this.#waiting.add(over);
    });
  }

  close(): void {
    this.#isClosed = true;
    for (const over of [...this.#waiting]) over();
  }
}
