import type { SnapshotStore } from '../../lib/checkpoint/snapshot-store.ts';
import type { JobHandle } from '../../lib/job/handle.ts';
import type { Job } from '../../lib/job/job.ts';
import type { JobSettings } from '../../lib/job/settings.ts';
import { attempt, type MaybePromise } from '../../lib/maybe-promise.ts';
import { plainError } from '../../lib/scale/workers/errors.ts';
import { lineLogger } from './line-logger.ts';
import type { FromWorker, ToWorker, WorkerOrder } from './messages.ts';
import { Outbox, type OutboxTimers } from './outbox.ts';

/** What a worker touches; specs put their own in its place. */
export interface WorkerWorld {
  loadJob(module: string, cwd: string): Promise<Job>;
  start(job: Job, settings: JobSettings): MaybePromise<JobHandle>;
  openStore(where: string): MaybePromise<SnapshotStore>;
  send(message: FromWorker): void;
  readonly timers: OutboxTimers;
  memoryBytes(): number;
}

/** Runs a job as its parent says: begins, stops, answers. */
export class WorkerProgram {
  /** Resolves when it has said its last word. Never rejects. */
  readonly ended: Promise<void>;
  /** How long it may take to end when its parent is gone; set once it has an order. */
  endWithinMs = 0;
  readonly #world: WorkerWorld;
  readonly #outbox: Outbox;
  readonly #end: PromiseWithResolvers<void> = Promise.withResolvers();
  #handle: JobHandle | undefined;
  #stopRequest: 'stop' | 'drain' | 'cancel' | undefined;

  constructor(world: WorkerWorld) {
    this.#world = world;
    this.#outbox = new Outbox(
      message => world.send(message),
      world.timers,
      () => world.memoryBytes(),
    );
    this.ended = this.#end.promise;
  }

  told(message: ToWorker): void {
    switch (message.do) {
      case 'begin':
        this.endWithinMs = message.order.endWithinMs;
        void this.#run(message.order).then(() => this.#end.resolve());
        break;
      case 'stop':
        this.stop(message.drain ? 'drain' : 'stop');
        break;
      case 'cancel':
        this.stop('cancel');
        break;
      case 'checkpoint':
        this.#handle?.checkpoint();
        break;
      case 'metrics':
        this.#answer(message.id, async () => (await this.#handle?.registry.metrics()) ?? '');
        break;
      case 'ask':
        this.#answer(message.id, () => this.#handle?.ask(message.actor, message.key));
    }
  }

  /** Final checkpoints, then the end; also when the parent is gone, or somebody sent this process a signal. */
  stop(how: 'stop' | 'drain' | 'cancel' = 'stop'): void {
    if (this.#stopRequest === 'cancel' || (this.#stopRequest && how !== 'cancel')) return;
    this.#stopRequest = how;
    this.#passOnStop();
  }

  #passOnStop(): void {
    const handle = this.#handle;
    if (!handle || !this.#stopRequest) return;
    const ending =
      this.#stopRequest === 'cancel' ? handle.cancel() : handle.stop({ drain: this.#stopRequest === 'drain' });
    ending.catch(() => {}); // `done` tells
  }

  async #run(order: WorkerOrder): Promise<void> {
    const { module, cwd, store: where, settings, log } = order;
    const logger = lineLogger(log, line => this.#outbox.line(line));
    let store: SnapshotStore | undefined;
    let last: FromWorker;
    try {
      const job = await this.#world.loadJob(module, cwd);
      store = where === undefined ? undefined : await this.#world.openStore(where);
      const handle = await this.#world.start(job, { ...settings, logger, ...(store ? { store } : {}) });
      this.#handle = handle;
      handle.status$.subscribe(status => this.#outbox.status(status));
      handle.checkpoints$.subscribe(event => this.#outbox.checkpoint(event));
      this.#passOnStop();
      last = { is: 'ended', outcome: await handle.done };
    } catch (error) {
      last = { is: 'ended', error: plainError(error), isDecided: this.#handle !== undefined };
    }
    await attempt<void>(
      () => store?.close(),
      error => logger.warn({ error }, 'closing the store failed'),
    );
    this.#outbox.flush();
    this.#world.send(last);
  }

  #answer(id: number, give: () => unknown): void {
    const answer = async () => this.#world.send({ is: 'answer', id, value: await give() });
    answer().catch(error => this.#world.send({ is: 'answer', id, error: plainError(error) }));
  }
}
