import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { memorySource } from '../../connectors/memory/index.ts';
import {
  type CheckpointEvent,
  from,
  type JobStatus,
  job,
  memoryStore,
  SettingsError,
  start,
  tokens,
} from '../../lib/index.ts';
import { FailingStore, storeOf } from '../checkpoint/failing-store.ts';
import { FedJob } from './fed-job.ts';
import { quiet } from './quiet.ts';

describe('status$', () => {
  it('tells the current status at once, each change of phase, and the end', async () => {
    const fed = new FedJob();
    fed.push(1, 2);
    const handle = fed.start();
    const told: (readonly [string, number])[] = [];
    let isComplete = false;
    handle.status$.subscribe({
      next: ({ phase, records }) => told.push([phase, records.in]),
      complete: () => {
        isComplete = true;
      },
    });
    expect(told).toEqual([['running', 2]]);
    fed.push(3);
    fed.end();
    await handle.done;
    expect(told.map(([phase]) => phase)).toEqual(['running', 'running', 'finished']);
    expect(told.at(-1)).toEqual(['finished', 3]);
    expect(isComplete).toBe(true);
  });

  it('tells the counters at the interval, and leaves no timer when nobody looks', () => {
    const fed = new FedJob();
    const handle = fed.start({ statusInterval: 250 });
    const told: (readonly [at: number, records: number])[] = [];
    const subscription = handle.status$.subscribe(({ records }) => told.push([fed.time.now, records.in]));
    fed.push(1);
    fed.time.advance(250);
    fed.push(1, 1);
    fed.time.advance(499);
    expect(told).toEqual([
      [0, 0],
      [250, 1],
      [500, 3],
    ]);
    subscription.unsubscribe();
    fed.time.advance(10_000);
    expect(told).toHaveLength(3);
    expect(fed.time.scheduler.actions).toHaveLength(0);
    void handle.cancel();
  });

  it('tells who comes after the end what the end was', async () => {
    const fed = new FedJob();
    fed.end();
    const handle = fed.start();
    await handle.done;
    const told: string[] = [];
    handle.status$.subscribe({ next: ({ phase }) => told.push(phase), complete: () => told.push('complete') });
    expect(told).toEqual(['finished', 'complete']);
  });

  it('shows sources, actors, records and the last checkpoint', () => {
    const fed = new FedJob();
    const handle = fed.start();
    fed.push(1, 2);
    handle.checkpoint();
    const status: JobStatus = handle.status;
    expect(status).toEqual({
      job: 'sums',
      task: 'main',
      phase: 'running',
      attempt: 1,
      records: { in: 2, out: 2 },
      sources: [{ name: 'numbers', kind: 'marbles', records: 2, isBounded: true, isPaused: false, isFinished: false }],
      actors: [{ name: 'sum', keys: 1 }],
      lastCheckpoint: {
        id: 1,
        outcome: 'committed',
        isFinal: false,
        durationMs: 0,
        stallMs: 0,
        bytes: expect.any(Number),
        entries: 1,
        at: expect.any(Number),
      },
    });
    void handle.cancel();
  });
});

describe('checkpoints$', () => {
  it('tells of each checkpoint how it ended, in order, and completes with the job', async () => {
    const fed = new FedJob();
    fed.store.plan('prepare', undefined, 'refuses');
    const handle = fed.start({ checkpoint: { interval: '1s', tolerableFailures: 1 } });
    const told: Partial<CheckpointEvent>[] = [];
    let isComplete = false;
    handle.checkpoints$.subscribe({
      next: ({ id, outcome, isFinal, entries, reason }) =>
        told.push({ id, outcome, isFinal, entries, ...(reason && { reason }) }),
      complete: () => {
        isComplete = true;
      },
    });
    fed.push(1);
    fed.time.advance(2_000); // the second finds nothing new
    fed.push(2);
    fed.time.advance(2_000);
    await handle.stop();
    expect(told).toEqual([
      { id: 1, outcome: 'committed', isFinal: false, entries: 1 },
      { id: 1, outcome: 'skipped', isFinal: false, entries: 0 },
      { id: 2, outcome: 'abandoned', isFinal: false, entries: 1, reason: 'prepare is refused for now' },
      { id: 3, outcome: 'committed', isFinal: false, entries: 1 },
      { id: 4, outcome: 'committed', isFinal: true, entries: 0 },
    ]);
    expect(isComplete).toBe(true);
  });
});

describe('metrics', () => {
  const named = (text: string): string[] =>
    [...text.matchAll(/^# TYPE (\S+ \S+)$/gm)].map(([, name]) => name as string);

  it('have these names, which dashboards rely on', async () => {
    const fed = new FedJob();
    const handle = fed.start();
    expect(named(await handle.registry.metrics()).sort()).toEqual([
      'tidemark_actor_keys gauge',
      'tidemark_barrier_stall_seconds histogram',
      'tidemark_checkpoint_duration_seconds histogram',
      'tidemark_checkpoint_entries histogram',
      'tidemark_checkpoint_size_bytes histogram',
      'tidemark_checkpoints_total counter',
      'tidemark_credits_held gauge',
      'tidemark_dead_letter_records_total counter',
      'tidemark_last_checkpoint_id gauge',
      'tidemark_last_checkpoint_timestamp_seconds gauge',
      'tidemark_restarts_total counter',
      'tidemark_side_output_dropped_records_total counter',
      'tidemark_sink_bytes_total counter',
      'tidemark_sink_records_total counter',
      'tidemark_source_bytes_total counter',
      'tidemark_source_failures_total counter',
      'tidemark_source_lag_records gauge',
      'tidemark_source_partition_records_total counter',
      'tidemark_source_position gauge',
      'tidemark_source_records_total counter',
      'tidemark_source_skipped_records_total counter',
      'tidemark_watermark_lag_seconds gauge',
    ]);
    await handle.cancel();
  });

  it('count what the job does', async () => {
    const fed = new FedJob();
    fed.store.plan('prepare', undefined, 'refuses');
    const handle = fed.start({ checkpoint: { tolerableFailures: 1 } });
    fed.push(1, 2, 3);
    handle.checkpoint();
    handle.checkpoint();
    const text = await handle.registry.metrics();
    for (const line of [
      'tidemark_source_records_total{job_name="sums",task="main",source="numbers"} 3',
      'tidemark_sink_records_total{job_name="sums",task="main",sink="memory"} 3',
      'tidemark_actor_keys{job_name="sums",task="main",actor="sum"} 1',
      'tidemark_checkpoints_total{job_name="sums",task="main",outcome="committed"} 1',
      'tidemark_checkpoints_total{job_name="sums",task="main",outcome="abandoned"} 1',
      'tidemark_last_checkpoint_id{job_name="sums",task="main"} 1',
      'tidemark_checkpoint_duration_seconds_count{job_name="sums",task="main"} 1',
      'tidemark_barrier_stall_seconds_count{job_name="sums",task="main"} 2',
      'tidemark_restarts_total{job_name="sums",task="main"} 0',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    await handle.cancel();
    expect(await handle.registry.metrics(), 'what was counted stays').toContain('source="numbers"} 3');
  });

  it('of several jobs may share a registry', async () => {
    const registry = new Registry();
    const overrides = (container: { registerInstance(token: typeof tokens.REGISTRY, value: Registry): unknown }) => {
      container.registerInstance(tokens.REGISTRY, registry);
    };
    const [first, second] = [new FedJob(), new FedJob()];
    first.push(1);
    second.push(1, 2);
    const handles = [first.start({ overrides, task: 'one' }), second.start({ overrides, task: 'two' })];
    expect(handles.map(handle => handle.registry === registry)).toEqual([true, true]);
    const text = await registry.metrics();
    expect(text).toContain('task="one",source="numbers"} 1');
    expect(text).toContain('task="two",source="numbers"} 2');
    for (const handle of handles) await handle.cancel();
  });

  it('are told as a text at the interval, for as long as the job runs', async () => {
    const fed = new FedJob();
    const handle = fed.start({ metricsInterval: '10s' });
    const told: string[] = [];
    const over = new Promise<void>(complete => handle.metrics$.subscribe({ next: text => told.push(text), complete }));
    await fed.settled();
    expect(told).toHaveLength(1);
    fed.push(1, 2);
    fed.time.advance(10_000);
    await fed.settled();
    expect(told).toHaveLength(2);
    expect(told[1]).toContain('source="numbers"} 2');
    await handle.stop();
    await over;
  });
});

describe('start', () => {
  it('takes the settings of the job, with those that it is given over them', async () => {
    const { time, source } = new FedJob();
    const declared = job('merged', () => from(source), {
      task: 'blue',
      checkpoint: { interval: 10, retained: 1 },
      restart: { strategy: 'none' },
    });
    const store = memoryStore();
    const handle = start(declared, {
      store,
      logger: quiet,
      scheduler: time.scheduler,
      task: 'green',
      checkpoint: { interval: 20 },
    });
    for (let i = 0; i < 3; i++) {
      source.push({ kind: 'value', value: i });
      time.advance(20);
    }
    expect(handle.status).toMatchObject({ task: 'green', lastCheckpoint: { id: 3 } });
    expect(store.task({ job: 'merged', task: 'green' }).manifests()).toHaveLength(1);
    source.push({ kind: 'error', error: new Error('no restart') });
    await expect(handle.done).rejects.toThrow('no restart');
  });

  it('names everything that is wrong with the settings, and starts nothing', () => {
    const fed = new FedJob();
    const wrong = () => fed.start({ task: 'no/path', checkpoint: { retained: 0 }, stopTimeout: 'soon' as never });
    expect(wrong).toThrow(SettingsError);
    expect(wrong).toThrow(/The settings of the job "sums" cannot be used:\n.*retained.*\n.*task.*\n.*stopTimeout/s);
    expect(fed.store.asked).toEqual([]);
  });

  it('names everything that is wrong with the parameters, and starts nothing', async () => {
    const limits = job('limits', ({ low, high }: { low: number; high: number }) => from(memorySource([low, high])), {
      schema: z.object({ low: z.coerce.number(), high: z.coerce.number() }),
      params: { low: '1' },
    });
    const store = new FailingStore(memoryStore().task({ job: 'limits', task: 'main' }));
    const begin = (params: Record<string, unknown>) => start(limits, { params, logger: quiet, store: storeOf(store) });
    expect(() => begin({ low: 'few', high: 'many' })).toThrow(
      /The parameters of the job "limits" .*\n.*low.*\n.*high/s,
    );
    expect(store.asked).toEqual([]);
    const handle = begin({ high: '2' });
    await expect(handle.done).resolves.toBe('finished');
    expect(handle.status.records.in).toBe(2);
  });

  it.each([
    ['nothing', undefined],
    ['the function of a job', () => {}],
    ['a module', { default: {} }],
  ])('refuses what is no job: %s', (_, what) => {
    expect(() => start(what as never)).toThrow(/^start\(\) takes a job, as job\(name, …\) makes it/);
  });
});
