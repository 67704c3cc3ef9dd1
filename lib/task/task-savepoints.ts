import type { Coordinator } from '../checkpoint/coordinator.ts';
import type { Manifest, RestEntry } from '../checkpoint/manifest.ts';
import { appliedNote, type SavepointRequest } from '../checkpoint/savepoint-notes.ts';
import { type RequestOutcome, SavepointWatch } from '../checkpoint/savepoint-watch.ts';
import type { TaskStore } from '../checkpoint/snapshot-store.ts';
import type { ManifestKey } from '../checkpoint/store-rules.ts';
import { messageOf } from '../errors.ts';
import { andThen, attempt, type MaybePromise } from '../maybe-promise.ts';
import type { Logger } from '../observe/logger.ts';
import type { Gate } from './gate.ts';
import type { SourceRunner } from './source-runner.ts';
import { type RestedEntry, type RestingTask, TaskRest } from './task-rest.ts';
import type { WiredChannel } from './wired-channel.ts';

/** What taking savepoints needs of the running task. */
export interface SavepointedTask {
  readonly store: TaskStore;
  readonly logger: Logger;
  readonly gate: Gate;
  readonly coordinator: Coordinator;
  readonly sources: readonly SourceRunner[];
  /** To and from the other tasks of the job: with some, all of them come to rest together. */
  readonly channels: readonly WiredChannel[];
  /** How many ends a mark arrives at. */
  readonly ends: number;
  /** ms between two looks for requests. */
  readonly requestInterval: number;
  /** It is begun anew after a failure, or after it has rested. */
  readonly isRestart: boolean;
  areAllAtRest(entry: RestEntry): MaybePromise<boolean>;
  isAboutToEnd(): boolean;
  /** Somebody asks that the whole job stops with a savepoint; answers whether it does. */
  stopAsked(drain: boolean, savepoint: string): boolean;
  end(how: 'stopped' | 'again'): void;
}

/** Takes the savepoints that are asked for through the store of a running task. */
export class TaskSavepoints {
  readonly #task: SavepointedTask;
  readonly #rest: TaskRest | undefined;
  readonly #watch: SavepointWatch;
  /** The savepoint that the task completes its operators for. */
  #drainsFor: string | undefined;
  /** Answers a request to stop with a savepoint that the task cannot carry out. */
  #stopMissed: ((reason: string) => void) | undefined;

  constructor(task: SavepointedTask, restored: RestEntry | undefined) {
    this.#task = task;
    if (task.channels.length > 0) this.#rest = new TaskRest(this.#resting(), restored);
    this.#watch = new SavepointWatch({
      store: task.store,
      logger: task.logger,
      interval: task.requestInterval,
      isTaken: name => task.coordinator.hasSavepoint(name),
      take: (request, over) => this.#take(request, over),
      looked: notes => this.#rest?.looked(notes),
    });
  }

  /** Looks for requests from now on, and calls `enter` when it is known how a task that has told others that it rests goes on. */
  begin(restored: Manifest | undefined, enter: (how: RestedEntry) => void): MaybePromise<void> {
    this.#watch.start();
    const rest = this.#rest;
    if (!rest) return enter({});
    const applied = restored?.rest?.phase === 'there' ? this.noteApplied(restored) : undefined;
    return andThen(applied, () => rest.begin(enter));
  }

  /** As the next manifest says it. */
  get entry(): RestEntry | undefined {
    return this.#rest?.entry;
  }

  /** The rest that the task is on its way to, or at. */
  get currentRest(): string | undefined {
    return this.#rest?.current;
  }

  get isDraining(): boolean {
    return this.#drainsFor !== undefined;
  }

  /** What the last checkpoint of a task that completes now is asked to be. */
  get ofCompleted(): string | undefined {
    return this.#drainsFor ?? this.#rest?.goingTo;
  }

  /** The mark came out at one of the ends. */
  arrived(rest: string): void {
    this.#rest?.arrived(rest);
  }

  /** Another task that had rested goes on. */
  resumed(task: number, rest: string): void {
    this.#rest?.resumed(task, rest);
  }

  /** Behind everything that already waits at the gate, so that no source's position is past its rest. */
  restSources(rest: string): void {
    const { gate, channels } = this.#task;
    gate.afterwards(() =>
      gate.between(() => {
        for (const source of this.#ownSources()) source.rest(rest);
        for (const channel of channels) channel.passRest(rest);
      }),
    );
  }

  /** What a savepoint has made visible, nobody has to look after who takes up its state in other tasks. */
  noteApplied(last: ManifestKey): MaybePromise<void> {
    const { store, logger } = this.#task;
    return attempt<void>(
      () => andThen(store.putNote(appliedNote(last), ''), () => {}),
      error => logger.warn({ error: messageOf(error) }, 'that all of the savepoint is visible could not be noted'),
    );
  }

  /** Looks no more; `failure`: why the task cannot carry out what it was asked for. */
  close(failure?: string): void {
    this.#watch.close();
    if (failure !== undefined) this.#stopMissed?.(failure);
  }

  #take(request: SavepointRequest, over: (outcome: RequestOutcome) => void): string | undefined {
    const { name, end } = request;
    const task = this.#task;
    const rest = this.#rest;
    const tooLate = 'the job is about to end';
    if (task.isAboutToEnd()) return tooLate;
    if (rest && end === 'drain') return this.#drain(rest, name);
    if (rest) return this.isDraining ? tooLate : rest.take(request);
    if (end === 'go-on') {
      task.coordinator.takeSavepoint(name, over);
      return undefined;
    }
    this.#stopMissed = reason => over({ outcome: 'abandoned', reason });
    if (task.stopAsked(end === 'drain', name)) return undefined;
    this.#stopMissed = undefined;
    return tooLate;
  }

  /** Its own sources complete; what comes from the other tasks ends when theirs have. Asked again, it goes on under the new name. */
  #drain({ current }: TaskRest, name: string): string | undefined {
    if (current !== undefined) return 'another savepoint is being taken';
    this.#drainsFor = name;
    for (const source of this.#ownSources()) source.pause();
    for (const source of this.#ownSources()) source.complete();
    return undefined;
  }

  /** Those that read what comes from elsewhere than from tasks of the job. */
  #ownSources(): readonly SourceRunner[] {
    const { sources, channels } = this.#task;
    return sources.filter(source => !channels.some(channel => channel.source === source));
  }

  #resting(): RestingTask {
    const { store, logger, gate, coordinator, ends, isRestart, areAllAtRest, end } = this.#task;
    return {
      ...{ store, logger, ends, isRestart, end },
      areAllThere: areAllAtRest,
      rest: rest => this.restSources(rest),
      takeSavepoint: ({ name, end: until }, taken) => {
        const final = { jobFinished: false, closed: until === 'stop', savepoint: name };
        gate.between(() =>
          coordinator.takeFinal(final, () => {
            const last = coordinator.lastApplied;
            void andThen(last && this.noteApplied(last), taken);
          }),
        );
      },
    };
  }
}
