import type { CheckpointEvent, JobStatus } from '../../lib/job/handle.ts';
import type { LogLine } from '../../lib/scale/workers/worker.ts';
import type { FromWorker } from './messages.ts';
import { plainStatus } from './plain-status.ts';

/** Least time between two messages with a status, ms. */
export const statusEveryMs = 250;

/** Lines in one message; more in one turn are counted and dropped, but for errors. */
export const mostLines = 1_000;

export interface OutboxTimers {
  /** ms, monotonic. */
  now(): number;
  later(call: () => void, inMs: number): void;
}

/**
 * Gathers what a worker has to tell: lines and checkpoints of one turn of the event loop in one message, so that those before a crash
 * are told; the latest status at most four times a second.
 */
export class Outbox {
  readonly #send: (message: FromWorker) => void;
  readonly #timers: OutboxTimers;
  readonly #memoryBytes: () => number;
  #status: JobStatus | undefined;
  #checkpoints: CheckpointEvent[] = [];
  #lines: LogLine[] = [];
  #dropped = 0;
  #statusAt = Number.NEGATIVE_INFINITY;
  #isStatusDue = false;
  #areLinesDue = false;

  constructor(send: (message: FromWorker) => void, timers: OutboxTimers, memoryBytes: () => number) {
    this.#send = send;
    this.#timers = timers;
    this.#memoryBytes = memoryBytes;
  }

  status(status: JobStatus): void {
    this.#status = status;
    if (this.#isStatusDue) return;
    this.#isStatusDue = true;
    this.#timers.later(() => this.flush(), Math.max(0, this.#statusAt + statusEveryMs - this.#timers.now()));
  }

  checkpoint(event: CheckpointEvent): void {
    this.#checkpoints.push(event);
    this.#planLines();
  }

  line(line: LogLine): void {
    if (this.#lines.length < mostLines || line.level === 'error') this.#lines.push(line);
    else this.#dropped++;
    this.#planLines();
  }

  /** Sends what there is, now. */
  flush(): void {
    const status = this.#status;
    this.#status = undefined;
    this.#isStatusDue = false;
    if (status) this.#statusAt = this.#timers.now();
    this.#flush(status);
  }

  #flush(status: JobStatus | undefined): void {
    const lines = this.#lines;
    const checkpoints = this.#checkpoints;
    if (this.#dropped > 0) {
      const message = `${this.#dropped} lines were not shown: there were too many at once`;
      lines.push({ level: 'warn', fields: {}, message });
    }
    this.#lines = [];
    this.#checkpoints = [];
    this.#dropped = 0;
    if (!status && checkpoints.length === 0 && lines.length === 0) return;
    const told = status ? { status: plainStatus(status), memoryBytes: this.#memoryBytes() } : {};
    this.#send({ is: 'news', ...told, checkpoints, lines });
  }

  #planLines(): void {
    if (this.#areLinesDue) return;
    this.#areLinesDue = true;
    this.#timers.later(() => {
      this.#areLinesDue = false;
      this.#flush(undefined);
    }, 0);
  }
}
