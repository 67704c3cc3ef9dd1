import { type Observable, Subject, type Subscription } from 'rxjs';
import type { Recovered } from '../checkpoint/commit-point.ts';
import type { Manifest, TaskLayout } from '../checkpoint/manifest.ts';
import type { SnapshotStore, TaskRef } from '../checkpoint/snapshot-store.ts';
import { staleToken } from '../checkpoint/store-rules.ts';
import { closeContainer, jobContainer, placedContainer, taskContainer, taskServices } from '../composition.ts';
import {
  JobDefinitionError,
  messageOf,
  NotRunningError,
  SettingsError,
  type TidemarkError,
  TimeoutError,
  tidemarkError,
} from '../errors.ts';
import { andThen, attempt, eachInOrder, isPromise, type MaybePromise } from '../maybe-promise.ts';
import type { Logger } from '../observe/logger.ts';
import { createMetrics, type TaskMetrics, type TaskTotals } from '../observe/metrics.ts';
import { savepointOf } from '../savepoint/of-handle.ts';
import { rewindOf, verifyNotPassed } from '../savepoint/rewind.ts';
import type { Savepoint } from '../savepoint/savepoint.ts';
import { spreadFrom } from '../savepoint/spread-start.ts';
import { openSavepoint, prepareStart, type SavepointStart, startFrom, startOf } from '../savepoint/start-from.ts';
import { currentTasks, storedTasks } from '../scale/current-tasks.ts';
import type { Key } from '../stream/elements.ts';
import { outsideGroups } from '../stream/native-group.ts';
import { hasKeyedState } from '../stream/node.ts';
import { connectorsOf } from '../task/graph.ts';
import { Task, type TaskEvents, type TaskResult } from '../task/task.ts';
import type { DependencyContainer } from '../tokens.ts';
import * as tokens from '../tokens.ts';
import type { CheckpointEvent, JobHandle, JobOutcome, JobPhase, JobStatus, SavepointOptions, Side } from './handle.ts';
import { metricsTexts, statusChanges, statusWithCounters } from './handle-streams.ts';
import { isJob, type Job } from './job.ts';
import type { Outputs } from './outputs.ts';
import { parseParams } from './params.ts';
import { type RestartStrategy, restartStrategy, shouldRestart } from './restart-strategy.ts';
import { type JobSettings, mergeSettings, type ResolvedSettings, resolveSettings } from './settings.ts';
import { statusOf } from './status.ts';

/** The settings and parameters of a run, validated. Throws `SettingsError` or `JobDefinitionError`. */
export function prepared(
  job: Job,
  settings: JobSettings,
): { readonly params: unknown; readonly resolved: ResolvedSettings } {
  if (!isJob(job)) {
    throw new JobDefinitionError('start() takes a job, as job(name, …) makes it: start(myJob, settings).');
  }
  const resolved = resolveSettings(mergeSettings(job.settings, settings), `the job "${job.name}"`);
  if (resolved.fresh && resolved.fromSavepoint !== undefined) {
    throw new SettingsError(`The settings of the job "${job.name}" cannot be used`, [
      'fresh starts from empty state and fromSavepoint from a savepoint: leave one of them out',
    ]);
  }
  const params = parseParams(job.schema, resolved.params, `the job "${job.name}"`);
  if (isPromise(params)) {
    throw new JobDefinitionError(
      `The schema of the job "${job.name}" is asynchronous: parameters are validated at once.`,
    );
  }
  return { params, resolved };
}

/** Begins a run of a job that is one task; see `start`. */
export function run(job: Job, params: unknown, settings: ResolvedSettings): JobRun {
  return new JobRun(job, params, settings).begin();
}

/** Where a run belongs that is one of several tasks of a job in this process. */
export interface TaskPlace {
  readonly layout: TaskLayout | undefined;
  /** The services that the tasks share. */
  readonly container: DependencyContainer;
}

/** One run of a job, or of one task of it: its incarnations one after another, until it has ended. */
export class JobRun implements JobHandle {
  readonly job: string;
  readonly done: Promise<JobOutcome>;
  readonly status$: Observable<JobStatus>;
  /** The changes of phase and checkpoints alone, without a timer: for virtual time, which a timer would never let end. */
  readonly changes$: Observable<JobStatus>;
  readonly checkpoints$: Observable<CheckpointEvent>;
  readonly metrics$: Observable<string>;
  readonly registry;
  private readonly declared: Job;
  private readonly params: unknown;
  private readonly settings: ResolvedSettings;
  private readonly layout: TaskLayout | undefined;
  /** Another process may run the task next. */
  private readonly isPlaced: boolean;
  private readonly container: DependencyContainer;
  private readonly logger: Logger;
  private readonly outputs: Outputs;
  private readonly strategy: RestartStrategy;
  private readonly changes = new Subject<void>();
  private readonly checkpoints = new Subject<CheckpointEvent>();
  private readonly metrics: TaskMetrics;
  private task: Task | undefined;
  private taskServices: DependencyContainer | undefined;
  private phase: JobPhase = 'starting';
  private attempt = 1;
  private restored: Manifest | undefined;
  private token = 0;
  /** The fence token that this run is known to hold; 0 when it is not known. */
  private heldToken = 0;
  /** Highest id of a checkpoint that this run has begun. */
  private lastUsedId = 0;
  /** Highest id before a fresh start. */
  private freshAbove: number | undefined;
  private lastCheckpoint: CheckpointEvent | undefined;
  private error: TidemarkError | undefined;
  private restartTimer: Subscription | undefined;
  private stopTimer: Subscription | undefined;
  private stopRequest: { drain: boolean } | undefined;
  /** The savepoint to start from, once it was found. */
  private startsFrom: SavepointStart | undefined;
  /** Whether the store and the connectors were found in order. */
  private isChecked = false;
  private isCancelled = false;
  private isOver = false;
  private resolveDone: (outcome: JobOutcome) => void = () => {};
  private rejectDone: (error: TidemarkError) => void = () => {};

  constructor(declared: Job, params: unknown, settings: ResolvedSettings, place?: TaskPlace) {
    this.declared = declared;
    this.job = declared.name;
    this.params = params;
    this.settings = settings;
    this.layout = place?.layout;
    this.isPlaced = place !== undefined;
    // Whoever placed it has looked.
    this.isChecked = this.isPlaced;
    this.container = place ? placedContainer(place.container, settings) : jobContainer(settings);
    this.logger = this.container.resolve(tokens.LOGGER);
    this.outputs = this.container.resolve(tokens.OUTPUTS);
    this.registry = this.container.resolve(tokens.REGISTRY);
    this.strategy = restartStrategy(settings.restart, this.container.resolve(tokens.RANDOM));
    this.done = new Promise((resolve, reject) => {
      this.resolveDone = resolve;
      this.rejectDone = reject;
    });
    // Whoever does not look at `done` still sees the failure in the status and the log.
    this.done.catch(() => {});
    this.metrics = createMetrics(this.registry, { job: this.job, task: settings.task }, () => this.totals());
    const current = (): JobStatus => this.status;
    this.changes$ = statusChanges(this.changes, current);
    const scheduler = this.container.resolve(tokens.SCHEDULER);
    this.status$ = statusWithCounters(this.changes$, current, scheduler, settings.statusInterval);
    this.checkpoints$ = this.checkpoints.asObservable();
    this.metrics$ = metricsTexts(this.registry, scheduler, settings.metricsInterval, this.done);
  }

  get status(): JobStatus {
    return statusOf({
      job: this.job,
      task: this.settings.task,
      phase: this.phase,
      attempt: this.attempt,
      running: this.task,
      restored: this.restored,
      lastCheckpoint: this.lastCheckpoint,
      error: this.error,
    });
  }

  begin(): this {
    try {
      this.makeTask(this.declared.build(this.params));
    } catch (error) {
      this.metrics.close();
      void closeContainer(this.container, message => this.logger.warn({ error: message }, 'closing failed'));
      throw error;
    }
    this.launch();
    return this;
  }

  output<V>(tag: Side<V>, { committed = false }: { readonly committed?: boolean } = {}): Observable<V> {
    return this.outputs.observe(tag, committed);
  }

  ask<S>(actor: string, key?: Key): Promise<S | undefined> {
    const { task } = this;
    return new Promise((resolve, reject) => {
      if (!task || this.phase !== 'running') {
        reject(new NotRunningError(`The job "${this.job}" is ${this.phase}: its actors answer while it is running.`));
        return;
      }
      const stage = task.actors.get(actor);
      if (!stage) {
        const known = [...task.actors.keys()].join(', ') || 'none';
        reject(new JobDefinitionError(`The job "${this.job}" has no actor "${actor}"; it has: ${known}.`));
        return;
      }
      const missed = `The task of the job "${this.job}" ended before its actor "${actor}" could answer: ask when it is running.`;
      task.inspect(
        () => {
          try {
            resolve(stage.ask(key) as S | undefined);
          } catch (error) {
            reject(error as Error);
          }
        },
        () => reject(new NotRunningError(missed)),
      );
    });
  }

  checkpoint(): void {
    this.task?.checkpoint();
  }

  savepoint(options: SavepointOptions = {}): Promise<Savepoint> {
    return outsideGroups(() => savepointOf(this, () => this.container.resolve(tokens.SNAPSHOT_STORE), options));
  }

  async stop({ drain = false }: { readonly drain?: boolean } = {}): Promise<void> {
    // An application may stop or cancel its job from inside a native operator of it.
    outsideGroups(() => this.beginStop(drain));
    await this.done;
  }

  async cancel(): Promise<void> {
    outsideGroups(() => this.beginCancel());
    // What it failed with before is told by `done`; whoever cancels wants it to be over, and it is.
    await this.done.catch(() => {});
  }

  private beginStop(drain: boolean, savepoint?: string): void {
    if (!this.isOver && !this.stopRequest) {
      this.stopRequest = { drain };
      this.stopTimer = this.container.resolve(tokens.SCHEDULER).schedule(() => {
        const waited = `${this.settings.stopTimeout} ms (stopTimeout)`;
        this.task?.abort(
          new TimeoutError(
            `The job "${this.job}" took no final checkpoint within ${waited}: it was ended without one, and will replay from ` +
              'its last checkpoint.',
            { context: { job: this.job } },
          ),
        );
      }, this.settings.stopTimeout);
      if (this.restartTimer && this.error) {
        // It has failed, and no final checkpoint can be taken any more: that it was stopped would not be true.
        this.giveUp(this.error);
      } else {
        this.enter('stopping');
        this.task?.stop(drain, savepoint);
      }
    }
  }

  private beginCancel(): void {
    if (!this.isOver) {
      this.isCancelled = true;
      if (this.restartTimer) {
        this.restartTimer.unsubscribe();
        this.over({ outcome: 'cancelled' });
      } else this.task?.cancel();
    }
  }

  /** Starts the task, once what it needs was found in order: also after a restart, when the first look could not be had. */
  private launch(): void {
    const { task } = this;
    const failed = (error: unknown) => this.ended({ error: tidemarkError(error) });
    const launched = attempt<void>(
      () =>
        andThen(this.isChecked ? undefined : this.check(), () => {
          this.isChecked = true;
          return andThen(this.verifyStillOurs(), () => andThen(this.findSavepoint(), () => task?.start()));
        }),
      failed,
    );
    if (isPromise(launched)) void launched.then(undefined, failed);
  }

  /** Once: a restart of the task comes back from what descends from it. */
  private findSavepoint(): MaybePromise<void> {
    const { fromSavepoint, recovery, task } = this.settings;
    if (fromSavepoint === undefined || this.startsFrom) return;
    const store = this.container.resolve(tokens.SNAPSHOT_STORE);
    const ref = { job: this.job, task };
    return andThen(openSavepoint(store, this.job, fromSavepoint), savepoint => {
      const nodes = this.task?.nodes ?? [];
      const hasSpreadKeys = hasKeyedState(nodes);
      const start = startOf(savepoint, ref, rewindOf(recovery.rewind), { layout: this.layout, hasSpreadKeys });
      return andThen(prepareStart(store.task(ref), ref, start), () => {
        this.startsFrom = start;
      });
    });
  }

  /** A restart takes the fence anew, but never back from another process that has taken the task over meanwhile. */
  private verifyStillOurs(): MaybePromise<void> {
    const ref = { job: this.job, task: this.settings.task };
    const { heldToken } = this;
    if (heldToken === 0) return;
    return andThen(this.container.resolve(tokens.SNAPSHOT_STORE).task(ref).fence(), newest => {
      if (newest !== heldToken) throw staleToken(ref, heldToken, newest);
    });
  }

  /** Everything that can be known to be wrong before anything is opened, and what the store's operator should know. */
  private check(): MaybePromise<void> {
    const store = this.container.resolve(tokens.SNAPSHOT_STORE);
    return andThen(store.check(), notices => {
      for (const { level, message } of notices) this.logger[level]({ store: store.kind }, message);
      return eachInOrder(connectorsOf(this.task?.nodes ?? []), connector => connector.check?.() as MaybePromise<void>);
    });
  }

  private makeTask(ends: ReturnType<Job['build']>): void {
    const container = taskContainer(this.container, { job: this.job, task: this.settings.task });
    this.taskServices = container;
    const events: TaskEvents = {
      asksForToken: () => {
        // Unknown until there is an answer, which may get lost.
        this.heldToken = 0;
      },
      recovered: recovered => this.recovered(recovered),
      stopAsked: (drain, savepoint) => {
        if (this.isOver || this.stopRequest || this.isCancelled) return false;
        outsideGroups(() => this.beginStop(drain, savepoint));
        return true;
      },
      running: () => this.enter(this.stopRequest ? 'stopping' : 'running'),
      checkpoint: event => this.checkpointed(event),
      ended: result => {
        if (this.task === task) this.ended(result);
      },
    };
    // A restart comes back from the checkpoints of this run: what is missing then is lost.
    const isFresh = this.settings.fresh && this.freshAbove === undefined;
    const task: Task = new Task(taskServices(container, this.layout), ends, events, {
      isFresh,
      isRestart: this.attempt > 1,
    });
    this.task = task;
    this.enter(this.attempt === 1 ? 'starting' : 'recovering');
  }

  /** A fresh start passes over the checkpoints that were there before it, but comes back from its own. */
  private recovered(found: Recovered): MaybePromise<Recovered> {
    this.token = found.token;
    this.heldToken = found.token;
    const { startsFrom: savepoint, settings, container } = this;
    if (!savepoint) return this.chosen(found);
    const ref = { job: this.job, task: settings.task };
    const store = container.resolve(tokens.SNAPSHOT_STORE);
    const { spread } = savepoint;
    const started = spread
      ? spreadFrom({ ...savepoint, spread }, found, {
          store,
          ref,
          layout: this.layout,
          nodes: this.task?.nodes ?? [],
          allowsDropped: settings.allowDroppedState,
          acceptsMovedKeys: settings.recovery.acceptMovedKeys,
          logger: this.logger,
        })
      : andThen(this.verifyOwnSpread(store, ref, savepoint), () =>
          startFrom(store.task(ref), ref, savepoint, found, this.layout?.spread),
        );
    return andThen<Recovered, Recovered>(started, from => {
      const { name, where } = savepoint.savepoint;
      if (from !== found) this.logger.info({ job: this.job, savepoint: name, where }, 'starting from the savepoint');
      return this.chosen(from);
    });
  }

  /** A savepoint of this spread is not what to go on from where the state of the job was spread in another way since. */
  private verifyOwnSpread(store: SnapshotStore, ref: TaskRef, start: SavepointStart): MaybePromise<void> {
    return andThen(store.tasks(), refs => {
      if (!refs.some(({ job, task }) => job === ref.job && task !== ref.task)) return;
      return andThen(storedTasks(store, ref.job), stored => {
        const current = currentTasks(stored);
        if (current && current.layout?.count !== this.layout?.count)
          verifyNotPassed(ref, current, { ...start, target: 'in place' });
      });
    });
  }

  private chosen(found: Recovered): Recovered {
    const { committed, lastId } = found;
    if (this.settings.fresh) this.freshAbove ??= lastId;
    const isOlder = committed !== undefined && committed.id <= (this.freshAbove ?? 0);
    this.restored = isOlder ? undefined : committed;
    if (isOlder) {
      this.logger.warn({ job: this.job, checkpoint: committed.id }, 'starting fresh: the checkpoint is not restored');
    } else if (committed) {
      const takenAt = new Date(committed.createdAt).toISOString();
      this.logger.info({ job: this.job, checkpoint: committed.id, takenAt }, 'restoring');
    }
    // The store does not know of those that were given up before they were prepared.
    const takesOver = found.takesOver || (isOlder && (found.commitPoint?.kind ?? 'store') !== 'store');
    return { ...found, takesOver, committed: this.restored, lastId: Math.max(lastId, this.lastUsedId) };
  }

  private checkpointed(event: CheckpointEvent): void {
    this.lastCheckpoint = event;
    this.metrics.checkpoint(event);
    if (event.outcome !== 'skipped') this.metrics.barrierStalled(event.stallMs);
    const { outcome, ...fields } = event;
    if (outcome !== 'skipped') this.logger.debug({ job: this.job, ...fields }, `checkpoint ${outcome}`);
    this.checkpoints.next(event);
    this.changes.next();
  }

  private ended(result: TaskResult): void {
    if (this.isOver) return;
    this.metrics.update(this.totals());
    this.lastUsedId = Math.max(this.lastUsedId, this.task?.lastCheckpointId ?? 0);
    const container = this.taskServices;
    this.taskServices = undefined;
    const closed = container
      ? closeContainer(container, error => this.logger.warn({ error }, 'closing failed'))
      : undefined;
    const next = () => {
      if ('outcome' in result || this.isCancelled) this.over('outcome' in result ? result : { outcome: 'cancelled' });
      else if ('again' in result) this.launchAgain();
      else this.decide(result.error);
    };
    if (isPromise(closed)) void closed.then(next);
    else next();
  }

  private decide(error: TidemarkError): void {
    this.error = error;
    const decision =
      !shouldRestart(error) || this.stopRequest
        ? { giveUp: 'a restart would not help' }
        : this.strategy.next(this.container.resolve(tokens.MONOTONIC_CLOCK)());
    if ('giveUp' in decision) {
      this.giveUp(error);
      return;
    }
    this.logger.warn(
      { job: this.job, code: error.code, error: error.message, restartInMs: decision.restartInMs },
      'the task failed and restarts from its last checkpoint',
    );
    this.enter('restarting');
    this.restartTimer = this.container.resolve(tokens.SCHEDULER).schedule(() => {
      this.restartTimer = undefined;
      this.restart();
    }, decision.restartInMs);
  }

  private giveUp(error: TidemarkError): void {
    const { code, fault, message } = error;
    const failure = { job: this.job, code, fault, error: message };
    // Of a task among several its process says what comes of it: one that others have taken over is no failure of the job.
    if (!this.isPlaced) this.logger.error(failure, 'the job failed');
    else {
      const { task } = this.settings;
      this.logger[code === 'FENCED' ? 'info' : 'error']({ ...failure, task }, 'the task ended with an error');
    }
    this.over({ error });
  }

  private restart(): void {
    this.metrics.restarted();
    this.launchAgain();
  }

  private launchAgain(): void {
    this.attempt++;
    this.outputs.restarted();
    try {
      this.makeTask(this.declared.build(this.params));
    } catch (error) {
      this.ended({ error: tidemarkError(error) });
      return;
    }
    // Asked for while the task before this one ended.
    if (this.stopRequest) this.task?.stop(this.stopRequest.drain);
    this.launch();
  }

  private over(result: { outcome: JobOutcome } | { error: TidemarkError }): void {
    if (this.isOver) return;
    this.isOver = true;
    for (const timer of [this.restartTimer, this.stopTimer]) timer?.unsubscribe();
    const finish = () => {
      if (this.isPlaced) this.metrics.moveAway();
      else this.metrics.close();
      this.enter('error' in result ? 'failed' : result.outcome);
      this.outputs.complete();
      this.checkpoints.complete();
      this.changes.complete();
      if ('error' in result) this.rejectDone(result.error);
      else this.resolveDone(result.outcome);
    };
    const cleared =
      'outcome' in result && result.outcome === 'cancelled' && this.settings.checkpoint.onCancel === 'delete'
        ? this.clear()
        : undefined;
    const closed = andThen(cleared, () =>
      closeContainer(this.container, error => this.logger.warn({ error }, 'closing failed')),
    );
    if (isPromise(closed)) void closed.then(finish);
    else finish();
  }

  private clear(): MaybePromise<void> {
    const store = this.container.resolve(tokens.SNAPSHOT_STORE).task({ job: this.job, task: this.settings.task });
    return attempt<void>(
      () => store.clear(this.token),
      error => this.logger.warn({ job: this.job, error: messageOf(error) }, 'checkpoints could not be deleted'),
    );
  }

  private enter(phase: JobPhase): void {
    this.phase = phase;
    this.changes.next();
  }

  private totals(): TaskTotals {
    const { task } = this;
    return {
      sources: (task?.sources ?? []).map(source => {
        const measures = source.measures();
        const { name, records, reached } = source;
        const lag = reached === undefined ? {} : { watermarkLagMs: source.scheduler.now() - reached };
        return { name, records, ...lag, ...(measures ? { measures } : {}) };
      }),
      sinks: (task?.sinks ?? []).map(({ name, records }) => ({ name, records })),
      actors: [...(task?.actors.values() ?? [])].map(({ name, state, skipped }) => ({
        name,
        keys: state.values.size,
        deadLetters: skipped,
      })),
      credits: task?.credits.byHolder() ?? new Map(),
      droppedSideOutputs: this.outputs.dropped,
    };
  }
}
