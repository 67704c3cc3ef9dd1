import { Observable, Subject, type Subscription } from 'rxjs';
import { highestId, newestConfirmed } from '../checkpoint/recovery-decision.ts';
import type { SnapshotStore, TaskStore } from '../checkpoint/snapshot-store.ts';
import { closeContainer, jobContainer, shareByTasks } from '../composition.ts';
import { InternalError, messageOf, NotRunningError, type TidemarkError, tidemarkError } from '../errors.ts';
import type {
  CheckpointEvent,
  JobHandle,
  JobOutcome,
  JobPhase,
  JobStatus,
  SavepointOptions,
  Side,
} from '../job/handle.ts';
import { metricsTexts, statusChanges, statusWithCounters } from '../job/handle-streams.ts';
import type { Job } from '../job/job.ts';
import { JobRun } from '../job/job-run.ts';
import { type RestartStrategy, restartStrategy, shouldRestart } from '../job/restart-strategy.ts';
import type { ResolvedSettings } from '../job/settings.ts';
import { attempt } from '../maybe-promise.ts';
import type { Logger } from '../observe/logger.ts';
import { savepointOf } from '../savepoint/of-handle.ts';
import type { Savepoint } from '../savepoint/savepoint.ts';
import type { Key } from '../stream/elements.ts';
import { outsideGroups } from '../stream/native-group.ts';
import type { StreamNode, WirableNode } from '../stream/node.ts';
import { connectorsOf } from '../task/graph.ts';
import type { DependencyContainer } from '../tokens.ts';
import * as tokens from '../tokens.ts';
import { findShape } from './find-shape.ts';
import { noteGroup, takenByOtherGroup } from './group-note.ts';
import { groupOf, sharingOf, spreadOf, verifySharedSettings } from './spread-sources.ts';
import { spreadStatus } from './spread-status.ts';
import type { JobShape } from './task-layout.ts';
import { TaskRuns } from './task-runs.ts';
import type { TaskShare, TaskShareListener, TaskSharing } from './task-share.ts';

/** How often the store is asked whether the tasks that other processes have are finished, once all of this one are; ms. */
const finishedPollMs = 1_000;

/** A job whose tasks are shared with other processes: runs those that its group gives to this one. */
export class SpreadRun implements JobHandle {
  readonly job: string;
  readonly done: Promise<JobOutcome>;
  readonly status$: Observable<JobStatus>;
  readonly checkpoints$: Observable<CheckpointEvent>;
  readonly metrics$: Observable<string>;
  readonly registry;
  private readonly declared: Job;
  private readonly params: unknown;
  private readonly settings: ResolvedSettings;
  private readonly container: DependencyContainer;
  private readonly logger: Logger;
  private readonly strategy: RestartStrategy;
  private readonly nodes: readonly WirableNode[];
  private readonly changes = new Subject<void>();
  private readonly checkpoints = new Subject<CheckpointEvent>();
  private readonly began = new Subject<JobRun>();
  private readonly runs: TaskRuns<JobRun>;
  private readonly sharing: TaskSharing;
  private shape: JobShape | undefined;
  private share: TaskShare | undefined;
  /** Records of runs that have ended here. */
  private readonly handled = { in: 0, out: 0 };
  /** Tasks of this process that have finished their input. */
  private readonly finished = new Set<number>();
  /** How tasks of this process ended, for the sums. */
  private readonly past = new Map<number, JobStatus>();
  /** Tasks of this process that were stopped with a savepoint. */
  private readonly stopped = new Set<number>();
  /** Tasks that the group gives to this process. */
  private readonly assigned = new Set<number>();
  /** When tasks that were stopped go on, unless all were; ms on the monotonic clock. */
  private stopsUntil: number | undefined;
  /** The highest id of each task when this process began: what is newer came while it ran. */
  private readonly idsAtStart = new Map<string, number>();
  private phase: JobPhase | undefined = 'starting';
  private lastCheckpoint: CheckpointEvent | undefined;
  private error: TidemarkError | undefined;
  private timer: Subscription | undefined;
  private goOnTimer: Subscription | undefined;
  private isOver = false;
  private resolveDone: (outcome: JobOutcome) => void = () => {};
  private rejectDone: (error: TidemarkError) => void = () => {};

  /** Throws what is wrong with the job or its settings; opens nothing. */
  constructor(declared: Job, params: unknown, settings: ResolvedSettings, nodes: readonly StreamNode[]) {
    this.declared = declared;
    this.job = declared.name;
    this.params = params;
    this.settings = settings;
    this.nodes = nodes as readonly WirableNode[];
    verifySharedSettings(this.job, settings);
    const sources = spreadOf(this.job, nodes);
    this.container = jobContainer(settings);
    shareByTasks(this.container);
    this.logger = this.container.resolve(tokens.LOGGER);
    this.registry = this.container.resolve(tokens.REGISTRY);
    this.sharing = sharingOf(this.job, sources, settings, this.logger);
    this.strategy = restartStrategy(settings.restart, this.container.resolve(tokens.RANDOM));
    const scheduler = this.container.resolve(tokens.SCHEDULER);
    this.runs = new TaskRuns<JobRun>(scheduler, {
      begin: task => this.beginTask(task),
      ended: (task, result) => this.taskEnded(task, result),
      changed: () => this.changes.next(),
    });
    this.done = new Promise((resolve, reject) => {
      this.resolveDone = resolve;
      this.rejectDone = reject;
    });
    this.done.catch(() => {});
    const current = (): JobStatus => this.status;
    this.status$ = statusWithCounters(
      statusChanges(this.changes, current),
      current,
      scheduler,
      settings.statusInterval,
    );
    this.checkpoints$ = this.checkpoints.asObservable();
    this.metrics$ = metricsTexts(this.registry, scheduler, settings.metricsInterval, this.done);
  }

  get status(): JobStatus {
    return spreadStatus({
      job: this.job,
      phase: this.phase,
      taskCount: this.shape?.count,
      tasks: this.runs.runs.map(run => run.status),
      past: [...this.past.values()],
      handled: this.handled,
      lastCheckpoint: this.lastCheckpoint,
      error: this.error,
    });
  }

  begin(): this {
    void this.open().catch(error => this.failed(tidemarkError(error)));
    return this;
  }

  output<V>(tag: Side<V>, options?: { readonly committed?: boolean }): Observable<V> {
    return new Observable(subscriber => {
      const follow = (run: JobRun) =>
        subscriber.add(run.output(tag, options).subscribe(value => subscriber.next(value)));
      for (const run of this.runs.runs) follow(run);
      subscriber.add(this.began.subscribe({ next: follow, complete: () => subscriber.complete() }));
    });
  }

  async ask<S>(actor: string, key?: Key): Promise<S | undefined> {
    const running = this.runs.runs.filter(({ status }) => status.phase === 'running');
    if (running.length === 0) {
      throw new NotRunningError(
        `No task of the job "${this.job}" runs in this process: it is ${this.status.phase}. Its actors answer where their task runs.`,
      );
    }
    for (const run of running) {
      const answer = await run.ask<S>(actor, key);
      if (answer !== undefined) return answer;
    }
    return undefined;
  }

  checkpoint(): void {
    for (const run of this.runs.runs) run.checkpoint();
  }

  savepoint(options: SavepointOptions = {}): Promise<Savepoint> {
    return outsideGroups(() => savepointOf(this, () => this.store, options));
  }

  async stop({ drain = false }: { readonly drain?: boolean } = {}): Promise<void> {
    outsideGroups(() => this.beginStop(drain));
    await this.done;
  }

  async cancel(): Promise<void> {
    outsideGroups(() => {
      if (this.isOver) return;
      this.over({ outcome: 'cancelled' }, () => this.runs.cancel());
    });
    await this.done.catch(() => {});
  }

  private beginStop(drain: boolean): void {
    if (this.isOver) return;
    this.enter('stopping');
    this.over({ outcome: 'stopped' }, () =>
      this.runs.stop(this.runs.tasks, { drain, withinMs: this.settings.stopTimeout }),
    );
  }

  /** Looks at everything that can be known to be wrong, finds out how many tasks there are, and joins. */
  private async open(): Promise<void> {
    const { store } = this;
    for (const { level, message } of await store.check()) this.logger[level]({ store: store.kind }, message);
    for (const connector of connectorsOf(this.nodes)) await connector.check?.();
    const { job, settings, nodes, sharing, logger } = this;
    const { shape, highestIds } = await findShape({ job, settings, nodes, store, sharing, logger });
    if (this.isOver) return;
    for (const [task, id] of highestIds) this.idsAtStart.set(task, id);
    this.shape = shape;
    this.error = undefined;
    this.enter(undefined);
    this.share = this.sharing.join({
      tasks: shape.count,
      ...(shape.spread === undefined ? {} : { spread: shape.spread }),
      listener: this.listener(),
    });
  }

  private listener(): TaskShareListener {
    return {
      assigned: (tasks, generation) => {
        if (this.isOver) return;
        this.logger.info({ job: this.job, tasks, generation }, 'tasks were assigned to this process');
        for (const task of tasks) {
          this.assigned.add(task);
          void this.startTask(task).catch(error => this.failed(tidemarkError(error)));
        }
        this.changes.next();
      },
      revoked: async (tasks, withinMs) => {
        if (tasks.length > 0)
          this.logger.info({ job: this.job, tasks }, 'tasks are given back: other processes get them');
        for (const task of tasks) this.assigned.delete(task);
        await this.runs.stop(tasks, { withinMs });
        for (const task of tasks) this.givenAway(task);
      },
      lost: async ({ why, isFinal, error }) => {
        this.logger.warn(
          { job: this.job, why, tasks: this.runs.tasks },
          'this process was taken for lost by its group',
        );
        const tasks = [...this.assigned];
        this.assigned.clear();
        // Others may have them already: the fence decides whose checkpoints count, so one more is tried, but not waited for long.
        await this.runs.stop(this.runs.tasks, { withinMs: Math.min(5_000, this.settings.stopTimeout) });
        for (const task of tasks) this.givenAway(task);
        if (isFinal) this.failed(error ?? new InternalError(`The membership of the job "${this.job}" ended: ${why}`));
      },
    };
  }

  private givenAway(task: number): void {
    this.finished.delete(task);
    this.stopped.delete(task);
    if (this.stopped.size === 0) this.stopsUntil = undefined;
    if (!this.isOver) this.past.delete(task);
  }

  /** Begins a task that was assigned, unless the whole job was stopped with a savepoint since this process began. */
  private async startTask(task: number): Promise<void> {
    const isStopped = !this.finished.has(task) && (await this.mayBeStopped(task));
    if (!isStopped && !this.finished.has(task)) await this.noteGroup(task);
    if (this.isOver || !this.assigned.has(task)) return;
    if (isStopped) this.wasStopped(task);
    else if (!this.finished.has(task)) this.runs.start(task);
    this.lookWhetherFinished();
  }

  /** Where the store does not answer, the task begins: how long it is waited for is for its own restarts to say. */
  private async mayBeStopped(task: number): Promise<boolean> {
    try {
      return (await this.stoppedWith(task)) !== undefined;
    } catch (error) {
      this.logger.warn(
        { job: this.job, task, error: messageOf(error) },
        'whether the task was stopped with a savepoint could not be looked up',
      );
      return false;
    }
  }

  /** Where the store does not take it, the task begins all the same: what it says is for people. */
  private async noteGroup(task: number): Promise<void> {
    const group = groupOf(this.job, this.settings);
    try {
      const before = await noteGroup(this.storeOf(task), group);
      if (before !== undefined)
        this.logger.info({ job: this.job, task, before, group }, 'the task was of another group');
    } catch (error) {
      this.logger.warn({ job: this.job, task, error: messageOf(error) }, 'the group of the task could not be noted');
    }
  }

  private get store(): SnapshotStore {
    return this.container.resolve(tokens.SNAPSHOT_STORE);
  }

  private storeOf(task: number): TaskStore {
    return this.store.task({ job: this.job, task: this.nameOf(task) });
  }

  private wasStopped(task: number): void {
    this.stopped.add(task);
    if (this.stopsUntil !== undefined) return;
    this.stopsUntil = this.container.resolve(tokens.MONOTONIC_CLOCK)() + this.settings.stopTimeout;
    this.goOnLater(this.settings.stopTimeout);
  }

  private nameOf(task: number): string {
    return this.settings.tasks === 'standby' ? this.settings.task : `${task}`;
  }

  /** The savepoint that a task was stopped with while this process ran; it has not gone on since. */
  private async stoppedWith(task: number): Promise<string | undefined> {
    const newest = newestConfirmed(await this.storeOf(task).manifests());
    const idAtStart = this.idsAtStart.get(this.nameOf(task)) ?? 0;
    const isLast = newest?.kind === 'savepoint' && newest.closed && newest.id > idAtStart;
    return isLast ? newest.savepoint?.name : undefined;
  }

  private beginTask(index: number): JobRun {
    const { shape } = this;
    if (!shape) throw new InternalError(`Task ${index} of the job "${this.job}" was assigned before it was joined.`);
    const isOne = this.settings.tasks === 'standby';
    const settings = { ...this.settings, task: this.nameOf(index) };
    const layout = isOne ? undefined : { index, ...shape };
    const run = new JobRun(this.declared, this.params, settings, { layout, container: this.container });
    this.began.next(run);
    run.checkpoints$.subscribe(ofTask => {
      const event = { ...ofTask, task: settings.task };
      this.lastCheckpoint = event;
      this.checkpoints.next(event);
    });
    run.changes$.subscribe(() => this.changes.next());
    this.past.delete(index);
    const ended = () => {
      const { status } = run;
      this.past.set(index, status);
      this.handled.in += status.records.in;
      this.handled.out += status.records.out;
    };
    run.done.then(ended, ended);
    return run.begin();
  }

  private taskEnded(task: number, result: { readonly outcome: JobOutcome } | { readonly error: TidemarkError }): void {
    if (this.isOver) return;
    if ('outcome' in result) {
      if (result.outcome === 'cancelled') return;
      if (result.outcome === 'finished') this.finished.add(task);
      else this.wasStopped(task);
      this.lookWhetherFinished();
      return;
    }
    if (result.error.code === 'FENCED') {
      this.past.delete(task);
      void this.takenOver(task);
      return;
    }
    this.failed(result.error, { isOfTask: true });
  }

  /** Another process has it. Where that is of this group, it comes back only when the group gives it to this one anew. */
  private async takenOver(task: number): Promise<void> {
    const of = { job: this.job, task: this.nameOf(task), group: groupOf(this.job, this.settings) };
    const error = await takenByOtherGroup(this.storeOf(task), of).catch(() => undefined);
    if (this.isOver || this.runs.tasks.includes(task)) return;
    if (error) {
      this.failed(error, { isOfTask: true });
      return;
    }
    this.logger.warn({ job: this.job, task }, 'the task was taken over by another process');
    this.share?.giveBack?.([task]);
  }

  /**
   * A bounded job has finished when all of its tasks have, wherever they run, and one that is stopped with a savepoint has stopped when
   * all have; until then this process may have to take some over.
   */
  private lookWhetherFinished(): void {
    const isDue = () => !this.isOver && this.finished.size + this.stopped.size > 0 && this.runs.tasks.length === 0;
    if (this.timer || !isDue()) return;
    const look = async () => {
      this.timer = undefined;
      if (!isDue()) return;
      const outcome = await attempt<'finished' | 'stopped' | undefined>(
        () => this.commonEnd(),
        error => {
          if (!shouldRestart(tidemarkError(error))) throw error;
          this.logger.warn(
            { job: this.job, error: messageOf(error) },
            'whether all tasks have ended could not be looked up; looks again',
          );
          return undefined;
        },
      );
      if (outcome) this.over({ outcome }, async () => {});
      else if (!this.isOver) this.lookWhetherFinished();
    };
    this.timer = this.container
      .resolve(tokens.SCHEDULER)
      .schedule(
        () => void look().catch(error => this.failed(tidemarkError(error))),
        this.finished.size + this.stopped.size === this.shape?.count ? 0 : finishedPollMs,
      );
  }

  /** How the job has ended in all of its tasks; `undefined` while one of them goes on. */
  private async commonEnd(): Promise<'finished' | 'stopped' | undefined> {
    const { shape } = this;
    let outcome: 'finished' | 'stopped' = 'finished';
    for (let index = 0; index < (shape?.count ?? 0); index++) {
      if (this.finished.has(index)) continue;
      if (newestConfirmed(await this.storeOf(index).manifests())?.jobFinished) continue;
      if (!this.stopped.has(index) && (await this.stoppedWith(index)) === undefined) return undefined;
      outcome = 'stopped';
    }
    return outcome;
  }

  /** Another task could not be stopped with the savepoint: those that were go on. */
  private goOnLater(inMs: number): void {
    this.goOnTimer?.unsubscribe();
    const { stopsUntil } = this;
    this.goOnTimer = this.container.resolve(tokens.SCHEDULER).schedule(() => {
      if (this.isOver || this.stopsUntil !== stopsUntil) return;
      void this.goOnUnlessStopped().catch(error => {
        this.logger.warn(
          { job: this.job, error: messageOf(error) },
          'whether all tasks were stopped with the savepoint could not be looked up; looks again',
        );
        this.goOnLater(finishedPollMs);
      });
    }, inMs);
  }

  private async goOnUnlessStopped(): Promise<void> {
    const { stopsUntil } = this;
    if (this.runs.tasks.length === 0 && (await this.commonEnd()) !== undefined) return;
    const tasks = [...this.stopped].filter(task => this.assigned.has(task));
    const ids = await Promise.all(tasks.map(async task => highestId(await this.storeOf(task).manifests())));
    if (this.isOver || this.stopsUntil !== stopsUntil) return;
    this.logger.warn({ job: this.job, tasks }, 'not all tasks were stopped with the savepoint in time: these go on');
    this.stopsUntil = undefined;
    this.stopped.clear();
    for (const [i, task] of tasks.entries()) {
      this.idsAtStart.set(this.nameOf(task), ids[i] ?? 0);
      if (this.assigned.has(task)) this.runs.start(task);
    }
  }

  /** What failed before there were tasks may be tried again; what a task failed with was, by its own restarts. */
  private failed(error: TidemarkError, { isOfTask = false }: { readonly isOfTask?: boolean } = {}): void {
    if (this.isOver) return;
    this.error = error;
    const decision =
      isOfTask || this.share || !shouldRestart(error)
        ? { giveUp: 'a restart would not help' }
        : this.strategy.next(this.container.resolve(tokens.MONOTONIC_CLOCK)());
    if ('giveUp' in decision) {
      this.logger.error(
        { job: this.job, code: error.code, fault: error.fault, error: error.message },
        'the job failed',
      );
      this.over({ error }, () => this.runs.stop(this.runs.tasks, { withinMs: this.settings.stopTimeout }));
      return;
    }
    this.logger.warn(
      { job: this.job, code: error.code, error: error.message, restartInMs: decision.restartInMs },
      'the job could not join its group and tries again',
    );
    this.enter('restarting');
    this.timer = this.container.resolve(tokens.SCHEDULER).schedule(() => {
      this.timer = undefined;
      this.enter('starting');
      this.begin();
    }, decision.restartInMs);
  }

  /** Ends the tasks, leaves the group, closes everything, and says so. */
  private over(
    result: { readonly outcome: JobOutcome } | { readonly error: TidemarkError },
    endTasks: () => Promise<void>,
  ): void {
    if (this.isOver) return;
    this.isOver = true;
    this.timer?.unsubscribe();
    this.goOnTimer?.unsubscribe();
    const warn = (error: unknown) => this.logger.warn({ job: this.job, error: messageOf(error) }, 'closing failed');
    // Stopped with a savepoint the job has ended in all of its processes, as when it has finished.
    const isForGood = 'outcome' in result && (result.outcome === 'finished' || this.stopped.size > 0);
    const ending = async () => {
      await endTasks().catch(warn);
      await this.share?.close({ isForGood }).catch(warn);
      await closeContainer(this.container, warn);
      this.enter('error' in result ? 'failed' : result.outcome);
      this.began.complete();
      this.checkpoints.complete();
      this.changes.complete();
      if ('error' in result) this.rejectDone(result.error);
      else this.resolveDone(result.outcome);
    };
    void ending();
  }

  private enter(phase: JobPhase | undefined): void {
    this.phase = phase;
    this.changes.next();
  }
}
