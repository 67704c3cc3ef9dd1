import { map, Observable, type Observer, type Subscriber } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { LiftError, UserCodeError } from '../../lib/index.ts';
import { type AnyStream, DrivenJob } from './driven-job.ts';

const boom = new Error('boom');

/** A job with this operator alone. */
const jobWith = (operator: (stream: AnyStream) => unknown) =>
  new DrivenJob(({ input }) => ({ output: operator(input) as AnyStream }));

describe('hand-written operators', () => {
  /** What people write: `source => new Observable(…)` with handlers. */
  const handWritten =
    (handlers: (out: Subscriber<unknown>) => Partial<Observer<unknown>>) => (source: Observable<unknown>) =>
      new Observable(out => source.subscribe(handlers(out)));

  it('work like native ones, in pipe and in composites with them', () => {
    const job = jobWith(stream =>
      stream.pipe(
        map(v => (v as number) + 1),
        handWritten(out => ({
          next(value) {
            out.next(value);
            out.next(-(value as number));
          },
          error: error => out.error(error),
          complete: () => out.complete(),
        })),
        map(v => [v]),
      ),
    );
    job.push(1, 5);
    job.checkpoint();
    job.complete();
    expect(job.elements()).toEqual([
      { value: [2], timestamp: 5, key: undefined },
      { value: [-2], timestamp: 5, key: undefined },
      'B1',
      'complete',
      'B2',
    ]);
  });

  it('pass a subscriber on, or functions instead of an observer', () => {
    const job = jobWith(stream =>
      stream.pipe(
        source => new Observable(out => source.subscribe(out)),
        source =>
          new Observable(out =>
            source.subscribe(
              value => out.next(value),
              error => out.error(error),
              () => out.complete(),
            ),
          ),
      ),
    );
    job.push(1);
    job.complete();
    expect(job.values()).toEqual([1]);
    expect(job.phase).toBe('finished');
  });

  it('keep `this` of an observer with methods', () => {
    class Doubling implements Observer<unknown> {
      readonly out: Subscriber<unknown>;
      constructor(out: Subscriber<unknown>) {
        this.out = out;
      }
      next(value: unknown): void {
        this.out.next((value as number) * 2);
      }
      error(error: unknown): void {
        this.out.error(error);
      }
      complete(): void {
        this.out.complete();
      }
    }
    const job = jobWith(stream => stream.pipe(handWritten(out => new Doubling(out))));
    job.push(1);
    job.complete();
    expect([job.values(), job.phase]).toEqual([[2], 'finished']);
  });

  it('fail the task with what their handlers throw, where RxJS would report it to a timer and carry on', () => {
    for (const handler of ['next', 'complete'] as const) {
      for (const before of [map(v => v), (source: Observable<unknown>) => source]) {
        const job = jobWith(stream =>
          stream.pipe(
            before,
            handWritten(out => ({
              complete: () => out.complete(),
              [handler]: () => {
                throw boom;
              },
            })),
          ),
        );
        job.push(1);
        job.push(2);
        job.checkpoint();
        job.complete();
        expect(job.error).toBeInstanceOf(UserCodeError);
        expect(job.error?.cause).toBe(boom);
        expect(job.committed.output).toEqual([]);
      }
    }
  });

  it('that have no error handler do not swallow the error of the source', () => {
    const job = jobWith(stream => stream.pipe(handWritten(out => ({ next: value => out.next(value) }))));
    job.fail(boom);
    expect(job.error).toBeInstanceOf(UserCodeError);
    expect(job.error?.cause).toBe(boom);
  });

  it('that do not pass the end on are refused', () => {
    const job = jobWith(stream => stream.pipe(handWritten(out => ({ next: value => out.next(value) }))));
    job.push(1);
    job.complete();
    expect(job.error).toBeInstanceOf(LiftError);
  });

  it('that subscribe their source twice are refused', () => {
    const job = jobWith(stream =>
      stream.pipe(
        source =>
          new Observable(out => {
            source.subscribe(out);
            source.subscribe(() => {});
          }),
      ),
    );
    expect(job.error).toBeInstanceOf(LiftError);
    expect(job.error?.message).toMatch(/subscribes its source twice/);
  });

  it('that throw while they are subscribed fail the task', () => {
    const job = jobWith(stream =>
      stream.pipe(
        () =>
          new Observable(() => {
            throw boom;
          }),
      ),
    );
    expect(job.error).toBeInstanceOf(UserCodeError);
    expect(job.error?.cause).toBe(boom);
  });

  it('that emit from a timer of their own are refused when it fires', () => {
    vi.useFakeTimers();
    try {
      const job = jobWith(stream =>
        stream.pipe(handWritten(out => ({ next: value => setTimeout(() => out.next(value), 5) }))),
      );
      job.push(1);
      expect(job.phase).toBe('running');
      vi.runAllTimers();
      expect(job.error).toBeInstanceOf(LiftError);
    } finally {
      vi.useRealTimers();
    }
  });
});
