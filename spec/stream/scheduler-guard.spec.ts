import {
  asyncScheduler,
  catchError,
  concatMap,
  debounceTime,
  defer,
  delay,
  map,
  mergeMap,
  mergeWith,
  observeOn,
  of,
  queueScheduler,
  retry,
  Subject,
  scheduled,
  takeUntil,
  tap,
  timer,
} from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { from, LiftError } from '../../lib/index.ts';
import { keyBy, scan, to } from '../../operators/index.ts';
import { type AnyStream, DrivenJob } from './driven-job.ts';

const boom = new Error('boom');

/** A job with this operator alone. */
const jobWith = (operator: (stream: AnyStream) => unknown) =>
  new DrivenJob(({ input }) => ({ output: operator(input) as AnyStream }));

describe('an RxJS scheduler in a native operator', () => {
  it('is refused when the operator is subscribed, although a catchError follows', () => {
    const job = jobWith(stream =>
      stream.pipe(
        takeUntil(timer(10)),
        catchError(() => of(0)),
      ),
    );
    expect(job.error).toBeInstanceOf(LiftError);
    expect(job.error?.message).toMatch(
      /^One of the 2 native operators after source "input" uses an RxJS scheduler while it is/,
    );
  });

  it('is refused when a record is handled, although a catchError follows', () => {
    const job = jobWith(stream =>
      stream.pipe(
        delay(10),
        catchError(() => of(0)),
      ),
    );
    job.push(1);
    expect(job.error).toBeInstanceOf(LiftError);
    expect(job.error?.message).toMatch(/uses an RxJS scheduler while it handles a record/);
    expect(job.values()).toEqual([]);
  });

  it('is refused once, although a retry tries again for ever', () => {
    let tries = 0;
    const later = defer(() => {
      tries++;
      return timer(10);
    });
    const job = jobWith(stream => stream.pipe(mergeWith(later.pipe(retry()))));
    expect(job.error).toBeInstanceOf(LiftError);
    expect(tries).toBe(2);
  });

  it('is refused by its own name only: the same scheduler serves everybody else', async () => {
    const job = jobWith(stream => stream.pipe(map(v => v)));
    job.push(1);
    const served = new Promise(resolve => asyncScheduler.schedule(() => resolve('served')));
    await expect(served).resolves.toBe('served');
  });

  it('is let through when it is the queue, which works at once, also where queues are nested', () => {
    const job = jobWith(stream =>
      stream.pipe(
        concatMap(v => scheduled([v, -v], queueScheduler)),
        observeOn(queueScheduler),
        keyBy((v: number) => v),
        scan('sum', (sum: number, v: number) => sum + v, 0),
        mergeMap(v => scheduled([v, v * 10], queueScheduler)),
        observeOn(queueScheduler),
      ),
    );
    // The application works in a queue too.
    queueScheduler.schedule(() => {
      job.push(1, 5);
      job.checkpoint();
      expect(job.elements()).toEqual([
        { value: 1, timestamp: 5, key: 1 },
        { value: 10, timestamp: 5, key: 1 },
        { value: -1, timestamp: 5, key: -1 },
        { value: -10, timestamp: 5, key: -1 },
        'B1',
      ]);
    });
    expect(job.phase).toBe('running');
  });

  it('is refused when it is a queue with a delay', () => {
    const job = jobWith(stream => stream.pipe(tap(() => queueScheduler.schedule(() => {}, 10))));
    job.push(1);
    expect(job.error).toBeInstanceOf(LiftError);
  });
});

describe('a tap that feeds a Subject of the application', () => {
  it('is refused when something asynchronous hangs behind the Subject', () => {
    const application = new Subject<number>();
    const errors: unknown[] = [];
    application.pipe(debounceTime(10)).subscribe({ error: error => errors.push(error) });
    const job = jobWith(stream => stream.pipe(tap(application)));
    job.push(1);
    expect(job.error).toBeInstanceOf(LiftError);
    expect(job.error?.message).toContain('handle.output(tag)');
    expect(errors).toHaveLength(1);
  });

  it('works when all that hangs behind it is synchronous, and survives a reader that throws', () => {
    vi.useFakeTimers();
    try {
      const application = new Subject<number>();
      const read: number[] = [];
      application.pipe(map(v => v * 2)).subscribe(v => {
        read.push(v);
        throw boom;
      });
      const job = jobWith(stream => stream.pipe(tap(v => application.next(v))));
      job.push(1);
      job.push(2);
      expect(read).toEqual([2, 4]);
      expect(job.values()).toEqual([1, 2]);
      // RxJS reports what the reader threw, to the application.
      expect(() => vi.runAllTimers()).toThrow(boom);
    } finally {
      vi.useRealTimers();
    }
  });

  it('is what handle.output(tag) is for', async () => {
    const job = new DrivenJob(({ input }) => ({ output: input.pipe(to({ name: 'live' })) }));
    const debounced = new Promise(resolve => {
      job.handle.output({ name: 'live' }).pipe(debounceTime(1)).subscribe(resolve);
    });
    job.push(1);
    job.push(2);
    await expect(debounced).resolves.toBe(2);
    expect(job.phase).toBe('running');
  });

  it('may feed another job, whose own native operators and timers are free of the guards of the first', () => {
    const bridge = new Subject<number>();
    const second = new DrivenJob(() => ({
      output: from(bridge, { name: 'bridge' }).pipe(
        map(v => v * 10),
        scan('sum', (sum: number, v: number) => sum + v, 0),
      ),
    }));
    const first = jobWith(stream =>
      stream.pipe(
        tap(bridge),
        map(v => v + 1),
      ),
    );
    first.push(1);
    second.checkpoint();
    first.push(2);
    expect([first.values(), second.values()]).toEqual([
      [2, 3],
      [10, 30],
    ]);
    expect([first.phase, second.phase]).toEqual(['running', 'running']);
  });
});

describe('an application that controls its job from inside a native operator', () => {
  const readLater = (job: DrivenJob, read: unknown[]) =>
    job.handle.status$.pipe(delay(1)).subscribe(({ phase }) => read.push(phase));

  it('stops it behind the record', () => {
    const job: DrivenJob = jobWith(stream => stream.pipe(tap(v => v === 2 && void job.handle.stop())));
    readLater(job, []);
    for (const value of [1, 2, 3]) job.push(value);
    expect(job.phase).toBe('stopped');
    expect(job.elements().map(element => (typeof element === 'object' ? element.value : element))).toEqual([
      1,
      2,
      'B1',
    ]);
    expect(job.committed.output).toEqual([1, 2]);
  });

  it('cancels it at once', () => {
    const job: DrivenJob = jobWith(stream => stream.pipe(tap(v => v === 2 && void job.handle.cancel())));
    readLater(job, []);
    for (const value of [1, 2, 3]) job.push(value);
    expect(job.phase).toBe('cancelled');
    expect(job.values()).toEqual([1]);
  });

  it('takes a checkpoint behind all outputs of the record', () => {
    const job: DrivenJob = jobWith(stream =>
      stream.pipe(
        tap(() => job.checkpoint()),
        mergeMap(v => [v, -v]),
      ),
    );
    job.push(1);
    expect(job.elements().map(element => (typeof element === 'object' ? element.value : element))).toEqual([
      1,
      -1,
      'B1',
    ]);
  });

  it('may read its status with a scheduler when the job fails inside the operator', () => {
    const read: unknown[] = [];
    const job = jobWith(stream =>
      stream.pipe(
        tap(() => {
          throw boom;
        }),
      ),
    );
    readLater(job, read);
    job.push(1);
    expect(job.error?.cause).toBe(boom);
  });
});
