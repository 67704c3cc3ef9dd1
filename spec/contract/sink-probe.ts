import { asyncScheduler } from 'rxjs';
import type { Json, Sink, SinkContext, SinkWriter } from '../../lib/index.ts';
import { SharedServices } from '../../lib/task/shared-services.ts';
import { keptLog, type LoggedLine, stored } from './source-probe.ts';

/** What a commit point named: enough to recover from. */
export interface Committed {
  readonly id: number;
  readonly token: number;
  readonly handle: Json;
}

/** Stands where one incarnation of a task stands for one opened sink. */
export class SinkProbe<T> {
  readonly token: number;
  readonly log: LoggedLine[] = [];
  readonly errors: unknown[] = [];
  /** Credits that the sink holds. */
  held = 0;
  /** Whether it says that it holds as much as it should. */
  isFull = false;
  #writer: SinkWriter<T> | undefined;
  #whenReleased: (() => void)[] = [];
  readonly #shared = new SharedServices(asyncScheduler, keptLog(this.log));

  private constructor(token: number) {
    this.token = token;
  }

  /** Opens the sink under a fence token and restores it. */
  static async open<T>(sink: Sink<T>, token: number, from?: Committed): Promise<SinkProbe<T>> {
    const probe = new SinkProbe<T>(token);
    probe.#writer = await sink.open(probe.#context());
    await probe.writer.restore(from && { ...from, handle: stored(from.handle) });
    return probe;
  }

  get writer(): SinkWriter<T> {
    if (!this.#writer) throw new Error('the sink is not open yet');
    return this.#writer;
  }

  write(...values: readonly T[]): void {
    for (const value of values) this.writer.write(value, Number.NaN, undefined);
  }

  /** Barrier and flush: what a manifest then holds. */
  async prepare(id: number): Promise<Committed> {
    this.writer.barrier(id);
    return { id, token: this.token, handle: stored(await this.writer.flush(id)) };
  }

  async commit({ id, handle }: Committed): Promise<void> {
    await this.writer.commit(id, stored(handle));
  }

  /** Resolves once the sink holds no credit. */
  async untilReleased(): Promise<void> {
    while (this.held > 0) await new Promise<void>(resolve => this.#whenReleased.push(resolve));
  }

  /** A whole checkpoint. */
  async checkpoint(id: number): Promise<Committed> {
    const prepared = await this.prepare(id);
    await this.commit(prepared);
    return prepared;
  }

  async close(): Promise<void> {
    await this.writer.close();
    await this.#shared.close();
  }

  #context(): SinkContext {
    return {
      job: 'job',
      task: 'main',
      token: this.token,
      logger: keptLog(this.log),
      scheduler: asyncScheduler,
      credits: {
        acquire: count => {
          this.held += count;
        },
        release: count => {
          this.held -= count;
          if (this.held < 0) this.errors.push(new Error(`${-this.held} credits too many were released`));
          for (const tell of this.#whenReleased.splice(0)) tell();
        },
        full: isFull => {
          this.isFull = isFull;
        },
      },
      shared: this.#shared.of,
      error: error => this.errors.push(error),
    };
  }
}
