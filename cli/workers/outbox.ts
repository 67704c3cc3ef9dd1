import type { CheckpointEvent, JobStatus } from '../../lib/job/handle.ts';
import type { LogLine } from '../../lib/scale/workers/worker.ts';
import type { FromWorker } from './messages.ts';
import { plainStatus } from './plain-status.ts';

/** Least time between two messages with news, ms. */
export const newsEveryMs = 250;

/** Lines that wait for the next message; more are counted and dropped, the least important first. */
export const mostLines = 1_000;

export interface OutboxTimers {
  /** ms, monotonic. */
  now(): number;
  later(call: () => void, inMs: number): void;
}

/** Gathers what a worker has to tell, and sends it at once when it was silent for a while, else with the next message. */
export class Outbox {
  readonly #send: (message: FromWorker) => void;
  readonly #timers: OutboxTimers;
  readonly #memoryBytes: () => number;
  #status: JobStatus | undefined;
  #checkpoints: CheckpointEvent[] = [];
  #lines: LogLine[] = [];
  #dropped = 0;
  #lastAt = Number.NEGATIVE_INFINITY;
  #isDue = false;

  constructor(send: (message: FromWorker) => void, timers: OutboxTimers, memoryBytes: () => number) {
    this.#send = send;
    this.#timers = timers;
    this.#memoryBytes = memoryBytes;
  }

  status(status: JobStatus): void {
    this.#status = status;
    this.#plan();
  }

  checkpoint(event: CheckpointEvent): void {
    this.#checkpoints.push(event);
    this.#plan();
  }

  line(line: LogLine): void {
    if (this.#lines.length < mostLines || line.level === 'error') this.#lines.push(line);
    else this.#dropped++;
    this.#plan();
  }

  /** Sends what there is, now. */
  flush(): void {
    const lines = this.#lines;
    if (this.#dropped > 0) {
      const message = `${this.#dropped} lines were not shown: there were too many at once`;
      lines.push({ level: 'warn', fields: {}, message });
    }
    if (!this.#status && this.#checkpoints.length === 0 && lines.length === 0) return;
    this.#send({
      is: 'news',
      ...(this.#status ? { status: plainStatus(this.#status), memoryBytes: this.#memoryBytes() } : {}),
      checkpoints: this.#checkpoints,
      lines,
    });
    this.#status = undefined;
    this.#checkpoints = [];
    this.#lines = [];
    this.#dropped = 0;
    this.#lastAt = this.#timers.now();
  }

  /** Never at once: what belongs together is mostly said in one turn. */
  #plan(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#timers.later(
      () => {
        this.#isDue = false;
        this.flush();
      },
      Math.max(0, this.#lastAt + newsEveryMs - this.#timers.now()),
    );
  }
}
