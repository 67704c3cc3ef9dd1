import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { mergedMetrics } from '../../../lib/scale/workers/merged-metrics.ts';

async function textOf(value: number): Promise<string> {
  const registry = new Registry();
  const registers = [registry];
  new Counter({ registers, name: 'records_total', help: 'Records, "all" of them.', labelNames: ['task'] }).inc(
    { task: '0} 1' },
    value,
  );
  new Gauge({ registers, name: 'plain', help: 'Without labels.' }).set(value / 2);
  new Histogram({ registers, name: 'sizes', help: 'Sizes.', buckets: [1, 10] }).observe(value);
  return await registry.metrics();
}

describe('the metrics of several workers', () => {
  it('are one text: each metric once, each sample with its worker', async () => {
    const merged = mergedMetrics([
      { worker: 'w-1', text: await textOf(3) },
      { worker: 'w"2', text: await textOf(4) },
    ]);
    expect(merged).toBe(
      [
        '# HELP records_total Records, "all" of them.',
        '# TYPE records_total counter',
        'records_total{worker="w-1",task="0} 1"} 3',
        'records_total{worker="w\\"2",task="0} 1"} 4',
        '',
        '# HELP plain Without labels.',
        '# TYPE plain gauge',
        'plain{worker="w-1"} 1.5',
        'plain{worker="w\\"2"} 2',
        '',
        '# HELP sizes Sizes.',
        '# TYPE sizes histogram',
        ...['w-1', 'w\\"2'].flatMap((worker, i) => [
          `sizes_bucket{worker="${worker}",le="1"} 0`,
          `sizes_bucket{worker="${worker}",le="10"} 1`,
          `sizes_bucket{worker="${worker}",le="+Inf"} 1`,
          `sizes_sum{worker="${worker}"} ${3 + i}`,
          `sizes_count{worker="${worker}"} 1`,
        ]),
        '',
      ].join('\n'),
    );
  });

  it('are nothing of no worker', () => {
    expect(mergedMetrics([])).toBe('');
  });
});
