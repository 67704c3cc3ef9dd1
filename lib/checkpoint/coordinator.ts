import type { SchedulerLike, Subscription } from 'rxjs';
import { CheckpointError, FencedError, InternalError, messageOf, TidemarkError, TimeoutError } from '../errors.ts';
import type { CheckpointEvent } from '../job/handle.ts';
import type { CheckpointSettings } from '../job/settings.ts';
import { allStarted, andThen, attempt, eachInOrder, isPromise, type MaybePromise } from '../maybe-promise.ts';
import type { Logger } from '../observe/logger.ts';
import type { ChainCompactor } from './chain-compactor.ts';
import type { CommitPoint, Recovered } from './commit-point.ts';
import type { ActorEntry, Json, Manifest, SegmentRef } from './manifest.ts';
import type { ActorCapture, CheckpointSink, CheckpointSource, SourceEntry } from './participants.ts';
import { CheckpointProgress } from './progress.ts';
import { expiredManifests } from './retention.ts';
import { maySkip, nextCheckpointAt } from './schedule.ts';
import type { SegmentEncoder } from './segment-encoder.ts';
import type { StoredManifest, TaskRef, TaskStore } from './snapshot-store.ts';

/** What the coordinator needs of the task that it belongs to. */
export interface CoordinatedTask {
  readonly ref: TaskRef;
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

/** How a final checkpoint is marked. */
export interface Final {
  readonly jobFinished: boolean;
  readonly closed: boolean;
}

interface Open {
  readonly id: number;
  readonly final: Final | undefined;
  readonly startedAt: number;
  readonly entered: number;
  readonly sources: Map<string, SourceEntry>;
  readonly captures: Map<string, ActorCapture>;
  /** Nodes that had completed at the barrier: one that completes later has handled records that this checkpoint lacks. */
  readonly finished: readonly string[];
  /** Of the phase that it is in. */
  timeout: Subscription;
  stallMs: number;
  bytes: number;
  entries: number;
  whenOver: ((outcome: CheckpointEvent['outcome']) => void) | undefined;
}

/** Takes the checkpoints of one task: one at a time, each decided by the commit point. */
export class Coordinator {
  private readonly task: CoordinatedTask;
  private readonly services: CoordinatorServices;
  private readonly token: number;
  private readonly progress: CheckpointProgress;
  private readonly runningSince: number;
  private stored: StoredManifest[];
  private chains: Map<string, ActorEntry>;
  private open: Open | undefined;
  private timer: Subscription | undefined;
  private retry: Subscription | undefined;
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

  constructor(task: CoordinatedTask, services: CoordinatorServices, recovered: Recovered) {
    this.task = task;
    this.services = services;
    this.token = recovered.token;
    this.progress = new CheckpointProgress(recovered.lastId, services.settings.tolerableFailures);
    this.stored = [...recovered.stored];
    this.chains = new Map(Object.entries(recovered.committed?.actors ?? {}));
    this.runningSince = task.monotonicNow();
    this.committedAt = recovered.committed ? this.runningSince : undefined;
    this.committedEntered = recovered.committed ? task.entered() : -1;
    this.committedPositions = recovered.committed ? positionsOf(task.sources) : '';
    this.isCommittedFinal = recovered.committed?.closed ?? false;
  }

  /** Begins to take checkpoints by the clock, and removes what earlier incarnations wrote and no manifest names. */
  start(): void {
    this.collect(expiredManifests(this.stored, this.services.settings.retained));
    this.scheduleNext();
  }

  /** The oldest checkpoint that is kept. */
  get oldestRetained(): Manifest | undefined {
    return this.stored.find(({ confirmed }) => confirmed)?.manifest;
  }

  /** Forgets the stored chain of an actor: the next snapshot of it is full. */
  forgetChain(actor: string): void {
    this.chains.delete(actor);
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

  /**
   * The last checkpoint of the task: waits for one that is under way, is repeated when it is abandoned, and calls `done` when
   * it is committed or nothing has changed since the last one.
   */
  takeFinal(final: Final, done: () => void): void {
    this.timer?.unsubscribe();
    this.whenIdle(() => {
      if (this.isCommittedFinal && !final.jobFinished && this.isUnchanged()) {
        done();
        return;
      }
      this.begin(final, outcome => {
        if (outcome === 'committed') done();
        else this.takeFinal(final, done);
      });
    });
  }

  /** Gives up what is under way, for a task that has failed or was cancelled. */
  close(): void {
    this.isClosed = true;
    this.timer?.unsubscribe();
    this.retry?.unsubscribe();
    this.open?.timeout.unsubscribe();
    this.open = undefined;
    this.waitingForIdle = [];
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
      task.event({
        id: this.progress.id,
        outcome: 'skipped',
        isFinal: false,
        durationMs: 0,
        stallMs: 0,
        bytes: 0,
        entries: 0,
        at: Date.now(),
      });
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

  private begin(final: Final | undefined, whenOver: Open['whenOver']): void {
    const { task, services } = this;
    task.between(() => {
      if (this.isClosed) return;
      if (!this.progress.isIdle) {
        // Another was asked for first, while one record was handled; the last one must still come.
        if (final) this.whenIdle(() => this.begin(final, whenOver));
        return;
      }
      const id = this.progress.begin(task.ends);
      this.lastStart = task.monotonicNow();
      this.lastEnd = undefined;
      const open: Open = {
        id,
        final,
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
      for (const source of task.sources) open.sources.set(source.name, source.entry());
      for (const source of task.sources) source.barrier(id);
      open.stallMs = task.monotonicNow() - open.startedAt;
      if (task.ends === 0) this.write(open);
    });
  }

  private write(open: Open): void {
    const { task } = this;
    const isWanted = () => this.open === open;
    this.guard(open, () =>
      andThen(
        allStarted<unknown>([
          () => this.writeActors(open, isWanted),
          ...task.sinks.map(sink => () => andThen(sink.flush(open.id), handle => [sink.name, handle] as const)),
        ]),
        ([actors, ...handles]) => {
          if (!isWanted() || !this.progress.written(open.id)) return;
          return this.prepare(
            open,
            this.manifestOf(open, actors as Map<string, ActorEntry>, handles as [string, Json][]),
          );
        },
      ),
    );
  }

  private writeActors(open: Open, isWanted: () => boolean): MaybePromise<Map<string, ActorEntry>> {
    const actors = new Map<string, ActorEntry>();
    const work = eachInOrder(open.captures, ([name, capture]) =>
      andThen(this.services.encoder.write(capture, open.id, this.token, isWanted), segments => {
        for (const segment of segments) {
          open.bytes += segment.bytes;
          open.entries += segment.entries;
        }
        const before = capture.isFull ? [] : (this.chains.get(name)?.segments ?? []);
        actors.set(name, { version: capture.version, keys: capture.keys, segments: [...before, ...segments] });
      }),
    );
    return andThen(work, () => actors);
  }

  private manifestOf(
    open: Open,
    actors: Map<string, ActorEntry>,
    handles: readonly (readonly [string, Json])[],
  ): Manifest {
    const { task } = this;
    return {
      format: 1,
      job: task.ref.job,
      task: task.ref.task,
      id: open.id,
      token: this.token,
      kind: 'checkpoint',
      createdAt: Date.now(),
      sources: Object.fromEntries(open.sources),
      actors: Object.fromEntries(actors),
      sinks: Object.fromEntries(handles),
      finished: [...open.finished],
      jobFinished: open.final?.jobFinished ?? false,
      closed: open.final?.closed ?? false,
    };
  }

  private prepare(open: Open, manifest: Manifest): MaybePromise<void> {
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
  private commit(open: Open, manifest: Manifest): MaybePromise<void> {
    const { task, services } = this;
    const until = task.monotonicNow() + services.settings.commitTimeout;
    const decided = this.again(
      () => services.commitPoint.commit(this.token, manifest),
      () => task.monotonicNow() < until,
    );
    return andThen(decided, () => {
      if (this.open === open && this.progress.committed(open.id)) return this.apply(open, manifest);
    });
  }

  private apply(open: Open, manifest: Manifest): MaybePromise<void> {
    const { task } = this;
    open.timeout.unsubscribe();
    open.timeout = this.task.scheduler.schedule(
      () => this.decisionTimedOut(open, 'a sink'),
      this.services.settings.commitTimeout,
    );
    for (const capture of open.captures.values()) capture.commit();
    this.chains = new Map(Object.entries(manifest.actors));
    this.stored.push({ manifest, confirmed: true });
    this.committedEntered = open.entered;
    this.committedPositions = JSON.stringify([...open.sources]);
    this.committedAt = task.monotonicNow();
    this.isCommittedFinal = manifest.closed;
    let tries = 0;
    const applied = eachInOrder(task.sinks, sink =>
      this.again(
        () => sink.commit(open.id, manifest.sinks[sink.name] as Json),
        () => tries++ < 5,
      ),
    );
    return andThen(applied, () => {
      if (this.open !== open || !this.progress.applied(open.id)) return;
      for (const source of task.sources) this.tellCommitted(source, open);
      this.over(open, 'committed');
    });
  }

  /** For monitoring only: the checkpoint counts, whatever the source makes of it. */
  private tellCommitted(source: CheckpointSource, { id, sources }: Open): void {
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

  /** Asks once more, a little later each time, while the failure may pass and `mayRetry` agrees. */
  private again(work: () => MaybePromise<void>, mayRetry: () => boolean, delay = 50): MaybePromise<void> {
    return attempt(work, error => {
      if (this.isClosed || isFinal(error) || !mayRetry()) throw error;
      this.task.logger.warn({ error: messageOf(error), checkpoint: this.progress.id }, 'asking again');
      return new Promise<void>((resolve, reject) => {
        this.retry = this.task.scheduler.schedule(() => {
          attempt(() => andThen(this.again(work, mayRetry, Math.min(delay * 2, 2_000)), resolve), reject);
        }, delay);
      });
    });
  }

  private over(open: Open, outcome: CheckpointEvent['outcome'], reason?: string): void {
    const { task } = this;
    open.timeout.unsubscribe();
    this.open = undefined;
    this.lastEnd = task.monotonicNow();
    task.event({
      id: open.id,
      outcome,
      isFinal: open.final !== undefined,
      durationMs: this.lastEnd - open.startedAt,
      stallMs: open.stallMs,
      bytes: open.bytes,
      entries: open.entries,
      at: Date.now(),
      ...(reason === undefined ? {} : { reason }),
    });
    if (outcome === 'committed') this.tidy(open.id);
    open.whenOver?.(outcome);
    if (!this.progress.isIdle || this.isClosed) return;
    for (const work of this.waitingForIdle.splice(0)) work();
    if (open.final === undefined) this.scheduleNext();
  }

  private collect(ids: readonly number[]): void {
    const { task, services } = this;
    const forget = () => {
      this.stored = this.stored.filter(({ manifest }) => !ids.includes(manifest.id));
    };
    void attempt<void>(
      () => andThen(services.store.collect(this.token, ids), forget),
      error => {
        if (error instanceof FencedError) task.fail(error);
        else task.logger.warn({ error: messageOf(error), manifests: ids }, 'old checkpoints could not be removed');
      },
    );
  }

  /** Drops what retention no longer needs and shortens chains; neither holds up the stream, a failure is only logged. */
  private tidy(id: number): void {
    const { services } = this;
    const ids = expiredManifests(this.stored, services.settings.retained);
    if (ids.length > 0) this.collect(ids);
    services.compactor.consider(this.chains, id, this.token, (actor, from, to) => {
      const entry = this.chains.get(actor);
      if (!entry || this.isClosed) return;
      const segments = replaced(entry.segments, from, to);
      if (segments) this.chains.set(actor, { ...entry, segments });
    });
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

  private decisionTimedOut(open: Open, who: string): void {
    if (this.open !== open) return;
    const error = new TimeoutError(
      `${who} did not answer within ${this.services.settings.commitTimeout} ms (checkpoint.commitTimeout)`,
      { context: { checkpointId: open.id } },
    );
    this.decide(open, this.progress.failed(open.id, true), error);
  }

  private guard(open: Open, work: () => MaybePromise<void>): void {
    const failed = (error: unknown) => {
      if (this.open !== open) return;
      // Idle while it is still open: something threw that nobody expects to; without a failure checkpoints would just stop.
      if (this.progress.isIdle) this.task.fail(error);
      else this.decide(open, this.progress.failed(open.id, !isFinal(error)), error);
    };
    const done = attempt<void>(work, failed);
    if (isPromise(done)) void done.then(undefined, failed);
  }

  private decide(open: Open, decision: 'ignore' | 'abandon' | 'restart', error: unknown): void {
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

/** Whether trying again cannot help. */
function isFinal(error: unknown): boolean {
  return error instanceof InternalError || (error instanceof TidemarkError && !error.retriable);
}

/** The chain with `to` in the place of `from`; `undefined` when `from` is no longer a part of it. */
function replaced(
  chain: readonly SegmentRef[],
  from: readonly SegmentRef[],
  to: readonly SegmentRef[],
): SegmentRef[] | undefined {
  const start = chain.findIndex(({ name }) => name === from[0]?.name);
  if (start < 0 || !from.every(({ name }, i) => chain[start + i]?.name === name)) return undefined;
  return [...chain.slice(0, start), ...to, ...chain.slice(start + from.length)];
}
