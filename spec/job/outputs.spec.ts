import { config, map, take } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type DataStream, type JobHandle, type JobSettings, side } from '../../lib/index.ts';
import { scan, to } from '../../operators/index.ts';
import { FedJob } from './fed-job.ts';

const sums = side<number>('sums');

/** A job whose sums go to the tag, and to a sink behind it. */
function output(settings: JobSettings = {}) {
  const fed = new FedJob();
  const handle = fed.start(settings, undefined, (input: DataStream<number>) =>
    input.pipe(
      scan('sum', (sum: number, value: number) => sum + value, 0),
      to(sums),
      to(fed.sink),
    ),
  );
  return { fed, handle };
}

/** What a reader was told, `'|'` for the end. */
function reading(handle: JobHandle, committed: boolean, tag = sums): unknown[] {
  const told: unknown[] = [];
  handle.output(tag, { committed }).subscribe({ next: value => told.push(value), complete: () => told.push('|') });
  return told;
}

afterEach(() => {
  config.onUnhandledError = null;
});

describe('an output', () => {
  it('tells values as they pass, and committed ones behind the checkpoint that covers them, in order', async () => {
    const { fed, handle } = output();
    const [live, committed] = [reading(handle, false), reading(handle, true)];
    fed.push(1, 2);
    expect([live, committed]).toEqual([[1, 3], []]);
    handle.checkpoint();
    fed.push(3);
    expect([live, committed]).toEqual([
      [1, 3, 6],
      [1, 3],
    ]);
    fed.end();
    await handle.done;
    expect([live, committed]).toEqual([
      [1, 3, 6, '|'],
      [1, 3, 6, '|'],
    ]);
  });

  it('tells live of a value once more when it is handled again, and committed once', async () => {
    const { fed, handle } = output({ restart: { strategy: 'fixed-delay', attempts: 1, delay: 10 } });
    const [live, committed] = [reading(handle, false), reading(handle, true)];
    fed.push(1);
    handle.checkpoint();
    fed.store.plan('prepare', 'refuses');
    fed.push(2);
    handle.checkpoint();
    expect(handle.status.phase).toBe('restarting');
    fed.time.advance(10);
    fed.end();
    await handle.done;
    expect(live).toEqual([1, 3, 3, '|']);
    expect(committed).toEqual([1, 3, '|']);
  });

  it('keeps what an abandoned checkpoint would have told for the next one', () => {
    const { fed, handle } = output({ checkpoint: { tolerableFailures: 1 } });
    fed.store.plan('prepare', 'refuses');
    const committed = reading(handle, true);
    fed.push(1);
    handle.checkpoint();
    fed.push(2);
    expect(committed).toEqual([]);
    handle.checkpoint();
    expect(committed).toEqual([1, 3]);
    void handle.cancel();
  });

  it('completes its readers however the job ends, also those that come later', async () => {
    for (const end of ['finish', 'stop', 'cancel', 'fail'] as const) {
      const { fed, handle } = output();
      const told = [
        reading(handle, false),
        reading(handle, true),
        reading(handle, false, side<number>('nobody writes')),
      ];
      if (end === 'finish') fed.end();
      else if (end === 'fail') fed.source.push({ kind: 'error', error: new Error('broken') });
      else await handle[end]();
      await handle.done.catch(() => {});
      told.push(reading(handle, false), reading(handle, true));
      expect(told, end).toEqual([['|'], ['|'], ['|'], ['|'], ['|']]);
    }
  });

  it('is no concern of the job: a reader may leave, throw, or fail, and misses only its own', async () => {
    const reported: unknown[] = [];
    config.onUnhandledError = error => reported.push(error);
    const { fed, handle } = output();
    const leaving: number[] = [];
    handle
      .output(sums)
      .pipe(take(1))
      .subscribe(value => leaving.push(value));
    const throwing = vi.fn((_: number) => {
      throw new Error('the reader threw');
    });
    handle.output(sums).subscribe(throwing);
    handle.output(sums, { committed: true }).subscribe(throwing);
    const failed: unknown[] = [];
    handle
      .output(sums)
      .pipe(
        map(value => {
          if (value === 3) throw new Error('its operator threw');
          return value;
        }),
      )
      .subscribe({ next: value => failed.push(value), error: error => failed.push(error) });
    const told = [reading(handle, false), reading(handle, true)];
    fed.push(1, 2, 3);
    handle.checkpoint();
    fed.end();
    await expect(handle.done).resolves.toBe('finished');
    expect(fed.sink.committed).toEqual([1, 3, 6]);
    expect(told).toEqual([
      [1, 3, 6, '|'],
      [1, 3, 6, '|'],
    ]);
    expect(leaving).toEqual([1]);
    expect(failed).toEqual([1, new Error('its operator threw')]);
    expect(throwing).toHaveBeenCalledTimes(6);
    await new Promise(resolve => setTimeout(resolve)); // behind what RxJS has put off
    expect(reported).toHaveLength(6);
  });

  it('that nobody reads is dropped and counted, and holds no credits', async () => {
    const { fed, handle } = output({ credits: { limit: 2 } });
    fed.push(1, 2, 3, 4);
    expect(handle.status.sources[0]).toMatchObject({ records: 4, isPaused: false });
    expect(await handle.registry.metrics()).toContain('output="sums"} 4');
    const live = reading(handle, false);
    fed.push(5);
    expect(live).toEqual([15]);
    expect(await handle.registry.metrics()).toContain('output="sums"} 4');
    await handle.cancel();
    const other = output();
    reading(other.handle, true);
    other.fed.push(1);
    expect(await other.handle.registry.metrics()).not.toContain('output="sums"');
    await other.handle.cancel();
  });

  it('tells a reader that comes later what comes from then on', () => {
    const { fed, handle } = output();
    fed.push(1);
    const told = [reading(handle, false), reading(handle, true)];
    fed.push(2);
    handle.checkpoint();
    expect(told).toEqual([[3], [3]]);
    void handle.cancel();
  });

  it('may make its reader stop or cancel the job', async () => {
    const { fed, handle } = output();
    handle.output(sums).subscribe(value => {
      if (value === 3) void handle.stop();
    });
    const committed = reading(handle, true);
    fed.push(1, 2);
    await expect(handle.done).resolves.toBe('stopped');
    expect(committed).toEqual([1, 3, '|']);
    const other = output();
    other.handle.output(sums).subscribe(() => void other.handle.cancel());
    other.fed.push(1, 2);
    await expect(other.handle.done).resolves.toBe('cancelled');
    expect(other.fed.sink.written).toEqual([]);
  });
});
