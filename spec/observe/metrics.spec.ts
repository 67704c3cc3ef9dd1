import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import type { CheckpointEvent } from '../../lib/job/handle.ts';
import { createMetrics, type TaskTotals } from '../../lib/observe/metrics.ts';

const none: TaskTotals = { sources: [], sinks: [], actors: [], credits: new Map(), droppedSideOutputs: new Map() };
const ofTotals = { job: 'totals', task: 'main' };

/** The values of one metric: labels (but the job's and the task's) as text, then the value. */
async function values(registry: Registry, name: string): Promise<string[]> {
  const metric = (await registry.getMetricsAsJSON()).find(one => one.name === name);
  return (metric?.values ?? []).map(({ labels, value }) => {
    const { job_name, task, ...own } = labels as Record<string, string>;
    return [...Object.values(own), value].join(' ');
  });
}

const committed: CheckpointEvent = {
  id: 4,
  outcome: 'committed',
  isFinal: false,
  durationMs: 250,
  stallMs: 0.3,
  bytes: 1_000,
  entries: 7,
  at: 1_500,
};

describe('createMetrics', () => {
  it('reads the totals of the task when it is scraped, and only then', async () => {
    const registry = new Registry();
    let records = 10;
    let reads = 0;
    createMetrics(registry, ofTotals, () => {
      reads++;
      return { ...none, sources: [{ name: 'in', records, bytes: records * 8 }], sinks: [{ name: 'out', records: 3 }] };
    });
    expect(reads).toBe(0);
    expect(await values(registry, 'tidemark_source_records_total')).toEqual(['in 10']);
    records = 25;
    expect(await values(registry, 'tidemark_source_records_total')).toEqual(['in 25']);
    expect(await values(registry, 'tidemark_source_bytes_total')).toEqual(['in 200']);
    expect(await values(registry, 'tidemark_sink_records_total')).toEqual(['out 3']);
    expect(await values(registry, 'tidemark_sink_bytes_total')).toEqual([]);
  });

  it('shows position, lag and records of each partition of a source, and what it skipped by reason', async () => {
    const registry = new Registry();
    const metrics = createMetrics(registry, ofTotals);
    const totals = (records: number, skipped: Record<string, number>): TaskTotals => ({
      ...none,
      sources: [
        {
          name: 'in',
          records,
          measures: {
            partitions: [
              { name: 'flights-0', position: 120, lag: 30, records },
              { name: 'flights-1', position: 7, records: 0 },
            ],
            skipped,
            failures: { 'offset commit': 3 },
          },
        },
      ],
    });
    metrics.update(totals(20, { null: 1 }));
    metrics.update(totals(50, { null: 1, poison: 2 }));
    expect(await values(registry, 'tidemark_source_position')).toEqual(['in flights-0 120', 'in flights-1 7']);
    expect(await values(registry, 'tidemark_source_lag_records')).toEqual(['in flights-0 30']);
    expect(await values(registry, 'tidemark_source_partition_records_total')).toEqual([
      'in flights-0 50',
      'in flights-1 0',
    ]);
    expect(await values(registry, 'tidemark_source_skipped_records_total')).toEqual(['in null 1', 'in poison 2']);
    expect(await values(registry, 'tidemark_source_failures_total')).toEqual(['in offset commit 3']);
  });

  it('shows keys, credits, dead letters, dropped side outputs and watermark lag', async () => {
    const registry = new Registry();
    createMetrics(registry, ofTotals).update({
      sources: [
        { name: 'in', records: 1, watermarkLagMs: 2_500 },
        { name: 'idle', records: 0 },
      ],
      sinks: [],
      actors: [
        { name: 'count', keys: 12, deadLetters: 2 },
        { name: 'sum', keys: 3 },
      ],
      credits: new Map([['sink', 40]]),
      droppedSideOutputs: new Map([['late', 5]]),
    });
    expect(await values(registry, 'tidemark_actor_keys')).toEqual(['count 12', 'sum 3']);
    expect(await values(registry, 'tidemark_credits_held')).toEqual(['sink 40']);
    expect(await values(registry, 'tidemark_dead_letter_records_total')).toEqual(['count 2']);
    expect(await values(registry, 'tidemark_side_output_dropped_records_total')).toEqual(['late 5']);
    expect(await values(registry, 'tidemark_watermark_lag_seconds')).toEqual(['in 2.5']);
  });

  it('counts on over a restart, whose totals begin at 0', async () => {
    const registry = new Registry();
    const metrics = createMetrics(registry, ofTotals);
    const at = (records: number) => metrics.update({ ...none, sources: [{ name: 'in', records }] });
    at(10);
    metrics.restarted();
    at(12);
    at(15);
    expect(await values(registry, 'tidemark_source_records_total')).toEqual(['in 25']);
    expect(await values(registry, 'tidemark_restarts_total')).toEqual(['1']);
  });

  it('counts checkpoints by outcome and measures the committed ones', async () => {
    const registry = new Registry();
    const metrics = createMetrics(registry, ofTotals);
    metrics.checkpoint(committed);
    metrics.checkpoint({ ...committed, id: 5, outcome: 'abandoned', durationMs: 9_999 });
    metrics.checkpoint({ ...committed, id: 6, outcome: 'skipped', durationMs: 9_999 });
    expect(await values(registry, 'tidemark_checkpoints_total')).toEqual(['committed 1', 'abandoned 1', 'skipped 1']);
    expect(await values(registry, 'tidemark_last_checkpoint_id')).toEqual(['4']);
    expect(await values(registry, 'tidemark_last_checkpoint_timestamp_seconds')).toEqual(['1.5']);
    const text = await registry.metrics();
    expect(text).toContain('tidemark_checkpoint_duration_seconds_sum{job_name="totals",task="main"} 0.25');
    expect(text).toContain('tidemark_checkpoint_size_bytes_sum{job_name="totals",task="main"} 1000');
    expect(text).toContain('tidemark_checkpoint_entries_sum{job_name="totals",task="main"} 7');
    expect(text).toContain('tidemark_checkpoint_duration_seconds_count{job_name="totals",task="main"} 1');
  });

  it('puts the stall of a barrier into buckets around the promised 10 ms', async () => {
    const registry = new Registry();
    const metrics = createMetrics(registry, ofTotals);
    metrics.barrierStalled(0.7);
    metrics.barrierStalled(11);
    const text = await registry.metrics();
    const upTo = (le: string) => `tidemark_barrier_stall_seconds_bucket{le="${le}",job_name="totals",task="main"}`;
    expect(text).toContain(`${upTo('0.001')} 1`);
    expect(text).toContain(`${upTo('0.01')} 1`);
    expect(text).toContain(`${upTo('0.02')} 2`);
  });

  it('shares a registry between tasks, and stops reading one that was closed', async () => {
    const registry = new Registry();
    let records = 1;
    const first = createMetrics(registry, ofTotals, () => ({ ...none, sources: [{ name: 'in', records }] }));
    createMetrics(registry, { job: 'totals', task: 'second' }, () => ({
      ...none,
      sources: [{ name: 'in', records: 7 }],
    }));
    expect(await values(registry, 'tidemark_source_records_total')).toEqual(['in 1', 'in 7']);
    first.close();
    records = 100;
    expect(await values(registry, 'tidemark_source_records_total')).toEqual(['in 1', 'in 7']);
  });

  it('tells nothing of what a task is at once it has moved away, only what it counted; other tasks stay', async () => {
    const registry = new Registry();
    const totals: TaskTotals = {
      ...none,
      sources: [
        {
          name: 'in',
          records: 3,
          watermarkLagMs: 2_000,
          measures: { partitions: [{ name: 'in-0', position: 3, lag: 5, records: 3 }], skipped: {} },
        },
      ],
      actors: [{ name: 'counts', keys: 2 }],
      credits: new Map([['sink', 1]]),
    };
    const first = createMetrics(registry, ofTotals, () => totals);
    const second = createMetrics(registry, { job: 'totals', task: 'second' }, () => totals);
    for (const metrics of [first, second]) metrics.checkpoint(committed);
    const gauges = async (task: string) => {
      const all = (await registry.getMetricsAsJSON()).filter(({ type }) => String(type) === 'gauge');
      return all.filter(({ values }) => values.some(({ labels }) => labels.task === task)).map(({ name }) => name);
    };
    const names = await gauges('main');
    expect(names).toHaveLength(7);
    first.moveAway();
    expect(await gauges('main')).toEqual([]);
    expect(await gauges('second')).toEqual(names);
    expect(await values(registry, 'tidemark_source_records_total')).toEqual(['in 3', 'in 3']);
    expect(await values(registry, 'tidemark_checkpoints_total')).toEqual(['committed 1', 'committed 1']);
  });

  it('names metrics and labels as Prometheus wants them', async () => {
    const registry = new Registry();
    createMetrics(registry, ofTotals).checkpoint(committed);
    for (const { name, type, help } of await registry.getMetricsAsJSON()) {
      expect(name).toMatch(/^tidemark_[a-z_]+$/);
      expect(help).toMatch(/^[A-Z].*\.$/);
      expect(name.endsWith('_total'), name).toBe(String(type) === 'counter');
    }
    expect(await registry.metrics()).toContain('tidemark_restarts_total{job_name="totals",task="main"} 0');
  });
});
