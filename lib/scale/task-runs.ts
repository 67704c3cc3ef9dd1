import type { SchedulerLike } from 'rxjs';
import { type TidemarkError, tidemarkError } from '../errors.ts';
import type { JobOutcome, JobStatus } from '../job/handle.ts';

/** A run of one task, as far as who starts and ends it needs to know. */
export interface TaskRun {
  readonly status: JobStatus;
  readonly done: Promise<JobOutcome>;
  stop(options?: { readonly drain?: boolean }): Promise<void>;
  cancel(): Promise<void>;
  checkpoint(): void;
}

export interface TaskRunsEvents<R extends TaskRun> {
  /** Begins a run of this task. */
  begin(task: number): R;
  /** A run ended by itself: nobody had asked it to. */
  ended(task: number, result: { readonly outcome: JobOutcome } | { readonly error: TidemarkError }): void;
  changed(): void;
}

interface Entry<R> {
  /** Left out while an earlier run of the task still ends. */
  run?: R;
  isEnding: boolean;
}

/** The runs of the tasks that a process has: at most one of each, and none begins before the one before it has ended. */
export class TaskRuns<R extends TaskRun> {
  readonly #events: TaskRunsEvents<R>;
  readonly #scheduler: SchedulerLike;
  readonly #entries = new Map<number, Entry<R>>();
  readonly #endings = new Map<number, Promise<void>>();

  constructor(scheduler: SchedulerLike, events: TaskRunsEvents<R>) {
    this.#scheduler = scheduler;
    this.#events = events;
  }

  /** The tasks that run, or are about to, in order. */
  get tasks(): readonly number[] {
    return [...this.#entries].flatMap(([task, { isEnding }]) => (isEnding ? [] : [task])).sort((a, b) => a - b);
  }

  /** All runs that have not ended, by task. */
  get runs(): readonly R[] {
    return [...this.#entries].sort(([a], [b]) => a - b).flatMap(([, { run }]) => run ?? []);
  }

  start(task: number): void {
    const entry = this.#entries.get(task);
    if (entry && !entry.isEnding) return;
    const begun: Entry<R> = { isEnding: false };
    const begin = () => {
      if (this.#entries.get(task) === begun && !begun.isEnding) this.#begin(task, begun);
    };
    const before = this.#endings.get(task);
    this.#entries.set(task, begun);
    if (before) void before.then(begin);
    else begin();
  }

  /** Ends these tasks with a last checkpoint, or without one when that is not there in time; resolves when they have ended. */
  async stop(
    tasks: readonly number[],
    options: { readonly drain?: boolean; readonly withinMs: number },
  ): Promise<void> {
    await Promise.all(tasks.map(task => this.#end(task, run => this.#stopped(run, options))));
  }

  /** Ends all tasks without a checkpoint. */
  async cancel(tasks: readonly number[] = this.tasks): Promise<void> {
    await Promise.all(tasks.map(task => this.#end(task, run => run.cancel())));
  }

  #begin(task: number, entry: Entry<R>): void {
    let run: R;
    try {
      run = this.#events.begin(task);
    } catch (error) {
      this.#entries.delete(task);
      this.#events.ended(task, { error: tidemarkError(error) });
      return;
    }
    entry.run = run;
    const over = (result: { readonly outcome: JobOutcome } | { readonly error: TidemarkError }) => {
      if (this.#entries.get(task) === entry) this.#entries.delete(task);
      if (!entry.isEnding) this.#events.ended(task, result);
      this.#events.changed();
    };
    run.done.then(
      outcome => over({ outcome }),
      (error: TidemarkError) => over({ error }),
    );
    this.#events.changed();
  }

  #end(task: number, end: (run: R) => Promise<void>): Promise<void> {
    const entry = this.#entries.get(task);
    const under = this.#endings.get(task);
    if (!entry || entry.isEnding) return under ?? Promise.resolve();
    entry.isEnding = true;
    const { run } = entry;
    if (!run) {
      this.#entries.delete(task);
      return under ?? Promise.resolve();
    }
    const ended = end(run)
      // How it ended is its own affair: it has said so in its log, and who asked wants it to be over.
      .catch(() => {})
      .then(() => {
        if (this.#endings.get(task) === ended) this.#endings.delete(task);
      });
    this.#endings.set(task, ended);
    return ended;
  }

  async #stopped(run: R, { drain = false, withinMs }: { readonly drain?: boolean; readonly withinMs: number }) {
    const timer = this.#scheduler.schedule(() => void run.cancel(), withinMs);
    try {
      await run.stop({ drain });
    } finally {
      timer.unsubscribe();
    }
  }
}
