import { type Observable, type SchedulerLike, Subject, type Subscription, throwError } from 'rxjs';
import { NotRunningError, type TidemarkError } from '../../errors.ts';
import type {
  CheckpointEvent,
  JobHandle,
  JobOutcome,
  JobPhase,
  JobStatus,
  Side,
  WorkerStatus,
} from '../../job/handle.ts';
import { metricsTexts, statusChanges, statusWithCounters } from '../../job/handle-streams.ts';
import type { RestartStrategy } from '../../job/restart-strategy.ts';
import type { Logger } from '../../observe/logger.ts';
import type { Savepoint } from '../../savepoint/savepoint.ts';
import type { Key } from '../../stream/elements.ts';
import {
  begun,
  type Supervision,
  type SupervisionEffect,
  type SupervisionEvent,
  type SupervisionStep,
  step,
  type WorkerEnd,
} from './supervision.ts';
import type { StartWorker, Worker, WorkerEvents } from './worker.ts';
import { WorkersRegistry } from './workers-registry.ts';
import { workersStatus } from './workers-status.ts';

export interface WorkersRunOptions {
  readonly job: string;
  /** One for each worker, all different. */
  readonly names: readonly string[];
  readonly start: StartWorker;
  readonly strategy: RestartStrategy;
  /** ms; a worker has `closeGraceMs` more. */
  readonly stopTimeout: number;
  readonly statusInterval: number;
  readonly metricsInterval: number;
  readonly logger: Logger;
  readonly scheduler: SchedulerLike;
  /** ms, monotonic. */
  readonly clock: () => number;
}

/** What leaving the group and closing clients may take beyond `stopTimeout`. */
export const closeGraceMs = 10_000;

interface Entry {
  readonly name: string;
  worker: Worker | undefined;
  /** One more with each process: what an earlier one says late is not heard. */
  incarnation: number;
  status: JobStatus | undefined;
  memoryBytes: number | undefined;
  timer: Subscription | undefined;
}

/** A job whose tasks run in workers: starts, watches and stops them, and shows them as one. */
export class WorkersRun implements JobHandle {
  readonly job: string;
  readonly done: Promise<JobOutcome>;
  readonly status$: Observable<JobStatus>;
  readonly checkpoints$: Observable<CheckpointEvent>;
  readonly metrics$: Observable<string>;
  readonly registry: WorkersRegistry;
  private readonly options: WorkersRunOptions;
  private readonly entries: readonly Entry[];
  private readonly changes = new Subject<void>();
  private readonly checkpoints = new Subject<CheckpointEvent>();
  private readonly end: PromiseWithResolvers<JobOutcome> = Promise.withResolvers();
  private supervision: Supervision;
  private lastCheckpoint: CheckpointEvent | undefined;
  private phase: JobPhase | undefined;
  private error: TidemarkError | undefined;

  constructor(options: WorkersRunOptions) {
    const { job, names, scheduler, statusInterval, metricsInterval } = options;
    this.options = options;
    this.job = job;
    this.entries = names.map(name => ({
      name,
      worker: undefined,
      incarnation: 0,
      status: undefined,
      memoryBytes: undefined,
      timer: undefined,
    }));
    this.done = this.end.promise;
    this.done.catch(() => {});
    const current = (): JobStatus => this.status;
    this.status$ = statusWithCounters(statusChanges(this.changes, current), current, scheduler, statusInterval);
    this.checkpoints$ = this.checkpoints.asObservable();
    this.registry = new WorkersRegistry(job, () =>
      this.entries.map(({ name, worker }) => ({
        name,
        isUp: worker !== undefined,
        metrics: () => worker?.metrics() ?? Promise.resolve(''),
      })),
    );
    this.metrics$ = metricsTexts(this.registry, scheduler, metricsInterval, this.done);
    this.supervision = begun(names.length).state;
  }

  begin(): this {
    this.take(begun(this.entries.length));
    return this;
  }

  get status(): JobStatus {
    return workersStatus({
      job: this.job,
      phase: this.phase,
      workers: this.entries.map((entry, index) => ({ worker: this.workerStatus(entry, index), status: entry.status })),
      lastCheckpoint: this.lastCheckpoint,
      error: this.error,
    });
  }

  output<V>({ name }: Side<V>): Observable<V> {
    return throwError(
      () =>
        new NotRunningError(
          `The job "${this.job}" runs in workers, and the output "${name}" is in their processes: give it to a sink inside the job, ` +
            `stream.side(${name}).pipe(to(…)), or run the job without workers.`,
          { context: { job: this.job, output: name } },
        ),
    );
  }

  async ask<S>(actor: string, key?: Key): Promise<S | undefined> {
    const live = this.entries.flatMap(({ worker, status }) => (worker && status?.phase === 'running' ? [worker] : []));
    if (live.length === 0) {
      throw new NotRunningError(
        `No worker of the job "${this.job}" runs a task now: it is ${this.status.phase}. Its actors answer while it is running.`,
      );
    }
    const answers = await Promise.all(live.map(worker => worker.ask(actor, key)));
    return answers.find(answer => answer !== undefined) as S | undefined;
  }

  checkpoint(): void {
    for (const { worker } of this.entries) worker?.checkpoint();
  }

  savepoint(): Promise<Savepoint> {
    return Promise.reject(
      new NotRunningError(
        `The job "${this.job}" runs in workers, which have its store: ask them through it, with createSavepoint(store, "${this.job}") ` +
          'or tidemark savepoint create.',
        { context: { job: this.job } },
      ),
    );
  }

  async stop({ drain = false }: { readonly drain?: boolean } = {}): Promise<void> {
    if (!this.supervision.ending && !this.supervision.isOver) this.phase = 'stopping';
    this.happened({ on: 'stop', drain });
    await this.done;
  }

  async cancel(): Promise<void> {
    this.happened({ on: 'cancel' });
    await this.done.catch(() => {});
  }

  /** Ends all workers at once, without a final checkpoint. */
  kill(): void {
    this.happened({ on: 'kill' });
  }

  private happened(event: SupervisionEvent): void {
    this.take(step(this.supervision, event, () => this.options.strategy.next(this.options.clock())));
  }

  private take({ state, effects }: SupervisionStep): void {
    if (state.ending === 'failure' && this.supervision.ending === undefined) {
      this.error = state.error;
      this.phase = 'stopping';
      this.options.logger.error(
        { job: this.job, code: state.error?.code, error: state.error?.message },
        'a worker failed for good: all of them stop',
      );
    }
    this.supervision = state;
    for (const effect of effects) this.carryOut(effect);
    this.changes.next();
  }

  private carryOut(effect: SupervisionEffect): void {
    if (effect.do === 'end') {
      this.over(effect.result);
      return;
    }
    const entry = this.entries[effect.worker] as Entry;
    const { logger } = this.options;
    switch (effect.do) {
      case 'start':
        this.start(entry, effect.worker);
        break;
      case 'restart later': {
        const { code, message } = effect.error;
        logger.warn(
          { job: this.job, worker: entry.name, code, error: message, restartInMs: Math.round(effect.inMs) },
          'the worker died and is started again',
        );
        this.later(entry, effect.inMs, () => this.happened({ on: 'due', worker: effect.worker }));
        break;
      }
      case 'stop':
        this.boundedEnd(entry, effect.worker);
        entry.worker?.stop(effect.drain);
        break;
      case 'cancel':
        this.boundedEnd(entry, effect.worker);
        entry.worker?.cancel();
        break;
      case 'kill':
        logger.warn({ job: this.job, worker: entry.name, pid: entry.worker?.pid }, 'the worker is killed');
        entry.worker?.kill();
    }
  }

  private start(entry: Entry, index: number): void {
    const incarnation = ++entry.incarnation;
    if (incarnation > 1) this.registry.restarted(entry.name);
    entry.status = undefined;
    entry.memoryBytes = undefined;
    const ifCurrent =
      <A extends readonly unknown[]>(heard: (...args: A) => void) =>
      (...args: A): void => {
        if (entry.incarnation === incarnation) heard(...args);
      };
    const log = this.options.logger.child({ worker: entry.name });
    const events: WorkerEvents = {
      status: ifCurrent((status, memoryBytes) => this.told(entry, status, memoryBytes)),
      checkpoint: ifCurrent(event => {
        this.lastCheckpoint = { ...event, worker: entry.name };
        this.checkpoints.next(this.lastCheckpoint);
      }),
      log: ({ level, fields, message }) => log[level](fields, message),
      ended: ifCurrent(end => {
        entry.worker = undefined;
        entry.timer?.unsubscribe();
        this.happened({ on: 'ended', worker: index, end });
      }),
    };
    entry.worker = this.options.start(index, events);
  }

  /** A change of what it is in or has is told at once, counters at the interval. */
  private told(entry: Entry, status: JobStatus, memoryBytes: number): void {
    const before = shownOf(entry.status);
    entry.status = status;
    entry.memoryBytes = memoryBytes;
    if (shownOf(status) !== before) this.changes.next();
  }

  private boundedEnd(entry: Entry, worker: number): void {
    this.later(entry, this.options.stopTimeout + closeGraceMs, () => this.happened({ on: 'overdue', worker }));
  }

  private later(entry: Entry, inMs: number, due: () => void): void {
    entry.timer?.unsubscribe();
    entry.timer = this.options.scheduler.schedule(due, inMs);
  }

  private over(result: WorkerEnd): void {
    for (const { timer } of this.entries) timer?.unsubscribe();
    if ('error' in result) this.error = result.error;
    this.phase = 'error' in result ? 'failed' : result.outcome;
    this.changes.next();
    this.changes.complete();
    this.checkpoints.complete();
    if ('error' in result) this.end.reject(result.error);
    else this.end.resolve(result.outcome);
  }

  private workerStatus({ name, worker, status, incarnation, memoryBytes }: Entry, index: number): WorkerStatus {
    return {
      name,
      phase: this.phaseOf(index, status),
      ...(worker?.pid === undefined ? {} : { pid: worker.pid }),
      tasks: worker ? (status?.tasks ?? []).map(({ task }) => task) : [],
      restarts: Math.max(0, incarnation - 1),
      records: status?.records ?? { in: 0, out: 0 },
      ...(memoryBytes === undefined || !worker ? {} : { memoryBytes }),
    };
  }

  private phaseOf(index: number, status: JobStatus | undefined): JobPhase {
    const state = this.supervision.workers[index];
    switch (state?.is) {
      case 'waiting':
        return 'restarting';
      case 'stopping':
        return 'stopping';
      case 'ended':
        return state.hasFinished ? 'finished' : status && isEnd(status.phase) ? status.phase : 'failed';
      default:
        return status?.phase ?? 'starting';
    }
  }
}

const isEnd = (phase: JobPhase): boolean => phase === 'stopped' || phase === 'cancelled' || phase === 'failed';

const shownOf = (status: JobStatus | undefined): string =>
  status ? `${status.phase} ${status.attempt} ${status.tasks?.map(({ task, phase }) => `${task}:${phase}`)}` : '';
