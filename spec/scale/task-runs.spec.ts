import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InternalError, type JobOutcome, type JobStatus } from '../../lib/index.ts';
import { type TaskRun, TaskRuns } from '../../lib/scale/task-runs.ts';
import { ManualScheduler } from '../contract/manual-scheduler.ts';

/** A run that ends when it is told to, and keeps the book of who runs. */
class FakeRun implements TaskRun {
  readonly done: Promise<JobOutcome>;
  readonly status = {} as JobStatus;
  readonly task: number;
  asked: 'stop' | 'cancel' | undefined;
  readonly #settle: PromiseWithResolvers<JobOutcome>;
  readonly #running: Map<number, FakeRun>;

  constructor(task: number, running: Map<number, FakeRun>) {
    this.task = task;
    this.#settle = Promise.withResolvers();
    this.done = this.#settle.promise;
    this.done.catch(() => {});
    this.#running = running;
    if (running.has(task)) throw new Error(`task ${task} runs twice`);
    running.set(task, this);
  }

  end(how: JobOutcome | Error): void {
    this.#running.delete(this.task);
    if (typeof how === 'string') this.#settle.resolve(how);
    else this.#settle.reject(how);
  }

  async stop(): Promise<void> {
    this.asked ??= 'stop';
    await this.done;
  }

  async cancel(): Promise<void> {
    this.asked = 'cancel';
    await this.done.catch(() => {});
  }

  checkpoint(): void {}
}

function taskRuns() {
  const running = new Map<number, FakeRun>();
  const ended: unknown[] = [];
  const scheduler = new ManualScheduler();
  const runs = new TaskRuns<FakeRun>(scheduler, {
    begin: task => new FakeRun(task, running),
    ended: (task, result) => void ended.push([task, 'outcome' in result ? result.outcome : result.error.code]),
    changed() {},
  });
  return { running, ended, scheduler, runs };
}

const settled = () => new Promise(resolve => setImmediate(resolve));

describe('the runs of the tasks of a process', () => {
  it('begin once, however often a task is assigned', () => {
    const { runs, running } = taskRuns();
    runs.start(1);
    runs.start(1);
    runs.start(0);
    expect(runs.tasks).toEqual([0, 1]);
    expect([...running.keys()].sort()).toEqual([0, 1]);
  });

  it('begin again only when the run before has ended', async () => {
    const { runs, running } = taskRuns();
    runs.start(0);
    const first = running.get(0);
    const stopped = runs.stop([0], { withinMs: 100 });
    runs.start(0);
    await settled();
    expect(running.get(0)).toBe(first);
    first?.end('stopped');
    await stopped;
    await settled();
    expect(running.get(0)).not.toBe(first);
    expect(runs.tasks).toEqual([0]);
  });

  it('do not begin at all when the task is given back before that', async () => {
    const { runs, running } = taskRuns();
    runs.start(0);
    const first = running.get(0);
    void runs.stop([0], { withinMs: 100 });
    runs.start(0);
    const stopped = runs.stop([0], { withinMs: 100 });
    first?.end('stopped');
    await stopped;
    await settled();
    expect(running.size).toBe(0);
    expect(runs.tasks).toEqual([]);
  });

  it('are cancelled when their last checkpoint takes too long', async () => {
    const { runs, running, scheduler } = taskRuns();
    runs.start(0);
    const run = running.get(0);
    const stopped = runs.stop([0], { withinMs: 100 });
    expect(run?.asked).toBe('stop');
    scheduler.advance(100);
    expect(run?.asked).toBe('cancel');
    run?.end('cancelled');
    await stopped;
  });

  it('tell how they ended by themselves, and not what they were asked for', async () => {
    const { runs, running, ended } = taskRuns();
    for (const task of [0, 1, 2]) runs.start(task);
    running.get(0)?.end('finished');
    running.get(1)?.end(new InternalError('broken'));
    const stopped = runs.stop([2], { withinMs: 100 });
    running.get(2)?.end(new InternalError('fenced on the way out'));
    await stopped;
    await settled();
    expect(ended).toEqual([
      [0, 'finished'],
      [1, 'INTERNAL'],
    ]);
    expect(runs.tasks).toEqual([]);
  });

  it('are what was asked for last, whatever the order of events, and never two of a task at once', async () => {
    const event = fc.record({ do: fc.constantFrom('start', 'stop', 'end'), task: fc.nat(2) });
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 30 }), async events => {
        const { runs, running } = taskRuns();
        const wanted = new Set<number>();
        for (const { do: what, task } of events) {
          if (what === 'start') {
            runs.start(task);
            wanted.add(task);
          } else if (what === 'stop') {
            void runs.stop([task], { withinMs: 100 });
            wanted.delete(task);
          } else if (running.get(task)?.asked) running.get(task)?.end('stopped');
          await settled();
        }
        while ([...running.values()].some(({ asked }) => asked)) {
          for (const run of [...running.values()]) if (run.asked) run.end('stopped');
          await settled();
        }
        expect([...running.keys()].sort()).toEqual([...wanted].sort());
        expect(runs.tasks).toEqual([...wanted].sort());
      }),
      { numRuns: 200 },
    );
  });
});
