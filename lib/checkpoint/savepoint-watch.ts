import { messageOf } from '../errors.ts';
import type { CheckpointEvent } from '../job/handle.ts';
import { andThen, attempt, eachInOrder, isPromise, type MaybePromise } from '../maybe-promise.ts';
import type { Logger } from '../observe/logger.ts';
import { type NotesRead, readNotes, refusalText, requestNotes, type SavepointRequest } from './savepoint-notes.ts';
import type { TaskStore } from './snapshot-store.ts';

/** How a request was dealt with. */
export type RequestOutcome = Pick<CheckpointEvent, 'outcome' | 'reason'>;

export interface SavepointWatchServices {
  readonly store: TaskStore;
  readonly logger: Logger;
  /** ms between two looks. */
  readonly interval: number;
  /** Whether a savepoint of this name is there. */
  isTaken(name: string): boolean;
  /** Told at each look what the notes say, before any request is carried out. */
  looked?(notes: NotesRead): MaybePromise<void>;
  /** Takes the savepoint; answers a reason when it refuses at once. */
  take(request: SavepointRequest, over: (outcome: RequestOutcome) => void): string | undefined;
}

/**
 * Looks for requests for savepoints in the store of a running task and has them carried out, each once: a savepoint that is there
 * answers its request, whichever incarnation took it.
 */
export class SavepointWatch {
  private readonly services: SavepointWatchServices;
  private readonly seen = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(services: SavepointWatchServices) {
    this.services = services;
  }

  start(): void {
    if (this.isClosed) return;
    // Not on the scheduler of the task: in virtual time it would never let the time end.
    this.timer = setTimeout(() => this.look(), this.services.interval);
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
  }

  private look(): void {
    const looked = attempt<void>(
      () => andThen(this.services.store.notes(), notes => this.carryOut(readNotes(notes))),
      error => this.services.logger.debug({ error: messageOf(error) }, 'requests for savepoints could not be read'),
    );
    if (isPromise(looked)) void looked.then(() => this.start());
    else this.start();
  }

  private carryOut(notes: NotesRead): MaybePromise<void> {
    return andThen(this.isClosed ? undefined : this.services.looked?.(notes), () => this.carryOutRequests(notes));
  }

  private carryOutRequests({ requests, refused }: NotesRead): MaybePromise<void> {
    const { isTaken, store } = this.services;
    return eachInOrder(requests, request => {
      const { name, expiresAt } = request;
      if (this.isClosed) return;
      if (expiresAt < Date.now()) {
        return eachInOrder(Object.values(requestNotes(name)), note => store.removeNote(note));
      }
      if (this.seen.has(name) || refused.has(name) || isTaken(name)) return;
      this.seen.add(name);
      return andThen(store.putNote(requestNotes(name).accepted, ''), () => this.take(request));
    });
  }

  private take(request: SavepointRequest): void {
    if (this.isClosed) return;
    const { logger } = this.services;
    logger.info({ savepoint: request.name, end: request.end }, 'asked for a savepoint');
    const refusal = this.services.take(request, ({ outcome, reason }) => {
      if (outcome !== 'committed')
        this.refuse(request, `its checkpoint was abandoned: ${reason ?? 'no reason is known'}`);
    });
    if (refusal !== undefined) this.refuse(request, refusal);
  }

  private refuse({ name }: SavepointRequest, reason: string): void {
    const { store, logger } = this.services;
    logger.warn({ savepoint: name, reason }, 'no savepoint was taken');
    const failed = (error: unknown) =>
      logger.warn({ error: messageOf(error) }, 'the refusal could not be left in the store');
    // It may be asked for again, once this answer was taken away.
    const left = attempt<unknown>(
      () => andThen(store.putNote(requestNotes(name).refused, refusalText(reason)), () => void this.seen.delete(name)),
      failed,
    );
    if (isPromise(left)) void left.then(undefined, failed);
  }
}
