import { Registry } from 'prom-client';
import { firstValueFrom } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { type JobStatus, type Logger, side } from '../../../lib/index.ts';
import { restartStrategy } from '../../../lib/job/restart-strategy.ts';
import { WorkerDiedError } from '../../../lib/scale/workers/errors.ts';
import type { WorkerEnd } from '../../../lib/scale/workers/supervision.ts';
import type { Worker, WorkerEvents } from '../../../lib/scale/workers/worker.ts';
import { closeGraceMs, WorkersRun } from '../../../lib/scale/workers/workers-run.ts';

const died = new WorkerDiedError('gone');

/** A worker that does what a spec tells it to, and notes what it is told. */
class FakeWorker implements Worker {
  readonly pid: number;
  readonly events: WorkerEvents;
  readonly calls: string[] = [];
  text: Promise<string> = Promise.resolve('');
  answers: ReadonlyMap<unknown, unknown> = new Map();

  constructor(pid: number, events: WorkerEvents) {
    this.pid = pid;
    this.events = events;
  }
  show(tasks: readonly string[], over: Partial<JobStatus> = {}): void {
    this.events.status({ ...statusOf(tasks), ...over }, 1_000 + this.pid);
  }
  end(end: WorkerEnd = { outcome: 'stopped' }): void {
    this.events.ended(end);
  }
  stop = (drain: boolean) => void this.calls.push(drain ? 'drain' : 'stop');
  cancel = () => void this.calls.push('cancel');
  kill = () => void this.calls.push('kill');
  checkpoint = () => void this.calls.push('checkpoint');
  metrics = () => this.text;
  ask = async (_actor: string, key: unknown) => this.answers.get(key);
}

function statusOf(names: readonly string[]): JobStatus {
  const one = (task: string): JobStatus => ({
    job: 'counts',
    task,
    phase: 'running',
    attempt: 1,
    records: { in: 10, out: 5 },
    sources: [{ name: 'log', kind: 'log', records: 10, isPaused: false, isFinished: false }],
    actors: [{ name: 'count', keys: 3 }],
  });
  return {
    ...one(''),
    tasks: names.map(one),
    taskCount: 3,
    records: { in: 10 * names.length, out: 5 * names.length },
    sources: names.length === 0 ? [] : one('').sources.map(source => ({ ...source, records: 10 * names.length })),
    actors: names.length === 0 ? [] : [{ name: 'count', keys: 3 * names.length }],
    phase: names.length === 0 ? 'standby' : 'running',
  };
}

function workers(count: number) {
  const scheduler = new TestScheduler(() => {});
  const started: FakeWorker[][] = Array.from({ length: count }, () => []);
  const lines: string[] = [];
  const logger = (prefix: string): Logger => {
    const at = (level: string) => (_: object, message: string) => void lines.push(`${level} ${prefix}${message}`);
    return {
      ...{ debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
      child: fields => logger(`${Object.values(fields)}: `),
    };
  };
  const run = new WorkersRun({
    job: 'counts',
    names: Array.from({ length: count }, (_, i) => `w-${i + 1}`),
    start: (index, events) => {
      const worker = new FakeWorker(100 * (index + 1) + (started[index]?.length ?? 0), events);
      started[index]?.push(worker);
      return worker;
    },
    strategy: restartStrategy({ strategy: 'fixed-delay', attempts: 2, delay: 500 }),
    stopTimeout: 3_000,
    statusInterval: 250,
    metricsInterval: 10_000,
    logger: logger(''),
    scheduler,
    clock: () => scheduler.now(),
  }).begin();
  const worker = (index: number) => started[index]?.at(-1) as FakeWorker;
  const advance = (ms: number) => {
    scheduler.maxFrames = scheduler.frame + ms;
    scheduler.flush();
    scheduler.frame = scheduler.maxFrames;
  };
  return { run, started, worker, advance, lines };
}

describe('a job that runs in workers', () => {
  it('has one status: their tasks, the sums, and what each of them is in', () => {
    const { run, worker } = workers(3);
    expect(run.status).toMatchObject({ phase: 'starting', records: { in: 0, out: 0 } });
    worker(0).show(['2', '0']);
    worker(1).show(['1']);
    expect(run.status.phase).toBe('starting');
    worker(2).show([]);
    const { tasks, workers: each, ...all } = run.status;
    expect(tasks?.map(({ task }) => task)).toEqual(['0', '1', '2']);
    expect(all).toEqual({
      job: 'counts',
      task: '',
      phase: 'running',
      attempt: 1,
      taskCount: 3,
      records: { in: 30, out: 15 },
      sources: [{ name: 'log', kind: 'log', records: 30, isPaused: false, isFinished: false }],
      actors: [{ name: 'count', keys: 9 }],
    });
    const same = { restarts: 0 };
    expect(each).toEqual([
      {
        ...same,
        name: 'w-1',
        phase: 'running',
        pid: 100,
        tasks: ['2', '0'],
        records: { in: 20, out: 10 },
        memoryBytes: 1_100,
      },
      {
        ...same,
        name: 'w-2',
        phase: 'running',
        pid: 200,
        tasks: ['1'],
        records: { in: 10, out: 5 },
        memoryBytes: 1_200,
      },
      { ...same, name: 'w-3', phase: 'standby', pid: 300, tasks: [], records: { in: 0, out: 0 }, memoryBytes: 1_300 },
    ]);
  });

  it('tells changes at once and counters at the interval', () => {
    const { run, worker, advance } = workers(1);
    const seen: number[] = [];
    run.status$.subscribe(({ records }) => seen.push(records.in));
    worker(0).show(['0']);
    for (let i = 1; i <= 3; i++) worker(0).show(['0'], { records: { in: 10 + i, out: 0 } });
    expect(seen).toEqual([0, 10]);
    advance(250);
    expect(seen).toEqual([0, 10, 13]);
  });

  it('starts a worker again after the delay of the restart strategy, and hears nothing more of the dead one', async () => {
    const { run, worker, started, advance, lines } = workers(2);
    worker(0).show(['0']);
    worker(1).show(['1']);
    const dead = worker(0);
    dead.end({ error: died });
    expect(run.status).toMatchObject({ phase: 'restarting', attempt: 1 });
    expect(run.status.workers?.[0]).toMatchObject({ phase: 'restarting', tasks: [] });
    expect(lines).toEqual(['warn the worker died and is started again']);
    advance(499);
    expect(started[0]).toHaveLength(1);
    advance(1);
    expect(started[0]).toHaveLength(2);
    dead.show(['7']);
    expect(run.status.tasks?.map(({ task }) => task)).toEqual(['1']);
    worker(0).show(['0']);
    expect(run.status).toMatchObject({ phase: 'running', attempt: 2 });
    expect(await run.registry.metrics()).toContain('tidemark_worker_restarts_total{job_name="counts",worker="w-1"} 1');
  });

  it('stops all when one dies once more than the strategy bears, and rejects with that', async () => {
    const { run, worker, advance } = workers(2);
    for (let i = 0; i < 3; i++) {
      expect(worker(1).calls).toEqual([]);
      worker(0).end({ error: died });
      advance(500);
    }
    expect(worker(1).calls).toEqual(['stop']);
    expect(run.status).toMatchObject({ phase: 'stopping', error: died });
    worker(1).end();
    await expect(run.done).rejects.toBe(died);
    expect(run.status.phase).toBe('failed');
  });

  it('stops all on request, and kills one that takes longer than the job may and closing does', async () => {
    const { run, worker, advance, lines } = workers(2);
    const stopped = run.stop({ drain: true });
    expect([worker(0).calls, worker(1).calls]).toEqual([['drain'], ['drain']]);
    worker(0).end();
    advance(3_000 + closeGraceMs - 1);
    expect(worker(1).calls).toEqual(['drain']);
    advance(1);
    expect(worker(1).calls).toEqual(['drain', 'kill']);
    expect(lines).toEqual(['warn the worker is killed']);
    worker(1).end({ error: died });
    await expect(stopped).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringMatching(/Worker 2 did not stop/),
    });
  });

  it('ends as all of its workers have, and tells it to who comes later', async () => {
    const { run, worker } = workers(2);
    const phases: string[] = [];
    run.status$.subscribe({ next: ({ phase }) => phases.push(phase), complete: () => phases.push('complete') });
    worker(0).end({ outcome: 'finished' });
    worker(1).end({ outcome: 'finished' });
    expect(await run.done).toBe('finished');
    expect(phases.slice(-2)).toEqual(['finished', 'complete']);
    await run.stop();
    expect(run.status.phase).toBe('finished');
  });

  it('kills all at once', async () => {
    const { run, worker } = workers(2);
    void run.stop().catch(() => {});
    run.kill();
    expect([worker(0).calls, worker(1).calls]).toEqual([
      ['stop', 'kill'],
      ['stop', 'kill'],
    ]);
  });

  it('says which worker a line and a checkpoint are from, asks each for a state, and passes checkpoints on', async () => {
    const { run, worker, lines } = workers(2);
    const seen: unknown[] = [];
    run.checkpoints$.subscribe(({ id, task, worker }) => seen.push([id, task, worker]));
    worker(1).events.log({ level: 'info', fields: {}, message: 'hello' });
    worker(1).events.checkpoint({
      ...{ id: 4, task: '1', outcome: 'committed', isFinal: false, durationMs: 1, stallMs: 0 },
      ...{ bytes: 1, entries: 1, at: 0 },
    });
    expect(lines).toEqual(['info w-2: hello']);
    expect(seen).toEqual([[4, '1', 'w-2']]);
    await expect(run.ask('count', 'k')).rejects.toMatchObject({ code: 'NOT_RUNNING' });
    worker(0).show(['0']);
    worker(1).show(['1']);
    worker(1).answers = new Map([['k', { count: 3 }]]);
    expect(await run.ask('count', 'k')).toEqual({ count: 3 });
    expect(await run.ask('count', 'other')).toBeUndefined();
    run.checkpoint();
    expect(worker(0).calls).toEqual(['checkpoint']);
  });

  it('refuses what only a process that has the tasks can give, and says what to do', async () => {
    const { run } = workers(2);
    const read = firstValueFrom(run.output(side<string>('alerts')));
    await expect(read).rejects.toMatchObject({ code: 'NOT_RUNNING', context: { job: 'counts', output: 'alerts' } });
    await expect(read).rejects.toThrow(/the output "alerts" is in their processes: give it to a sink inside the job/);
    await expect(run.savepoint()).rejects.toMatchObject({ code: 'NOT_RUNNING' });
    await expect(run.savepoint()).rejects.toThrow('createSavepoint(store, "counts")');
  });

  it('has the metrics of all workers that answer, in one registry', async () => {
    const { run, worker } = workers(3);
    worker(0).text = Promise.resolve('# TYPE a gauge\na{task="0"} 1\n');
    worker(1).text = Promise.reject(new Error('busy'));
    worker(2).end({ error: died });
    const text = await run.registry.metrics();
    expect(text).toContain('a{worker="w-1",task="0"} 1');
    expect(text).toContain('tidemark_worker_up{job_name="counts",worker="w-2"} 1');
    expect(text).toContain('tidemark_worker_up{job_name="counts",worker="w-3"} 0');
    expect(run.registry.contentType).toBe(new Registry().contentType);
  });
});
