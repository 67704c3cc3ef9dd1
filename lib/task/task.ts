import type { ActorStage } from '../actor/actor-stage.ts';
import type { CommitPoint, Recovered } from '../checkpoint/commit-point.ts';
import { Coordinator } from '../checkpoint/coordinator.ts';
import type { Manifest } from '../checkpoint/manifest.ts';
import type { Final } from '../checkpoint/open-checkpoint.ts';
import { staleToken } from '../checkpoint/store-rules.ts';
import { type ErrorContext, messageOf, type TidemarkError } from '../errors.ts';
import type { CheckpointEvent } from '../job/handle.ts';
import { all, andThen, attempt, eachInOrder, isPromise, type MaybePromise } from '../maybe-promise.ts';
import { verifyLayout } from '../scale/task-layout.ts';
import type { WirableNode } from '../stream/node.ts';
import { chosenCommitPoint } from './chosen-commit-point.ts';
import { closedInTime } from './closing.ts';
import { CreditRelief } from './credit-relief.ts';
import { Credits } from './credits.ts';
import { Gate } from './gate.ts';
import { restoreActor } from './restore.ts';
import type { SinkRunner } from './sink-runner.ts';
import type { SourceRunner } from './source-runner.ts';
import { taskFailure } from './task-failure.ts';
import { type GraphEvents, TaskGraph } from './task-graph.ts';
import type { RestedEntry } from './task-rest.ts';
import { type SavepointedTask, TaskSavepoints } from './task-savepoints.ts';
import type { TaskServices } from './task-services.ts';

/** What a person has chosen for a recovery that finds something missing. */
export interface TaskRecovery {
  /** Nothing is restored. */
  readonly isFresh: boolean;
  /** It is begun anew after a failure, or after it has rested. */
  readonly isRestart?: boolean;
}

export type TaskOutcome = 'finished' | 'stopped' | 'cancelled';

/** How a task has ended; `again`: it is to begin anew from its last checkpoint, at once, although nothing has failed. */
export type TaskResult =
  | { readonly outcome: TaskOutcome }
  | { readonly error: TidemarkError }
  | { readonly again: true };

/** What a task tells the job that it belongs to. */
export interface TaskEvents {
  /** A fence token is about to be taken: an answer may get lost. */
  asksForToken(): void;
  /** The commit point has answered; returns what to go on from. */
  recovered(found: Recovered): MaybePromise<Recovered>;
  /** Somebody asks, through the store, that the job stops with a savepoint; answers whether it does. */
  stopAsked(drain: boolean, savepoint: string): boolean;
  running(): void;
  checkpoint(event: CheckpointEvent): void;
  /** The task has ended and closed everything; called once. */
  ended(result: TaskResult): void;
}

/** One incarnation of a task: recovers, runs, and ends once, with everything closed. */
export class Task {
  readonly gate: Gate;
  readonly credits: Credits;
  private savepoints: TaskSavepoints | undefined;
  private readonly isRestart: boolean;
  private readonly relief: CreditRelief;
  private readonly services: TaskServices;
  private readonly events: TaskEvents;
  private readonly graph: TaskGraph;
  private readonly commitPoint: CommitPoint;
  private coordinator: Coordinator | undefined;
  private isEnding = false;
  /** Stages that hold their input back. */
  private holders = 0;
  private isRunning = false;
  private isFinalUnderWay = false;
  private stopRequest: { drain: boolean; savepoint: string | undefined } | undefined;
  /** What waits for its turn to look at the state. */
  private readonly questions = new Set<() => void>();

  /** Wires the graph; opens nothing. Throws `JobDefinitionError` or `LiftError`. */
  constructor(
    services: TaskServices,
    ends: readonly WirableNode[],
    events: TaskEvents,
    { isFresh, isRestart = false }: TaskRecovery = { isFresh: false },
  ) {
    this.services = services;
    this.events = events;
    this.isRestart = isRestart;
    this.gate = new Gate(services.scheduler, (error, context) => this.failed(error, context));
    this.relief = new CreditRelief(services.scheduler, () => this.checkpoint());
    this.credits = new Credits(services.settings.credits.limit, {
      onExhausted: () => {
        this.pauseSources();
        if (!this.isEnding) this.relief.begin();
      },
      onAvailable: () => {
        this.relief.end();
        this.resumeSources();
      },
    });
    this.graph = new TaskGraph(services, ends, this.gate, this.graphEvents());
    const { ref, settings, logger, scheduler, shared } = services;
    const { acceptCheckpoint, previousCommitPoint } = settings.recovery;
    this.commitPoint = chosenCommitPoint(
      this.graph.allNodes,
      services.store,
      {
        ...ref,
        logger,
        scheduler,
        shared,
        settings: settings.checkpoint,
        monotonicNow: () => services.monotonicNow(),
        checkpoint: () => this.checkpoint(),
        error: error => this.gate.fail(error),
      },
      { choices: { acceptCheckpoint, isFresh }, previousCommitPoint, asksForToken: () => events.asksForToken() },
      services.commitPoint,
    );
  }

  /** Recovers from the commit point, then reads. Failures come as `events.ended`. */
  start(): void {
    this.step(() => {
      if (this.isEnding) return;
      // One that was put in the place of the store's asks as it likes.
      if (this.commitPoint === this.services.commitPoint) this.events.asksForToken();
      return andThen(this.commitPoint.recover(), found => this.recover(found));
    });
  }

  /** Ends with a final checkpoint, a savepoint where it has a name; `drain` completes the operators first. */
  stop(drain: boolean, savepoint?: string): void {
    if (this.isEnding || this.stopRequest) return;
    this.stopRequest = { drain, savepoint };
    if (this.isRunning) this.carryOutStop();
  }

  /** Ends at once, without a checkpoint. */
  cancel(): void {
    void this.end({ outcome: 'cancelled' });
  }

  /** Ends at once with this error, which the caller has seen. */
  abort(error: TidemarkError): void {
    this.gate.fail(error);
  }

  /** Takes a checkpoint now, unless one is under way. */
  checkpoint(): void {
    this.coordinator?.trigger();
  }

  /** Runs `work` against the live state, between two elements; `missed` instead when the task ends before its turn comes. */
  inspect(work: () => void, missed: () => void): void {
    if (this.gate.hasFailed) {
      missed();
      return;
    }
    this.questions.add(missed);
    this.gate.between(() => {
      this.questions.delete(missed);
      work();
    });
  }

  get nodes(): readonly WirableNode[] {
    return this.graph.nodes;
  }

  get actors(): ReadonlyMap<string, ActorStage> {
    return this.graph.actors;
  }

  get sources(): readonly SourceRunner[] {
    return this.graph.sources;
  }

  /** Those that the job names. */
  get sinks(): readonly SinkRunner[] {
    return this.graph.sinks;
  }

  /** The highest id of a checkpoint that was begun, whatever became of it; 0 before the first. */
  get lastCheckpointId(): number {
    return this.coordinator?.lastId ?? 0;
  }

  private recover(found: Recovered): MaybePromise<void> {
    // Ended while the store was asked: what would be opened now, nobody would close.
    if (this.isEnding) return;
    return attempt<void>(
      () =>
        andThen(this.events.recovered(found), recovered => {
          if (!this.isEnding) return this.goOn(recovered);
        }),
      error => this.unlessFenced(error, found.token),
    );
  }

  private goOn(recovered: Recovered): MaybePromise<void> {
    const { ref, logger } = this.services;
    const { committed } = recovered;
    verifyLayout(ref, this.services.layout, committed, this.graph.hasKeyedState);
    if (committed?.jobFinished) {
      return andThen(this.applyLast(recovered, committed), () => {
        logger.info({ job: ref.job, checkpoint: committed.id }, 'the job has finished before: nothing is left to do');
        return this.end({ outcome: 'finished' });
      });
    }
    // Of a savepoint that it starts from, whoever found it has looked.
    return andThen(recovered.origin ? undefined : this.services.verifyAlone?.(), () => {
      if (this.isEnding) return;
      this.graph.wire(committed?.finished);
      if (committed) this.graph.verifyRestorable(committed);
      return andThen(this.restore(recovered), () => this.run(recovered));
    });
  }

  /** The process that finished the job may have died between the decision and what its sinks make visible of it. */
  private applyLast(recovered: Recovered, committed: Manifest): MaybePromise<void> {
    const isOpen = ({ name }: SinkRunner) => (committed.sinks[name] ?? null) !== null;
    if (!Object.values(committed.sinks).some(handle => handle !== null)) return;
    this.graph.wire();
    return this.openSinks(
      this.graph.allSinks.filter(sink => isOpen(sink)),
      recovered,
    );
  }

  private graphEvents(): GraphEvents {
    return {
      arrived: id => this.coordinator?.arrived(id),
      rested: (rest, isChannel) => {
        // What it has told the other tasks counts with the next checkpoint: they wait for it.
        if (isChannel) this.coordinator?.triggerSoon();
        this.savepoints?.arrived(rest);
      },
      completed: () => this.completed(),
      channelCompleted: () => {
        if (this.savepoints?.isDraining) this.coordinator?.triggerSoon();
      },
      captured: (actor, barrier, capture) => this.coordinator?.captured(actor, barrier, capture),
      holdsInput: isHeld => {
        this.holders += isHeld ? 1 : -1;
        if (isHeld) this.pauseSources();
        else this.resumeSources();
      },
      checkpoint: () => this.checkpoint(),
      hasPublished: position => this.commitPoint.publishes?.(position) ?? false,
      currentRest: () => this.savepoints?.currentRest,
      resumed: (task, rest) => this.savepoints?.resumed(task, rest),
    };
  }

  private restore(recovered: Recovered): MaybePromise<void> {
    const { services } = this;
    const { committed } = recovered;
    const allowsDropped = services.settings.allowDroppedState;
    const actors = eachInOrder(committed ? this.actors.values() : [], stage => {
      const entry = committed?.actors[stage.name];
      return entry && this.unlessEnding(() => restoreActor(stage, entry, { ...services, allowsDropped }));
    });
    const openSources = () =>
      eachInOrder(this.sources, source => this.unlessEnding(() => source.open(committed?.sources[source.name])));
    return andThen(actors, () => andThen(this.openSinks(this.graph.allSinks, recovered), openSources));
  }

  /** Opens sinks, which apply what the restored checkpoint holds for them. */
  private openSinks(sinks: readonly SinkRunner[], { token, committed }: Recovered): MaybePromise<void> {
    const { ref, logger, scheduler, shared } = this.services;
    const open = (sink: SinkRunner) =>
      sink.open(
        {
          job: ref.job,
          task: ref.task,
          token,
          logger: logger.child({ sink: sink.name }),
          scheduler,
          credits: this.credits.holder(sink.name),
          shared,
          error: error => this.gate.fail(error, { sink: sink.name }),
        },
        committed,
      );
    return eachInOrder(sinks, sink => this.unlessEnding(() => open(sink)));
  }

  private unlessEnding(work: () => MaybePromise<unknown>): MaybePromise<unknown> {
    return this.isEnding ? undefined : work();
  }

  /**
   * What it restores from may be gone because another incarnation has gone on, and a sink that finds another one's work in
   * its way cannot tell whose: the store's fence can.
   */
  private unlessFenced(error: unknown, token: number): MaybePromise<never> {
    const { store, ref } = this.services;
    return andThen(
      attempt<number>(
        () => store.fence(),
        () => token,
      ),
      newest => {
        throw newest > token ? staleToken(ref, token, newest) : error;
      },
    );
  }

  private run(recovered: Recovered): void {
    if (this.isEnding) return;
    const { services } = this;
    const coordinator = new Coordinator(
      this.coordinated(),
      { ...services, commitPoint: this.commitPoint, settings: services.settings.checkpoint },
      recovered,
    );
    this.coordinator = coordinator;
    this.savepoints = new TaskSavepoints(this.savepointed(coordinator), recovered.committed?.rest);
    this.isRunning = true;
    this.events.running();
    if (this.stopRequest && !this.stopRequest.drain) {
      this.carryOutStop();
      return;
    }
    if (recovered.takesOver) coordinator.takeOver(() => this.begin(recovered.committed));
    else this.begin(recovered.committed);
  }

  private begin(restored: Manifest | undefined): void {
    if (this.isEnding || this.isFinalUnderWay) return;
    this.step(() => this.savepoints?.begin(restored, how => this.step(() => this.enter(how))));
  }

  /** Lets everything in: what sources read, and timers. */
  private enter({ resumes, rests }: RestedEntry): void {
    if (this.isEnding || this.isFinalUnderWay) return;
    this.graph.open(resumes);
    // Every branch may have ended before: then only the final checkpoint is left.
    if (this.isEnding || this.isFinalUnderWay) return;
    if (rests !== undefined) this.savepoints?.restSources(rests);
    this.graph.start();
    this.coordinator?.start();
    // Others wait until it is committed that this one goes on.
    if (resumes !== undefined) this.coordinator?.triggerSoon();
    if (this.stopRequest) this.carryOutStop();
  }

  private savepointed(coordinator: Coordinator): SavepointedTask {
    const { store, logger, settings, areAllAtRest } = this.services;
    return {
      ...{ store, logger, coordinator, gate: this.gate, sources: this.sources, channels: this.graph.wiredChannels },
      ...{ ends: this.graph.ends, requestInterval: settings.checkpoint.requestInterval, isRestart: this.isRestart },
      areAllAtRest: entry => areAllAtRest?.(entry) ?? false,
      isAboutToEnd: () => this.isEnding || this.isFinalUnderWay || this.stopRequest !== undefined,
      stopAsked: (drain, savepoint) => this.events.stopAsked(drain, savepoint),
      end: how => void this.end(how === 'again' ? { again: true } : { outcome: how }),
    };
  }

  private coordinated(): ConstructorParameters<typeof Coordinator>[0] {
    const { services } = this;
    return {
      ref: services.ref,
      layout: services.layout,
      scheduler: services.scheduler,
      logger: services.logger,
      monotonicNow: () => services.monotonicNow(),
      between: work => this.gate.afterwards(() => this.gate.between(work)),
      entered: () => this.gate.entered,
      sources: this.sources,
      sinks: this.graph.allSinks,
      ends: this.graph.ends,
      rest: () => this.savepoints?.entry,
      finishedNodes: () => this.graph.finishedNodes,
      fail: error => this.gate.fail(error),
      event: event => this.events.checkpoint(event),
    };
  }

  /** Every branch has completed: the final checkpoint says that the job is done. */
  private completed(): void {
    if (this.isEnding) return;
    this.pauseSources();
    const savepoint = this.stopRequest?.savepoint ?? this.savepoints?.ofCompleted;
    this.takeFinal({ jobFinished: true, closed: true, savepoint }, 'finished');
  }

  private carryOutStop(): void {
    if (this.isEnding) return;
    if (this.stopRequest?.drain && this.graph.channels.size > 0) {
      // What is on its way between tasks needs all of them; a part of them cannot complete their operators.
      this.services.logger.warn({}, 'a job with repartition in several tasks is stopped without draining it');
    } else if (this.stopRequest?.drain) {
      for (const source of this.sources) source.pause();
      for (const source of this.sources) source.complete();
      return;
    }
    this.pauseSources();
    this.takeFinal({ jobFinished: false, closed: true, savepoint: this.stopRequest?.savepoint }, 'stopped');
  }

  private takeFinal(final: Final, outcome: TaskOutcome): void {
    if (this.isFinalUnderWay) return;
    this.isFinalUnderWay = true;
    // Behind everything that already waits at the gate.
    this.gate.between(() => {
      this.coordinator?.takeFinal(final, () => {
        const last = final.savepoint === undefined ? undefined : this.coordinator?.lastApplied;
        void andThen(last && this.savepoints?.noteApplied(last), () => this.end({ outcome }));
      });
    });
  }

  private pauseSources(): void {
    for (const source of this.sources) source.pause();
  }

  private resumeSources(): void {
    if (this.isEnding || this.stopRequest || this.isFinalUnderWay) return;
    // A resumed source may read at once: not from inside the record or sink that gave the credits back.
    this.gate.afterwards(() => {
      for (const source of this.sources) {
        if (!this.credits.isExhausted && this.holders === 0) source.resume();
      }
    });
  }

  private step(work: () => MaybePromise<void>): void {
    const failed = (error: unknown) => this.gate.fail(error);
    const done = attempt<void>(work, failed);
    if (isPromise(done)) void done.then(undefined, failed);
  }

  private failed(error: unknown, context: ErrorContext): void {
    this.coordinator?.close();
    this.savepoints?.close();
    void this.end({ error: taskFailure(error, context, this.services.ref, this.coordinator?.oldestRetained) });
  }

  private end(result: TaskResult): MaybePromise<void> {
    if (this.isEnding) return;
    this.isEnding = true;
    this.relief.end();
    // Who has taken the task over answers what was asked for.
    const isAnswered = 'error' in result && result.error.code !== 'FENCED';
    this.savepoints?.close(isAnswered ? result.error.message : undefined);
    const tidied = this.coordinator?.close();
    this.gate.close();
    for (const missed of this.questions) missed();
    this.questions.clear();
    attempt<void>(
      () => this.graph.close(),
      error => this.services.logger.warn({ error: messageOf(error) }, 'closing a native operator failed'),
    );
    const closed = attempt<unknown>(
      () =>
        all<unknown>([
          // A task that restarts does so on the same store, and must not wait for one that is out of reach.
          'outcome' in result ? tidied : undefined,
          ...this.graph.closeEnds(),
        ]),
      error => this.services.logger.warn({ error: messageOf(error) }, 'closing failed'),
    );
    const { scheduler, logger } = this.services;
    const forgets =
      'outcome' in result && result.outcome === 'cancelled' && this.services.settings.checkpoint.onCancel === 'delete';
    const forgotten = () =>
      attempt<void>(
        () => (forgets ? this.commitPoint.forget?.() : undefined),
        error =>
          logger.warn({ error: messageOf(error) }, 'what has decided about checkpoints could not be told that they go'),
      );
    const closedAll = andThen(andThen(closed, forgotten), () =>
      attempt<void>(
        () => this.commitPoint.close?.(),
        error => logger.warn({ error: messageOf(error) }, 'closing the commit point failed'),
      ),
    );
    return andThen(closedInTime(closedAll, scheduler, logger), () => this.events.ended(result));
  }
}
