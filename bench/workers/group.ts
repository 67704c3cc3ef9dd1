import { setTimeout } from 'node:timers/promises';
import { AnsweringProcess } from '../harness/fresh-process.ts';
import type { Pause, TaskEvent, WorkerOptions, WorkerState } from './protocol.ts';

const script = new URL('./worker.ts', import.meta.url);
const patienceMs = 180_000;

/** A process of the job. */
export class Worker implements AsyncDisposable {
  readonly #process: AnsweringProcess;

  private constructor(process: AnsweringProcess) {
    this.#process = process;
  }

  /** Loaded, and not in the group before `begin`. */
  static async start(options: WorkerOptions, flags: readonly string[] = []): Promise<Worker> {
    return new Worker(await AnsweringProcess.start(script, [JSON.stringify(options)], flags));
  }

  begin = (): Promise<WorkerState> => this.#process.ask('begin');
  end = (): Promise<WorkerState> => this.#process.ask('end');
  state = (): Promise<WorkerState> => this.#process.ask('state');
  events = (): Promise<readonly TaskEvent[]> => this.#process.ask('events');
  pauses = (): Promise<readonly Pause[]> => this.#process.ask('pauses');
  kill = (signal: 'SIGKILL' | 'SIGTERM'): Promise<void> => this.#process.kill(signal);

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill('SIGKILL');
  }
}

/** Asks until it is so; throws after three minutes. */
export async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const before = performance.now();
  while (!(await isSo())) {
    if (performance.now() - before > patienceMs) throw new Error(`waited too long until ${what}`);
    await setTimeout(20);
  }
}

export const statesOf = (workers: readonly Worker[]): Promise<WorkerState[]> =>
  Promise.all(workers.map(worker => worker.state()));

/** Every task runs, and nobody has two more than another. */
export async function shared(workers: readonly Worker[], tasks: number): Promise<void> {
  await until('the tasks were shared', async () => {
    const loads = (await statesOf(workers)).map(({ running }) => running.length);
    return loads.reduce((sum, load) => sum + load, 0) === tasks && Math.max(...loads) - Math.min(...loads) <= 1;
  });
}

export const now = (): number => performance.timeOrigin + performance.now();
