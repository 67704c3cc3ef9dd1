import { BehaviorSubject, catchError, map, merge, Observable, of, range, Subject, tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  job as declareJob,
  ExternalError,
  from,
  JobDefinitionError,
  type Logger,
  memoryStore,
  start,
  UserCodeError,
} from '../../lib/index.ts';
import { MarbleSource } from '../../lib/testing/index.ts';
import { scan, to } from '../../operators/index.ts';
import { settled } from '../checkpoint/coordinated.ts';
import { quiet } from '../job/quiet.ts';
import { type AnyStream, DrivenJob } from '../stream/driven-job.ts';
import { isPaused, sinkThat, slowed } from './slow-sink.ts';

const boom = new Error('boom');

describe('from an Observable', () => {
  it('passes what it pushes, and its end', () => {
    const input = new Subject<number>();
    const job = new DrivenJob(() => ({ output: from(input) as AnyStream }));
    input.next(1);
    job.checkpoint();
    input.next(2);
    input.complete();
    expect(job.elements()).toEqual([
      { value: 1, timestamp: Number.NaN, key: undefined },
      'B1',
      { value: 2, timestamp: Number.NaN, key: undefined },
      'complete',
      'B2',
    ]);
    expect(job.phase).toBe('finished');
  });

  it('passes what a synchronous one pushes while it is subscribed', () => {
    const job = new DrivenJob(() => ({ output: from(of(1, 2, 3)) as AnyStream }));
    expect([job.values(), job.phase]).toEqual([[1, 2, 3], 'finished']);
  });

  it('subscribes it when everything is wired, once for each start, and leaves it when the job ends', () => {
    const input = new Subject<number>();
    let subscriptions = 0;
    const builtAt: number[] = [];
    const counted = new Observable(subscriber => {
      subscriptions++;
      return input.subscribe(subscriber);
    });
    const job = new DrivenJob(() => {
      const stream = from(counted) as AnyStream;
      builtAt.push(subscriptions);
      return { a: stream, b: stream.pipe(map(v => v)) };
    });
    expect(subscriptions).toBe(1);
    job.crash();
    expect(subscriptions).toBe(2);
    expect(builtAt).toEqual([0, 1]);
    void job.handle.stop();
    expect(job.phase).toBe('stopped');
    expect(input.observed).toBe(false);
  });

  it('leaves a synchronous one in the middle when the job fails', () => {
    let pushed = 0;
    const job = new DrivenJob(() => ({
      output: from(range(1, 1_000_000).pipe(tap(() => pushed++))).pipe(
        map(v => {
          if (v === 3) throw boom;
          return v;
        }),
      ) as AnyStream,
    }));
    expect(job.error?.cause).toBe(boom);
    expect(pushed).toBe(3);
  });

  it('loses what it pushed before a restart: it is not replayed', () => {
    const input = new Subject<number>();
    const job = new DrivenJob(() => ({ output: from(input).pipe(scan('n', (n: number) => n + 1, 0)) as AnyStream }));
    input.next(1);
    job.checkpoint();
    input.next(2);
    job.crash();
    input.next(3);
    expect(job.values()).toEqual([1, 2, 2]);
  });

  it('fails the task with its error, naming the source, unless somebody handles it', () => {
    const failing = (operators: (stream: AnyStream) => AnyStream) => {
      const input = new Subject<number>();
      const job = new DrivenJob(() => ({ output: operators(from(input, { name: 'ticks' }) as AnyStream) }));
      input.next(1);
      input.error(boom);
      return job;
    };
    const unhandled = failing(stream => stream);
    expect(unhandled.error).toBeInstanceOf(UserCodeError);
    expect(unhandled.error?.message).toBe('The source "ticks" failed: boom');
    expect(unhandled.error?.cause).toBe(boom);
    const handled = failing(stream => stream.pipe(catchError(error => of(error === boom))));
    expect([handled.values(), handled.phase]).toEqual([[1, true], 'finished']);
  });

  describe('that pushes while the job is paused', () => {
    it('waits in a buffer, and is passed in order when the job goes on', async () => {
      const input = new Subject<number>();
      const { handle, written, finish } = slowed(input);
      for (const value of [1, 2, 3, 4]) input.next(value);
      expect([written, isPaused(handle)]).toEqual([[1, 2], true]);
      finish();
      await settled();
      expect(written).toEqual([1, 2, 3, 4]);
      finish();
      await settled();
      input.next(5);
      expect(written).toEqual([1, 2, 3, 4, 5]);
      await handle.cancel();
    });

    it('ends behind what waits', async () => {
      const input = new Subject<number>();
      const { handle, written, finish } = slowed(input);
      for (const value of [1, 2, 3]) input.next(value);
      input.complete();
      expect(handle.status.phase).toBe('running');
      finish();
      await expect(handle.done).resolves.toBe('finished');
      expect(written).toEqual([1, 2, 3]);
    });

    it('fails behind what waits', async () => {
      const input = new Subject<number>();
      const { handle, written, finish } = slowed(input);
      for (const value of [1, 2, 3]) input.next(value);
      input.error(boom);
      expect(handle.status.phase).toBe('running');
      finish();
      await expect(handle.done).rejects.toThrow('boom');
      expect(written).toEqual([1, 2, 3]);
    });

    it('fails the task when more wait than the buffer holds, and is left', async () => {
      const input = new Subject<number>();
      const { handle, written } = slowed(input, { name: 'ticks', buffer: { size: 1, when: 'error' } });
      for (const value of [1, 2, 3, 4, 5]) input.next(value);
      await expect(handle.done).rejects.toThrow(ExternalError);
      expect(handle.status.error?.message).toMatch(/source "ticks" pushed more than 1 values while the job was paused/);
      expect(handle.status.error?.retriable).toBe(true);
      expect(written).toEqual([1, 2]);
      expect(input.observed).toBe(false);
    });

    it('is an error beyond 1,000 values unless told otherwise', async () => {
      const input = new Subject<number>();
      const { handle } = slowed(input);
      for (let value = 0; value < 2 + 1_000; value++) input.next(value);
      expect(handle.status.phase).toBe('running');
      input.next(-1);
      await expect(handle.done).rejects.toThrow(ExternalError);
    });

    it.each([
      ['drop-oldest', [1, 2, 5, 6]],
      ['drop-newest', [1, 2, 3, 4]],
    ] as const)('drops what it was told to, and logs how much: %s', async (when, kept) => {
      const warnings: unknown[] = [];
      const logger: Logger = { ...quiet, warn: fields => warnings.push(fields), child: () => logger };
      const input = new Subject<number>();
      const { handle, written, finish } = slowed(input, { buffer: { size: 2, when } }, { logger });
      for (const value of [1, 2, 3, 4, 5, 6]) input.next(value);
      finish();
      await settled();
      expect(written).toEqual(kept);
      expect(warnings).toContainEqual({ source: 'observable', dropped: 2 });
      await handle.cancel();
    });

    it('still passes barriers', async () => {
      const input = new Subject<number>();
      const { handle } = slowed(input);
      for (const value of [1, 2, 3]) input.next(value);
      handle.checkpoint();
      expect(handle.status.lastCheckpoint?.outcome).toBe('committed');
      await handle.cancel();
    });
  });

  it('refuses one that is made of streams: barriers cannot cross there', () => {
    const sources = () => [from(new MarbleSource('a')), from(new MarbleSource('b'))] as const;
    const job = new DrivenJob(() => ({ output: from(merge(...sources())).pipe(catchError(() => of(0))) as AnyStream }));
    expect(job.error).toBeInstanceOf(JobDefinitionError);
    expect(job.error?.message).toMatch(/source "observable" is made of a stream \(source "a"\).*union\(\)/);
    expect(job.values()).toEqual([]);
  });

  it('lets readers of what it pushes while it is subscribed look at other streams', () => {
    const read: unknown[] = [];
    const handle = start(
      declareJob('reading', () =>
        from(new BehaviorSubject(1)).pipe(to(sinkThat(() => from(of(7)).subscribe(v => read.push(v))))),
      ),
      { store: memoryStore(), logger: quiet },
    );
    expect(read).toEqual([7]);
    void handle.cancel();
  });
});
