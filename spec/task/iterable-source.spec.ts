import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { job as declareJob, from, memoryStore, start } from '../../lib/index.ts';
import { to } from '../../operators/index.ts';
import { settled } from '../checkpoint/coordinated.ts';
import { quiet } from '../job/quiet.ts';
import { type AnyStream, DrivenJob } from '../stream/driven-job.ts';
import { isPaused, sinkThat, slowed, slowSink } from './slow-sink.ts';

const boom = new Error('boom');

describe('from an async iterable', () => {
  /** Values that a test hands out one by one. */
  function handed() {
    const calls: string[] = [];
    let waiting: PromiseWithResolvers<IteratorResult<number>> | undefined;
    const iterable: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next() {
          calls.push('next');
          waiting = Promise.withResolvers();
          return waiting.promise;
        },
        async return() {
          calls.push('return');
          return { done: true, value: undefined };
        },
      }),
    };
    return {
      calls,
      iterable,
      async give(value: number): Promise<void> {
        waiting?.resolve({ done: false, value });
        await settled();
      },
      async end(): Promise<void> {
        waiting?.resolve({ done: true, value: undefined });
        await settled();
      },
      async fail(error: unknown): Promise<void> {
        waiting?.reject(error);
        await settled();
      },
    };
  }

  it('pulls one value after another, and passes its end', async () => {
    async function* values() {
      yield 1;
      yield 2;
    }
    const job = new DrivenJob(() => ({ output: from(values()) as AnyStream }));
    await expect(job.handle.done).resolves.toBe('finished');
    expect(job.values()).toEqual([1, 2]);
  });

  it('pulls nothing while the job is paused, and keeps the value that was on its way', async () => {
    const { iterable, calls, give } = handed();
    const { handle, written, finish } = slowed(iterable);
    await settled();
    await give(1);
    await give(2);
    expect([written, isPaused(handle), calls]).toEqual([[1, 2], true, ['next', 'next']]);
    finish();
    await settled();
    expect(calls).toEqual(['next', 'next', 'next']);
    // Paused again while the third is awaited.
    const stopped = handle.stop();
    await give(3);
    await stopped;
    expect(written).toEqual([1, 2]);
  });

  it('passes the value that was on its way when the job goes on', async () => {
    const { iterable, give } = handed();
    const other = new Subject<number>();
    const slow = slowSink();
    const handle = start(
      declareJob('slowed', () => [
        from(iterable).pipe(to(sinkThat(value => passed.push(value)))),
        from(other).pipe(to(slow.sink)),
      ]),
      { store: memoryStore(), logger: quiet, checkpoint: { interval: 'off' }, credits: { limit: 2 } },
    );
    const passed: unknown[] = [];
    await settled();
    other.next(1);
    other.next(2);
    expect(isPaused(handle)).toBe(true);
    await give(7);
    expect(passed).toEqual([]);
    slow.finish();
    await settled();
    expect(passed).toEqual([7]);
    await handle.cancel();
  });

  it('is closed when the job ends before it', async () => {
    const { iterable, calls, give } = handed();
    const job = new DrivenJob(() => ({ output: from(iterable) as AnyStream }));
    await settled();
    void job.handle.cancel();
    await give(1);
    expect(calls).toEqual(['next', 'return']);
    expect(job.values()).toEqual([]);
  });

  it('is not closed when it has ended, or failed, by itself', async () => {
    for (const how of ['end', 'fail'] as const) {
      const { iterable, calls, ...tell } = handed();
      const job = new DrivenJob(() => ({ output: from(iterable) as AnyStream }));
      await settled();
      await tell[how](boom as never);
      expect(job.phase).toBe(how === 'end' ? 'finished' : 'failed');
      expect(calls).toEqual(['next']);
    }
  });

  it('ends the job although its return throws, or never answers', async () => {
    const returns = [
      () => {
        throw boom;
      },
      () => new Promise<never>(() => {}),
    ];
    for (const close of returns) {
      const iterable: AsyncIterable<number> = {
        [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}), return: close }),
      };
      const job = new DrivenJob(() => ({ output: from(iterable) as AnyStream }));
      await settled();
      await job.handle.cancel();
      expect(job.phase).toBe('cancelled');
    }
  });

  it('fails the task with its error', async () => {
    const { iterable, fail } = handed();
    const job = new DrivenJob(() => ({ output: from(iterable, { name: 'pages' }) as AnyStream }));
    await settled();
    await fail(boom);
    expect(job.error?.message).toBe('The source "pages" failed: boom');
    expect(job.error?.cause).toBe(boom);
  });

  it('lets timers in while it has values at once', async () => {
    let pulled = 0;
    let isOver = false;
    async function* values() {
      while (!isOver && pulled < 1_000_000) yield pulled++;
    }
    const job = new DrivenJob(() => ({ output: from(values()) as AnyStream }));
    await new Promise<void>(resolve => setTimeout(resolve, 1));
    isOver = true;
    await job.handle.done;
    expect(pulled).toBeLessThan(1_000_000);
  });
});
