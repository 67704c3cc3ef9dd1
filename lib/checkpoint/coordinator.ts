import type { SchedulerLike, Subscription } from 'rxjs';
import {
  CheckpointError,
  CommitPointFencedError,
  InternalError,
  messageOf,
  TidemarkError,
  TimeoutError,
} from '../errors.ts';
import type { CheckpointEvent } from '../job/handle.ts';
import type { CheckpointSettings } from '../job/settings.ts';
import { allStarted, andThen, attempt, eachInOrder, isPromise, type MaybePromise } from '../maybe-promise.ts';
import type { Logger } from '../observe/logger.ts';
import type { ChainCompactor } from './chain-compactor.ts';
import type { CommitPoint, Recovered } from './commit-point.ts';
import { KeptCheckpoints } from './kept-checkpoints.ts';
import type { ActorEntry, CommitPointIdentity, Json, Manifest, Origin, RestEntry, TaskLayout } from './manifest.ts';
import { eventOf, type Final, manifestOf, type OpenCheckpoint, skippedEvent } from './open-checkpoint.ts';
import type { ActorCapture, CheckpointSink, CheckpointSource, SourceEntry } from './participants.ts';
import { CheckpointProgress } from './progress.ts';
import { RepeatedRequest } from './repeated-request.ts';
import { maySkip, nextCheckpointAt } from './schedule.ts';
import type { SegmentEncoder } from './segment-encoder.ts';
import type { TaskRef, TaskStore } from './snapshot-store.ts';
import type { ManifestKey } from './store-rules.ts';

/** What the coordinator needs of the task that it belongs to. */
export interface CoordinatedTask {
  readonly ref: TaskRef;
  /** Which of several tasks it is; left out: the job is one task. */
  readonly layout?: TaskLayout | undefined;
  readonly scheduler: SchedulerLike;
  readonly logger: Logger;
  /** ms on the monotonic clock. */
  monotonicNow(): number;
  /** Runs `work` between two elements, without counting as one, once none waits to be handled. */
  between(work: () => void): void;
  /** Rises with every element that entered. */
  entered(): number;
  readonly sources: readonly CheckpointSource[];
  readonly sinks: readonly CheckpointSink[];
  /** How many ends the barrier arrives at. */
  readonly ends: number;
  finishedNodes(): readonly string[];
  /** How far it is on its way to rest. */
  rest?(): RestEntry | undefined;
  /** The task cannot go on from here. */
  fail(error: unknown): void;
  event(event: CheckpointEvent): void;
}

export interface CoordinatorServices {
  readonly store: TaskStore;
  readonly commitPoint: CommitPoint;
  readonly encoder: SegmentEncoder;
  readonly compactor: ChainCompactor;
  readonly settings: CheckpointSettings;
}

/** How often a sink is asked again to make a committed checkpoint visible, before the task restarts. */
const applyRetries = 5;

/** The tasks of a job take their checkpoints one after another within an interval, not all at once; ms that one is ahead. */
const aheadOf = (layout: TaskLayout | undefined, interval: number | 'off'): number =>
  layout === undefined || interval === 'off' ? 0 : interval * (1 - (layout.index + 1) / layout.count);

/** Takes the checkpoints of one task: one at a time, each decided by the commit point. */
export class Coordinator {
  private readonly task: CoordinatedTask;
  private readonly services: CoordinatorServices;
  private readonly token: number;
  private readonly progress: CheckpointProgress;
  private readonly runningSince: number;
  private readonly kept: KeptCheckpoints;
  private readonly requests: RepeatedRequest;
  private readonly commitPoint: CommitPointIdentity;
  private readonly origin: Origin | undefined;
  private open: OpenCheckpoint | undefined;
  private timer: Subscription | undefined;
  private isClosed = false;
  private lastStart: number | undefined;
  private lastEnd: number | undefined;
  private committedAt: number | undefined;
  /** `entered` at the last committed barrier. */
  private committedEntered: number;
  /** Where the sources stood at it. */
  private committedPositions: string;
  private isCommittedFinal: boolean;
  private waitingForIdle: (() => void)[] = [];
  /** Whether the last checkpoint had anything to make visible. */
  private hadHandles = false;

  constructor(task: CoordinatedTask, services: CoordinatorServices, recovered: Recovered) {
    this.task = task;
    this.services = services;
    this.token = recovered.token;
    this.commitPoint = recovered.commitPoint ?? { kind: 'store' };
    this.origin = recovered.origin ?? recovered.committed?.origin;
    this.progress = new CheckpointProgress(recovered.lastId, services.settings.tolerableFailures);
    this.kept = new KeptCheckpoints({ ...services, logger: task.logger, fail: error => task.fail(error) }, recovered);
    this.requests = new RepeatedRequest(task.scheduler, error =>
      task.logger.warn({ error: messageOf(error), checkpoint: this.progress.id }, 'asking again'),
    );
    const now = task.monotonicNow();
    this.runningSince = now - aheadOf(task.layout, services.settings.interval);
    this.committedAt = recovered.committed ? now : undefined;
    this.committedEntered = recovered.committed ? task.entered() : -1;
    this.committedPositions = recovered.committed ? positionsOf(task.sources) : '';
    this.isCommittedFinal = recovered.committed?.closed ?? false;
  }

  /** Begins to take checkpoints by the clock, and removes what earlier incarnations wrote and no manifest names. */
  start(): void {
    this.kept.sweep();
    this.scheduleNext();
  }

  /** The highest id that was ever used. */
  get lastId(): number {
    return this.progress.id;
  }

  /** What the last checkpoint is known by, where it had something to make visible. */
  get lastApplied(): ManifestKey | undefined {
    return this.hadHandles ? { id: this.progress.id, token: this.token } : undefined;
  }

  /** The oldest checkpoint that is kept. */
  get oldestRetained(): Manifest | undefined {
    return this.kept.oldest;
  }

  /** An actor's state at barrier `id`. */
  captured(actor: string, id: number, capture: ActorCapture): void {
    if (this.open?.id === id) this.open.captures.set(actor, capture);
    else capture.abandon();
  }

  /** The barrier came out at one of the ends. */
  arrived(id: number): void {
    if (this.progress.arrived(id) && this.open) this.write(this.open);
  }

  /** A checkpoint now, unless one is under way. */
  trigger(): void {
    if (this.isClosed || !this.progress.isIdle) return;
    this.begin(undefined, undefined);
  }

  /** A checkpoint as soon as may be, of all that has passed so far; also of what is no element. */
  triggerSoon(): void {
    if (!this.isClosed) this.whenIdle(() => this.trigger());
  }

  /** A first checkpoint of this commit point, before anything enters; repeated when it is abandoned. */
  takeOver(done: () => void): void {
    this.whenIdle(() =>
      this.begin(undefined, ({ outcome }) => {
        if (outcome === 'committed') done();
        else this.takeOver(done);
      }),
    );
  }

  /** A savepoint of this name once nothing else is under way; `done` is told how it ended. */
  takeSavepoint(name: string, done: (event: CheckpointEvent) => void): void {
    this.whenIdle(() => this.begin(undefined, done, name));
  }

  /** Whether a savepoint of this name is kept. */
  hasSavepoint(name: string): boolean {
    return this.kept.hasSavepoint(name);
  }

  /**
   * The last checkpoint of the task: waits for one that is under way, is repeated when it is abandoned, and calls `done` when
   * it is committed or nothing has changed since the last one.
   */
  takeFinal(final: Final, done: () => void): void {
    this.timer?.unsubscribe();
    this.whenIdle(() => {
      const { jobFinished, savepoint } = final;
      if (this.isCommittedFinal && !jobFinished && savepoint === undefined && this.isUnchanged()) {
        done();
        return;
      }
      this.begin(
        final,
        ({ outcome }) => {
          if (outcome === 'committed') done();
          else this.takeFinal(final, done);
        },
        savepoint,
      );
    });
  }

  /** Gives up what is under way, for a task that ends; what is being removed from the store is waited for. */
  close(): MaybePromise<void> {
    this.isClosed = true;
    this.timer?.unsubscribe();
    this.requests.close();
    this.open?.timeout.unsubscribe();
    this.open = undefined;
    this.waitingForIdle = [];
    return this.kept.close();
  }

  private whenIdle(work: () => void): void {
    if (this.progress.isIdle) work();
    else this.waitingForIdle.push(work);
  }

  private scheduleNext(): void {
    if (this.isClosed) return;
    const { task, services } = this;
    const at = nextCheckpointAt(services.settings, {
      runningSince: this.runningSince,
      lastStart: this.lastStart,
      lastEnd: this.lastEnd,
    });
    if (at === undefined) return;
    this.timer?.unsubscribe();
    this.timer = task.scheduler.schedule(() => this.due(), Math.max(0, at - task.monotonicNow()));
  }

  private due(): void {
    if (this.isClosed || !this.progress.isIdle) return;
    const { task, services } = this;
    const now = task.monotonicNow();
    if (this.isUnchanged() && maySkip(services.settings, this.committedAt, now)) {
      this.lastStart = now;
      this.lastEnd = now;
      task.event(skippedEvent(this.progress.id));
      this.scheduleNext();
      return;
    }
    this.begin(undefined, undefined);
  }

  /** Whether nothing has entered since the last committed barrier, and no source has moved without a record. */
  private isUnchanged(): boolean {
    const { task } = this;
    if (task.entered() !== this.committedEntered) return false;
    try {
      return positionsOf(task.sources) === this.committedPositions;
    } catch (error) {
      task.fail(error);
      return false;
    }
  }

  private begin(final: Final | undefined, whenOver: OpenCheckpoint['whenOver'], savepoint?: string): void {
    const { task, services } = this;
    task.between(() => {
      if (this.isClosed) return;
      if (!this.progress.isIdle) {
        // Another was asked for first, while one record was handled; the last one, or a savepoint, must still come.
        if (final || savepoint !== undefined) this.whenIdle(() => this.begin(final, whenOver, savepoint));
        return;
      }
      const id = this.progress.begin(task.ends);
      this.lastStart = task.monotonicNow();
      this.lastEnd = undefined;
      const open: OpenCheckpoint = {
        id,
        final,
        savepoint,
        rest: task.rest?.(),
        startedAt: this.lastStart,
        entered: task.entered(),
        sources: new Map(),
        captures: new Map(),
        finished: [...task.finishedNodes()],
        timeout: task.scheduler.schedule(() => this.timedOut(id), services.settings.timeout),
        stallMs: 0,
        bytes: 0,
        entries: 0,
        whenOver,
      };
      this.open = open;
      services.commitPoint.began?.(id);
      for (const source of task.sources) open.sources.set(source.name, source.entry());
      for (const source of task.sources) source.barrier(id);
      open.stallMs = task.monotonicNow() - open.startedAt;
      if (task.ends === 0) this.write(open);
    });
  }

  private write(open: OpenCheckpoint): void {
    const { task } = this;
    const isWanted = () => this.open === open;
    this.guard(open, () =>
      andThen(
        allStarted<unknown>([
          () => this.writeActors(open, isWanted),
          () => allStarted(task.sources.map(source => () => source.flush?.(open.id))),
          ...task.sinks.map(sink => () => andThen(sink.flush(open.id), handle => [sink.name, handle] as const)),
        ]),
        ([actors, , ...handles]) => {
          if (!isWanted() || !this.progress.written(open.id)) return;
          return this.prepare(
            open,
            manifestOf(
              open,
              task.ref,
              { token: this.token, commitPoint: this.commitPoint, tasks: task.layout, origin: this.origin },
              actors as Map<string, ActorEntry>,
              handles as [string, Json][],
            ),
          );
        },
      ),
    );
  }

  private writeActors(open: OpenCheckpoint, isWanted: () => boolean): MaybePromise<Map<string, ActorEntry>> {
    const actors = new Map<string, ActorEntry>();
    const work = eachInOrder(open.captures, ([name, capture]) =>
      andThen(this.services.encoder.write(capture, open.id, this.token, isWanted), segments => {
        for (const segment of segments) {
          open.bytes += segment.bytes;
          open.entries += segment.entries;
        }
        const before = capture.isFull ? [] : this.kept.chainOf(name);
        actors.set(name, { version: capture.version, keys: capture.keys, segments: [...before, ...segments] });
      }),
    );
    return andThen(work, () => actors);
  }

  private prepare(open: OpenCheckpoint, manifest: Manifest): MaybePromise<void> {
    return andThen(this.services.store.prepare(this.token, manifest), () => {
      if (this.open !== open || !this.progress.prepared(open.id)) return;
      open.timeout.unsubscribe();
      open.timeout = this.task.scheduler.schedule(
        () => this.decisionTimedOut(open, 'the commit point'),
        this.services.settings.commitTimeout,
      );
      return this.commit(open, manifest);
    });
  }

  /** From here on nothing is abandoned: only the commit point knows. A lost answer is asked for again. */
  private commit(open: OpenCheckpoint, manifest: Manifest): MaybePromise<void> {
    const { task, services } = this;
    const until = task.monotonicNow() + services.settings.commitTimeout;
    const decided = this.requests.run(
      () => services.commitPoint.commit(this.token, manifest),
      error => mayAskAgain(error) && task.monotonicNow() < until,
    );
    return andThen(decided, () => {
      if (this.open === open && this.progress.committed(open.id)) return this.apply(open, manifest);
    });
  }

  private apply(open: OpenCheckpoint, manifest: Manifest): MaybePromise<void> {
    const { task } = this;
    open.timeout.unsubscribe();
    open.timeout = this.task.scheduler.schedule(
      () => this.decisionTimedOut(open, 'a sink'),
      this.services.settings.commitTimeout,
    );
    for (const capture of open.captures.values()) capture.commit();
    this.kept.committed(manifest);
    this.committedEntered = open.entered;
    this.committedPositions = JSON.stringify([...open.sources]);
    this.committedAt = task.monotonicNow();
    this.isCommittedFinal = manifest.closed;
    this.hadHandles = Object.values(manifest.sinks).some(handle => handle !== null);
    let tries = 0;
    const applied = eachInOrder(task.sinks, sink =>
      this.requests.run(
        () => sink.commit(open.id, manifest.sinks[sink.name] as Json),
        error => !isFinal(error) && tries++ < applyRetries,
      ),
    );
    return andThen(applied, () => {
      if (this.open !== open || !this.progress.applied(open.id)) return;
      for (const source of task.sources) this.tellCommitted(source, open);
      this.over(open, 'committed');
    });
  }

  /** For monitoring only: the checkpoint counts, whatever the source makes of it. */
  private tellCommitted(source: CheckpointSource, { id, sources }: OpenCheckpoint): void {
    try {
      source.committed(id, (sources.get(source.name) as SourceEntry).position);
    } catch (error) {
      const { logger } = this.task;
      logger.warn(
        { source: source.name, checkpoint: id, error: messageOf(error) },
        'a committed position was not taken',
      );
    }
  }

  private over(open: OpenCheckpoint, outcome: CheckpointEvent['outcome'], reason?: string): void {
    const { task } = this;
    open.timeout.unsubscribe();
    this.open = undefined;
    this.lastEnd = task.monotonicNow();
    const event = eventOf(open, outcome, this.lastEnd, reason);
    task.event(event);
    if (outcome === 'committed') this.kept.tidy(open.id);
    open.whenOver?.(event);
    if (!this.progress.isIdle || this.isClosed) return;
    for (const work of this.waitingForIdle.splice(0)) work();
    if (open.final === undefined) this.scheduleNext();
  }

  private timedOut(id: number): void {
    const open = this.open;
    if (open?.id !== id) return;
    const phase = this.progress.phase;
    const error = new TimeoutError(
      `Checkpoint ${id} was still ${phase} after ${this.services.settings.timeout} ms (checkpoint.timeout).`,
      { context: { checkpointId: id } },
    );
    this.decide(open, this.progress.timedOut(id), error);
  }

  private decisionTimedOut(open: OpenCheckpoint, who: string): void {
    if (this.open !== open) return;
    const error = new TimeoutError(
      `${who} did not answer within ${this.services.settings.commitTimeout} ms (checkpoint.commitTimeout)`,
      { context: { checkpointId: open.id } },
    );
    this.decide(open, this.progress.failed(open.id, true), error);
  }

  private guard(open: OpenCheckpoint, work: () => MaybePromise<void>): void {
    const failed = (error: unknown) => {
      if (this.open !== open) return;
      // Idle while it is still open: something threw that nobody expects to; without a failure checkpoints would just stop.
      if (this.progress.isIdle) this.task.fail(error);
      else this.decide(open, this.progress.failed(open.id, !isFinal(error)), error);
    };
    const done = attempt<void>(work, failed);
    if (isPromise(done)) void done.then(undefined, failed);
  }

  private decide(open: OpenCheckpoint, decision: 'ignore' | 'abandon' | 'restart', error: unknown): void {
    if (decision === 'ignore') return;
    const { task } = this;
    if (decision === 'restart') {
      task.fail(
        isFinal(error)
          ? error
          : new CheckpointError(`${this.failureOf(open.id)}: ${messageOf(error)}`, {
              cause: error,
              context: { checkpointId: open.id },
            }),
      );
      return;
    }
    try {
      for (const capture of open.captures.values()) capture.abandon();
      this.services.commitPoint.abandoned?.(open.id);
      for (const sink of task.sinks) sink.abandon(open.id);
    } catch (cause) {
      task.fail(new InternalError(`Checkpoint ${open.id} could not be abandoned: ${messageOf(cause)}`, { cause }));
      return;
    }
    task.logger.warn({ checkpoint: open.id, error: messageOf(error) }, 'checkpoint abandoned');
    this.over(open, 'abandoned', messageOf(error));
  }

  private failureOf(id: number): string {
    const { phase, failures } = this.progress;
    if (phase === 'committing') return `It is not known whether checkpoint ${id} counts`;
    if (phase === 'applying') return `The output of checkpoint ${id} could not be made visible`;
    const { tolerableFailures } = this.services.settings;
    return `Checkpoint ${id} failed, ${failures} in a row (tolerableFailures is ${tolerableFailures})`;
  }
}

function positionsOf(sources: readonly CheckpointSource[]): string {
  return JSON.stringify(sources.map(source => [source.name, source.entry()]));
}

/** Whether the commit point may be asked again about the same checkpoint. */
function mayAskAgain(error: unknown): boolean {
  return !isFinal(error) && !(error instanceof CommitPointFencedError);
}

/** Whether trying again cannot help. */
function isFinal(error: unknown): boolean {
  return error instanceof InternalError || (error instanceof TidemarkError && !error.retriable);
}
