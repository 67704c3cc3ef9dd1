import { describe, expect, it } from 'vitest';
import { memorySink } from '../../connectors/memory/index.ts';
import {
  from,
  type JobSettings,
  type JobStatus,
  job,
  memoryStore,
  type Source,
  StoreRefusedError,
  start,
  tokens,
} from '../../lib/index.ts';
import { MarbleSource } from '../../lib/testing/index.ts';
import { scan, to } from '../../operators/index.ts';
import { quiet } from './quiet.ts';
import { VirtualTime } from './virtual-time.ts';

type Item = { readonly fails?: unknown } | number;

/** A job of numbers that fails at each item that says so, unless it has `mended` it; it counts what its sink shows. */
function failing(restart: JobSettings['restart'], settings: JobSettings = {}) {
  const time = new VirtualTime();
  const source = new MarbleSource('items');
  const sink = memorySink<number>();
  const begun: number[] = [];
  const handle = start(
    job('failing', () => {
      begun.push(time.now);
      return from(source as Source<Item>).pipe(
        scan(
          'sum',
          (sum: number, item: Item) => {
            if (typeof item === 'number') return sum + item;
            const { fails } = item;
            if (fails) throw fails;
            return sum;
          },
          0,
        ),
        to(sink),
      );
    }),
    {
      restart,
      store: memoryStore(),
      logger: quiet,
      scheduler: time.scheduler,
      checkpoint: { interval: 'off' },
      ...settings,
    },
  );
  const phases: [at: number, phase: string, attempt: number][] = [];
  let last: JobStatus | undefined;
  handle.status$.subscribe(status => {
    if (status.phase !== last?.phase) phases.push([time.now, status.phase, status.attempt]);
    last = status;
  });
  return {
    time,
    sink,
    handle,
    phases,
    /** When the task was begun. */
    begun,
    push: (...items: Item[]) => {
      for (const value of items) source.push({ kind: 'value', value });
    },
    end: () => source.push({ kind: 'complete' }),
  };
}

/** Fails so often, then no more: a fault that passes. */
function passing(failures: number): Item {
  let left = failures;
  return {
    get fails() {
      return left-- > 0 ? new Error(`${left} more`) : undefined;
    },
  };
}
const lasting: Item = { fails: new Error('for good') };

describe('a job that fails', () => {
  it('comes back from its last checkpoint and goes on, with nothing lost and nothing twice', async () => {
    const { time, sink, handle, push, end, phases } = failing({ strategy: 'fixed-delay', attempts: 1, delay: '1s' });
    push(1, 2);
    handle.checkpoint();
    push(3, passing(1), 4);
    time.advance(999);
    expect(handle.status).toMatchObject({ phase: 'restarting', attempt: 1, error: { code: 'USER_CODE' } });
    time.advance(1);
    expect(handle.status).toMatchObject({ phase: 'running', attempt: 2, restoredFrom: { id: 1 } });
    expect(handle.status.error).toBeUndefined();
    end();
    await expect(handle.done).resolves.toBe('finished');
    expect(sink.committed).toEqual([1, 3, 6, 6, 10]);
    expect(phases).toEqual([
      [0, 'running', 1],
      [0, 'restarting', 1],
      [1_000, 'recovering', 2],
      [1_000, 'running', 2],
      [1_000, 'finished', 2],
    ]);
  });

  it('with the strategy none is not restarted, and says why', async () => {
    const { handle, push, phases } = failing({ strategy: 'none' });
    push(1, lasting);
    await expect(handle.done).rejects.toMatchObject({
      code: 'USER_CODE',
      message: expect.stringMatching(/"sum" threw in receive: for good/),
    });
    expect(handle.status).toMatchObject({ phase: 'failed', attempt: 1, error: { code: 'USER_CODE' } });
    expect(phases.map(([, phase]) => phase)).toEqual(['running', 'failed']);
  });

  it('with a fixed delay is restarted so often, over its whole life', async () => {
    const { time, handle, push, begun } = failing({ strategy: 'fixed-delay', attempts: 3, delay: 50 });
    push(lasting);
    time.advance(10_000);
    await expect(handle.done).rejects.toThrow(/for good/);
    expect(begun).toEqual([0, 50, 100, 150]);
    expect(handle.status).toMatchObject({ phase: 'failed', attempt: 4 });
  });

  it('with an exponential delay waits longer each time, up to the longest', async () => {
    const exponential = {
      strategy: 'exponential',
      initialDelay: 100,
      maxDelay: 500,
      multiplier: 2,
      jitter: 0,
    } as const;
    const { time, handle, push, begun } = failing(exponential);
    push(lasting);
    time.advance(2_000);
    expect(begun).toEqual([0, 100, 300, 700, 1_200, 1_700]);
    await handle.cancel();
    time.advance(10_000);
    expect(begun).toHaveLength(6);
  });

  it('with an exponential delay begins anew after it has run for long enough', () => {
    const exponential = { initialDelay: 100, multiplier: 10, jitter: 0, resetAfter: 5_000 } as const;
    const { time, push, begun } = failing(exponential);
    push(passing(2));
    time.advance(1_100);
    expect(begun).toEqual([0, 100, 1_100]);
    time.advance(5_000);
    push(passing(1));
    time.advance(200);
    expect(begun).toEqual([0, 100, 1_100, 6_200]);
  });

  it('takes the jitter from the random numbers that it was given', () => {
    const exponential = { initialDelay: 1_000, jitter: 0.5 } as const;
    const overrides: JobSettings['overrides'] = container => {
      container.registerInstance(tokens.RANDOM, () => 0);
    };
    const { time, push, begun } = failing(exponential, { overrides });
    push(lasting);
    time.advance(1_500);
    expect(begun).toEqual([0, 500, 1_500]);
  });

  it('with a failure rate is restarted while failures are rare enough', async () => {
    const rate = { strategy: 'failure-rate', maxFailures: 2, per: 1_000, delay: 10 } as const;
    const { time, handle, push, begun } = failing(rate);
    push(passing(2));
    time.advance(2_000);
    expect(handle.status).toMatchObject({ phase: 'running', attempt: 3 });
    push(lasting);
    time.advance(2_000);
    await expect(handle.done).rejects.toThrow(/for good/);
    expect(begun).toEqual([0, 10, 20, 2_010, 2_020]);
  });

  it('for a reason that says of itself that it does not pass is never restarted', async () => {
    const { time, handle, push, begun } = failing({ strategy: 'fixed-delay', attempts: 9, delay: 0 });
    push({ fails: new StoreRefusedError('read only') });
    time.advance(1_000);
    await expect(handle.done).rejects.toMatchObject({ code: 'STORE_REFUSED' });
    expect(begun).toEqual([0]);
  });

  it('because its function threw at a restart fails with that', async () => {
    const time = new VirtualTime();
    const source = new MarbleSource('items');
    let builds = 0;
    const handle = start(
      job('moody', () => {
        if (++builds > 1) throw new RangeError('not again');
        return from(source);
      }),
      {
        restart: { strategy: 'fixed-delay', attempts: 5, delay: 10 },
        store: memoryStore(),
        logger: quiet,
        scheduler: time.scheduler,
      },
    );
    source.push({ kind: 'error', error: new Error('input') });
    time.advance(1_000);
    await expect(handle.done).rejects.toMatchObject({
      code: 'JOB_DEFINITION',
      message: expect.stringMatching(/not again/),
    });
    expect(builds).toBe(2);
  });

  it('counts its restarts, and what it read in each of them', async () => {
    const { time, handle, push, end } = failing({ strategy: 'fixed-delay', attempts: 2, delay: 10 });
    push(1, 2, passing(2));
    time.advance(100);
    end();
    await handle.done;
    const text = await handle.registry.metrics();
    expect(text).toMatch(/^tidemark_restarts_total\{job_name="failing",task="main"\} 2$/m);
    expect(text).toMatch(/^tidemark_source_records_total\{.*source="items"\} 9$/m);
    expect(handle.status.records).toEqual({ in: 3, out: 3 });
  });
});
