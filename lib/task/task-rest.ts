import type { Manifest, RestEntry } from '../checkpoint/manifest.ts';
import {
  type NotesRead,
  readNotes,
  refusalText,
  releaseNote,
  requestNotes,
  type SavepointRequest,
} from '../checkpoint/savepoint-notes.ts';
import type { TaskStore } from '../checkpoint/snapshot-store.ts';
import { messageOf } from '../errors.ts';
import { andThen, attempt, eachInOrder, isPromise, type MaybePromise } from '../maybe-promise.ts';
import type { Logger } from '../observe/logger.ts';
import { type RestSeen, RestState, restId, restStep } from '../scale/rest-state.ts';

/** What coming to rest needs of the task. */
export interface RestingTask {
  readonly store: TaskStore;
  readonly logger: Logger;
  /** How many ends the mark arrives at. */
  readonly ends: number;
  /** Whether all tasks of the job are at rest for it. */
  areAllThere(entry: RestEntry): MaybePromise<boolean>;
  /** It was begun anew by its own process, not by a person. */
  readonly isRestart: boolean;
  /** Its sources give nothing any more, and say so. */
  rest(rest: string): void;
  /** The savepoint: nothing is on its way in its channels; `taken` once it is committed. */
  takeSavepoint(entry: RestEntry, taken: () => void): void;
  /** Ends for good, or begins anew from its last checkpoint. */
  end(how: 'stopped' | 'again'): void;
}

/** How a restored task goes on: it tells the others first that it gives again, or rests again, or has nothing to do with rests. */
export interface RestedEntry {
  readonly resumes?: string;
  readonly rests?: string;
}

/**
 * Brings one incarnation of a task to rest for a savepoint, together with the other tasks of its job, and lets it go on when all are there or
 * one of them cannot. Once it has told others that it rests, only a new incarnation goes on, which says so first.
 */
export class TaskRest {
  readonly #task: RestingTask;
  readonly #state: RestState;
  #arrived = 0;
  /** What lets everything in, while it is not known whether the task may go on. */
  #enter: ((how: RestedEntry) => void) | undefined;
  #hasBegun = false;
  #hasLooked = false;
  #isLooking = false;
  #isOver = false;

  constructor(task: RestingTask, restored: RestEntry | undefined) {
    this.#task = task;
    this.#state = new RestState(restored);
  }

  /** As the next manifest says it. */
  get entry(): RestEntry | undefined {
    return this.#state.entry;
  }

  /** The rest that it is on its way to, or at. */
  get current(): string | undefined {
    const { current } = this.#state;
    return current && restId(current);
  }

  /** The savepoint that it is on its way to. */
  get goingTo(): string | undefined {
    const { current } = this.#state;
    return current?.phase === 'going' ? current.name : undefined;
  }

  /** Calls `enter` when it is known how a restored task goes on: at once where it had not rested. */
  begin(enter: (how: RestedEntry) => void): void {
    this.#hasBegun = true;
    if (!this.#state.current) enter({});
    else {
      this.#enter = enter;
      this.#look();
    }
  }

  /** Answers a reason when it refuses. */
  take(request: SavepointRequest): string | undefined {
    const answer = this.#state.take(request);
    if (typeof answer === 'object') return answer.refuse;
    if (answer === 'begin') this.#task.rest(restId(request));
    return undefined;
  }

  /** The rest came out at one of the ends. */
  arrived(rest: string): void {
    if (!this.#state.isOf(rest) || ++this.#arrived !== this.#task.ends) return;
    this.#state.arrived();
    const { current } = this.#state;
    if (!current) return;
    this.#task.logger.info({ savepoint: current.name }, 'the task is at rest');
    this.#task.takeSavepoint(current, () => this.#look());
  }

  /** Another task goes on, before this one is done: what follows of it belongs behind the savepoint. */
  resumed(task: number, rest: string): void {
    const { current } = this.#state;
    if (!current || this.#isOver || !this.#state.isOf(rest)) return;
    this.#isOver = true;
    // Told at once: what follows in the same batch must not be handled.
    this.#task.end('again');
    if (current.phase === 'going') this.#leave(this.#refused(current, `task ${task} goes on`));
  }

  /** What the notes of the task say now. */
  looked(notes: NotesRead): MaybePromise<void> {
    const { current } = this.#state;
    if (!current || !this.#hasBegun || this.#isOver || this.#isLooking) return;
    const isAsked = notes.requests.some(request => restId(request) === restId(current));
    const isRefused = notes.refused.has(current.name);
    this.#isLooking = true;
    const all = attempt<boolean>(
      () => (current.phase === 'there' ? this.#task.areAllThere(current) : false),
      error => {
        this.#isLooking = false;
        throw error;
      },
    );
    return andThen(all, areAllThere => {
      this.#isLooking = false;
      // It may have come there, or have ended, meanwhile: it looks again.
      if (this.#state.current === current && !this.#isOver)
        return this.#decide(current, { isAsked, isRefused, areAllThere, now: Date.now() });
    });
  }

  #look(): void {
    this.#leave(
      attempt<void>(
        () => andThen(this.#task.store.notes(), notes => this.looked(readNotes(notes))),
        // The watch over requests looks again.
        error => this.#task.logger.debug({ error: messageOf(error) }, 'what became of a savepoint could not be read'),
      ),
    );
  }

  #decide(entry: RestEntry, seen: RestSeen): MaybePromise<void> {
    const step = restStep(entry, seen);
    const isFirst = !this.#hasLooked;
    this.#hasLooked = true;
    const enter = this.#enter;
    if (step === 'wait') {
      if (entry.phase === 'going') this.#goOn({ rests: restId(entry) });
      return;
    }
    const { logger } = this.#task;
    if (step === 'done') {
      // Whoever starts a job that was stopped wants it to go on.
      const isStarted = enter !== undefined && isFirst && !this.#task.isRestart;
      if (entry.end === 'stop' && !isStarted) this.#end('stopped');
      else if (enter) this.#goOn({ resumes: restId(entry) });
      else this.#end('again');
      return;
    }
    logger.warn({ savepoint: entry.name, why: step.giveUp }, 'the task goes on without the savepoint');
    const told = andThen(this.#released(entry), () =>
      seen.isAsked && !seen.isRefused ? this.#refused(entry, step.giveUp) : undefined,
    );
    return andThen(told, () => {
      if (enter) this.#goOn({ resumes: restId(entry) });
      else this.#end('again');
    });
  }

  #goOn(how: RestedEntry): void {
    const enter = this.#enter;
    this.#enter = undefined;
    if (how.resumes !== undefined) this.#state.over();
    enter?.(how);
  }

  #end(how: 'stopped' | 'again'): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#task.end(how);
  }

  #refused({ name }: RestEntry, reason: string): MaybePromise<void> {
    const { store, logger } = this.#task;
    return attempt<void>(
      () => andThen(store.putNote(requestNotes(name).refused, refusalText(reason)), () => {}),
      error => logger.warn({ error: messageOf(error) }, 'the refusal could not be left in the store'),
    );
  }

  /** Its part of a savepoint that the others do not have is none. */
  #released(entry: RestEntry): MaybePromise<void> {
    const { store, logger } = this.#task;
    if (entry.phase !== 'there') return;
    const isPart = ({ kind, savepoint, rest }: Manifest) =>
      kind === 'savepoint' && savepoint?.name === entry.name && rest?.createdAt === entry.createdAt;
    return attempt<void>(
      () =>
        andThen(store.manifests(), stored =>
          eachInOrder(
            stored.filter(({ manifest }) => isPart(manifest)),
            ({ manifest }) => store.putNote(releaseNote(manifest), ''),
          ),
        ),
      error => logger.warn({ error: messageOf(error) }, 'the part of a savepoint could not be given up'),
    );
  }

  #leave(work: MaybePromise<void>): void {
    if (isPromise(work)) void work.then(undefined, () => {});
  }
}
