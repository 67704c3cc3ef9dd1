import { describe, expect, it } from 'vitest';
import { memorySource } from '../../connectors/memory/index.ts';
import {
  type CheckpointEvent,
  from,
  type JobSettings,
  job,
  memoryStore,
  type Source,
  side,
  start,
} from '../../lib/index.ts';
import { MarbleSource } from '../../lib/testing/index.ts';
import { to } from '../../operators/index.ts';
import { creditSink } from './credit-sink.ts';
import { quiet } from './quiet.ts';
import { VirtualTime } from './virtual-time.ts';

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

/** A job that writes 10 numbers to a sink which holds credits, of which there are 4. */
function creditJob({ checkpoint, ...settings }: JobSettings = {}) {
  const time = new VirtualTime();
  const sink = creditSink<number>();
  const handle = start(
    job('credits', () => from(memorySource(numbers(10))).pipe(to(sink))),
    {
      store: memoryStore(),
      logger: quiet,
      scheduler: time.scheduler,
      credits: { limit: 4 },
      checkpoint: { interval: 'off', ...checkpoint },
      ...settings,
    },
  );
  const checkpoints: [at: number, outcome: string][] = [];
  handle.checkpoints$.subscribe(({ outcome }: CheckpointEvent) => checkpoints.push([time.now, outcome]));
  return { time, sink, handle, checkpoints };
}

describe('credits', () => {
  it('pause the sources when all are held, and resume them when the checkpoint gives them back', () => {
    const { sink, handle } = creditJob();
    expect({ waiting: sink.waiting, source: handle.status.sources[0] }).toMatchObject({
      waiting: 4,
      source: { records: 4, isPaused: true },
    });
    handle.checkpoint();
    expect(sink.committed).toEqual([1, 2, 3, 4]);
    expect(handle.status.sources[0]).toMatchObject({ records: 8, isPaused: true });
    handle.checkpoint();
    expect(handle.status.sources[0]).toMatchObject({ records: 10, isFinished: true });
  });

  it('that are held for 100 ms ask for a checkpoint: without one by the clock the job would stand still for ever', async () => {
    const { time, sink, handle, checkpoints } = creditJob();
    time.advance(99);
    expect(sink.committed).toEqual([]);
    time.advance(1);
    expect(sink.committed).toEqual([1, 2, 3, 4]);
    time.advance(100);
    expect(sink.committed).toEqual(numbers(10));
    expect(checkpoints).toEqual([
      [100, 'committed'],
      [200, 'committed'],
      [200, 'committed'],
    ]);
    await expect(handle.done).resolves.toBe('finished');
  });

  it('ask for none when the clock is faster', () => {
    const { time, checkpoints } = creditJob({ checkpoint: { interval: 60 } });
    time.advance(60);
    expect(checkpoints).toEqual([[60, 'committed']]);
    time.advance(59);
    expect(checkpoints).toHaveLength(1);
    time.advance(1);
    expect(checkpoints.slice(1)).toEqual([
      [120, 'committed'],
      [120, 'committed'],
    ]);
  });

  it('ask less and less often while checkpoints do not help', async () => {
    const { time, sink, handle, checkpoints } = creditJob();
    sink.isStuck = true;
    time.advance(60_000);
    expect(checkpoints.map(([at]) => at)).toEqual([
      100, 300, 700, 1_500, 3_100, 6_300, 12_700, 22_700, 32_700, 42_700, 52_700,
    ]);
    await handle.cancel();
    time.advance(60_000);
    expect(checkpoints).toHaveLength(11);
  });

  it('do not keep a stop from its final checkpoint, and read on no more', async () => {
    const { sink, handle } = creditJob();
    await handle.stop();
    expect(sink.committed).toEqual([1, 2, 3, 4]);
    expect(handle.status).toMatchObject({ phase: 'stopped', sources: [{ records: 4 }] });
  });

  it('are held by committed output, which is so bounded, for as long as somebody reads it', async () => {
    const time = new VirtualTime();
    const source = new MarbleSource('numbers');
    const tag = side<number>('out');
    const handle = start(
      job('output', () => from(source as Source<number>).pipe(to(tag))),
      {
        store: memoryStore(),
        logger: quiet,
        scheduler: time.scheduler,
        credits: { limit: 3 },
        checkpoint: { interval: 'off' },
      },
    );
    const seen: [at: number, value: number][] = [];
    const reader = handle.output(tag, { committed: true }).subscribe(value => seen.push([time.now, value]));
    for (const value of numbers(7)) source.push({ kind: 'value', value });
    expect(handle.status.sources[0]).toMatchObject({ records: 3, isPaused: true });
    expect(await handle.registry.metrics()).toMatch(/^tidemark_credits_held\{.*holder="output:out"\} 3$/m);
    time.advance(100);
    expect(seen).toEqual([
      [100, 1],
      [100, 2],
      [100, 3],
    ]);
    expect(handle.status.sources[0]).toMatchObject({ records: 6, isPaused: true });
    reader.unsubscribe();
    time.advance(100);
    expect(handle.status.sources[0]).toMatchObject({ records: 7, isPaused: false });
    for (const value of numbers(100)) source.push({ kind: 'value', value });
    expect(handle.status.sources[0]).toMatchObject({ records: 107, isPaused: false });
    expect(seen).toHaveLength(3);
    await handle.cancel();
  });
});
