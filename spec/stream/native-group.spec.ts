import {
  catchError,
  defer,
  delay,
  EMPTY,
  finalize,
  from as fromArray,
  map,
  mergeMap,
  NEVER,
  of,
  retry,
  Subject,
  startWith,
  take,
  takeUntil,
  tap,
  withLatestFrom,
} from 'rxjs';
import { describe, expect, it } from 'vitest';
import { actor, DetachedActorError, LiftError, side, type, UserCodeError } from '../../lib/index.ts';
import { keyBy, scan, to } from '../../operators/index.ts';
import { type AnyStream, DrivenJob } from './driven-job.ts';

const boom = new Error('boom');

/** A job with this operator alone. */
const jobWith = (operator: (stream: AnyStream) => unknown) =>
  new DrivenJob(({ input }) => ({ output: operator(input) as AnyStream }));

describe('another stream in a native operator', () => {
  const inputs = ['input', 'another'] as const;
  const jobOfTwo = (operator: (stream: AnyStream, other: AnyStream) => unknown) =>
    new DrivenJob(({ input, another }) => ({ output: operator(input, another) as AnyStream }), { inputs });

  it('is refused inside mergeMap at run time, although a catchError follows', () => {
    const job = jobOfTwo((stream, other) =>
      stream.pipe(
        mergeMap(() => other.pipe(catchError(() => of(0)))),
        catchError(() => of(0)),
      ),
    );
    job.push(1);
    expect(job.error).toBeInstanceOf(LiftError);
    expect(job.error?.message).toMatch(/subscribes another stream \(.*\).* union\(\) or connect\(\)/s);
    expect(job.values()).toEqual([]);
  });

  it('is refused once, although a retry tries again for ever', () => {
    const job = jobOfTwo((stream, other) => stream.pipe(mergeMap(() => defer(() => other).pipe(retry()))));
    job.push(1);
    expect(job.error).toBeInstanceOf(LiftError);
  });

  it('is refused as elements too', () => {
    const job = jobOfTwo((stream, other) => stream.pipe(mergeMap(() => other.elements$)));
    job.push(1);
    expect(job.error).toBeInstanceOf(LiftError);
  });

  it('is refused in a tap that subscribes it, without an error that nobody handles', () => {
    const seen: unknown[] = [];
    const job = jobOfTwo((stream, other) => stream.pipe(tap(() => other.subscribe(v => seen.push(v)))));
    job.push(1);
    expect(job.error).toBeInstanceOf(LiftError);
    expect(seen).toEqual([]);
  });

  it('is a DetachedActorError when it is an actor, a key or a sink on a plain Observable, whatever catches it', () => {
    const operators = {
      actor: scan('inner', (n: number) => n + 1, 0),
      key: keyBy((v: number) => v),
      sink: to<number>({ name: 'inner' }),
    };
    for (const operator of Object.values(operators)) {
      const job = jobWith(stream =>
        stream.pipe(
          mergeMap(v => of(v as number).pipe(operator)),
          catchError(() => of(0)),
        ),
      );
      job.push(1);
      expect(job.error).toBeInstanceOf(DetachedActorError);
      expect(job.error?.message).toContain('inside a native operator');
      expect(job.values()).toEqual([]);
    }
  });
});

describe('what leaves a native operator when no record of it is handled', () => {
  it('is refused when a Subject of the application pushes it', () => {
    const pushed = new Subject<number>();
    const job = jobWith(stream => stream.pipe(mergeMap(v => pushed.pipe(map(w => [v, w])))));
    job.push(1);
    pushed.next(2);
    expect(job.error).toBeInstanceOf(LiftError);
    expect(job.error?.message).toMatch(/emitted while none of its records was being handled/);
    expect(job.values()).toEqual([]);
  });

  it('is refused when it is an end', () => {
    const stop = new Subject<void>();
    const job = jobWith(stream => stream.pipe(takeUntil(stop)));
    job.push(1);
    stop.next();
    expect(job.error).toBeInstanceOf(LiftError);
    expect(job.error?.message).toMatch(/completed while none of its records was being handled.*handle\.stop\(\)/);
  });

  it('fails the task with the error itself when it is one', () => {
    const latest = new Subject<number>();
    const job = jobWith(stream => stream.pipe(withLatestFrom(latest)));
    latest.next(1);
    latest.error(boom);
    expect(job.error).toBeInstanceOf(UserCodeError);
    expect(job.error?.cause).toBe(boom);
  });

  it('is refused while another operator of the job handles a record', () => {
    const bridge = new Subject<number>();
    const job = new DrivenJob(({ input }) => ({
      first: input.pipe(tap(bridge)),
      second: input.pipe(mergeMap(() => bridge)),
    }));
    job.push(1);
    expect(job.phase).toBe('running');
    job.push(2);
    expect(job.error).toBeInstanceOf(LiftError);
    expect(job.values('second')).toEqual([]);
  });

  it('may be held meanwhile: the latest value of a plain Observable', () => {
    const latest = new Subject<string>();
    const job = jobWith(stream => stream.pipe(withLatestFrom(latest)));
    latest.next('a');
    job.push(1);
    latest.next('b');
    latest.next('c');
    job.push(2);
    expect(job.values()).toEqual([
      [1, 'a'],
      [2, 'c'],
    ]);
  });
});

describe('a native operator that no longer listens', () => {
  it('is refused at the next record, when it has not completed', () => {
    const job = jobWith(stream =>
      stream.pipe(
        tap(v => {
          if (v === 2) throw boom;
        }),
        catchError(() => NEVER),
      ),
    );
    for (const value of [1, 2]) job.push(value);
    expect(job.phase).toBe('running');
    job.push(3);
    expect(job.error).toBeInstanceOf(LiftError);
    expect(job.error?.message).toMatch(/no longer listens to its source, but has not completed/);
  });

  it('is refused at the end of its input, when it still waits for something', () => {
    const job = jobWith(stream => stream.pipe(mergeMap(() => NEVER)));
    job.push(1);
    job.complete();
    expect(job.error).toBeInstanceOf(LiftError);
    expect(job.error?.message).toMatch(/did not complete with its source/);
  });

  it('is refused at the error of its input, when it still waits for something', () => {
    const job = jobWith(stream => stream.pipe(catchError(() => NEVER)));
    job.fail(boom);
    expect(job.error).toBeInstanceOf(LiftError);
    expect(job.error?.message).toMatch(/did not end when its source failed/);
  });

  it('is refused when it never listened', () => {
    const job = jobWith(stream => stream.pipe(() => NEVER));
    expect(job.error).toBeInstanceOf(LiftError);
    expect(job.error?.message).toMatch(/did not subscribe its source at the start/);
  });
});

describe('errors around native operators', () => {
  it('are seen by a catchError of the same chain as on a plain Observable: the branch goes on with the replacement, and ends', () => {
    const seen: unknown[] = [];
    const job = new DrivenJob(({ input }) => ({
      output: input.pipe(
        tap(v => {
          if (v === 2) throw boom;
        }),
        catchError(error => {
          seen.push(error);
          return fromArray([8, 9]);
        }),
      ),
      other: input,
    }));
    for (const value of [1, 2, 3]) job.push(value);
    job.checkpoint();
    expect(seen).toEqual([boom]);
    expect(job.values()).toEqual([1, 8, 9]);
    expect(job.elements().slice(-2)).toEqual(['complete', 'B1']);
    expect(job.values('other')).toEqual([1, 2, 3]);
  });

  it('of a throw go to the task, not to a catchError behind an actor or another branch', () => {
    const seen: unknown[] = [];
    const job = new DrivenJob(({ input }) => {
      const shared = input.pipe(
        tap(v => {
          if (v === 2) throw boom;
        }),
      );
      const handled = catchError(error => {
        seen.push(error);
        return EMPTY;
      });
      return {
        actor: shared.pipe(
          scan('n', (n: number) => n + 1, 0),
          handled,
        ),
        branch: shared.pipe(handled),
      };
    });
    for (const value of [1, 2, 3]) job.push(value);
    expect(seen).toEqual([]);
    expect(job.error?.cause).toBe(boom);
  });

  it('behind an operator keep its other outputs of that record back', () => {
    let calls = 0;
    const job = jobWith(stream =>
      stream.pipe(
        mergeMap(v => [v, v]),
        keyBy(() => {
          calls++;
          throw boom;
        }),
      ),
    );
    job.push(1);
    expect(job.error?.cause).toBe(boom);
    expect(calls).toBe(1);
  });

  it('of the source go down every branch to whoever handles them, as the source gave them', () => {
    const seen: unknown[] = [];
    const job = jobWith(stream =>
      stream.pipe(
        map(v => v),
        scan('n', (n: number) => n + 1, 0),
        tap({ error: error => seen.push(error) }),
        keyBy(() => 'k'),
        catchError(error => {
          seen.push(error);
          return of('replaced');
        }),
      ),
    );
    job.push(1);
    job.fail(boom);
    expect(seen).toEqual([boom, boom]);
    expect(job.values()).toEqual([1, 'replaced']);
    expect(job.phase).toBe('finished');
  });

  it('of the source reach the readers of side outputs too', () => {
    const odd = side<number>('odd');
    const sorting = actor<number, null, number>('sorting', {
      emits: type<number>(),
      sides: [odd],
      initial: () => null,
      receive: (_state, value, ctx) => ctx.side(odd, value),
    });
    const handledIn = (...branches: readonly string[]) => {
      const job = new DrivenJob(({ input }) => {
        const sorted = input.pipe(sorting);
        const handled = (name: string, stream: AnyStream) =>
          branches.includes(name) ? stream.pipe(catchError(() => of(`handled in ${name}`))) : stream;
        return { main: handled('main', sorted), side: handled('side', sorted.side(odd)) };
      });
      job.fail(boom);
      return job;
    };
    const both = handledIn('main', 'side');
    expect([both.phase, both.values('main'), both.values('side')]).toEqual([
      'finished',
      ['handled in main'],
      ['handled in side'],
    ]);
    expect(handledIn('main').error?.cause).toBe(boom);
    expect(handledIn('side').error?.cause).toBe(boom);
  });

  it("that a handler makes of the source's are its own", () => {
    const job = jobWith(stream =>
      stream.pipe(
        catchError(() => {
          throw new Error('worse');
        }),
      ),
    );
    job.fail(boom);
    expect(job.error?.cause).toEqual(new Error('worse'));
  });

  it('name the oldest retained checkpoint when an operator is refused after it ran', () => {
    const job = jobWith(stream => stream.pipe(delay(0)));
    job.checkpoint();
    job.checkpoint();
    job.push(1);
    expect(job.error?.message).toMatch(/the oldest that is retained is 1, of \d{4}-/);
  });
});

describe('native operators at the end of a task', () => {
  const endings: Readonly<Record<string, (job: DrivenJob) => void>> = {
    finished: job => job.complete(),
    stopped: job => void job.handle.stop(),
    cancelled: job => void job.handle.cancel(),
    failed: job => job.push('boom'),
  };
  for (const [phase, end] of Object.entries(endings)) {
    it(`are unsubscribed when it has ${phase}`, () => {
      const latest = new Subject<number>();
      let finalized = 0;
      const job = jobWith(stream =>
        stream.pipe(
          withLatestFrom(latest),
          tap(([v]) => {
            if (v === 'boom') throw boom;
          }),
          finalize(() => finalized++),
        ),
      );
      latest.next(1);
      expect(latest.observed).toBe(true);
      end(job);
      expect(job.phase).toBe(phase);
      expect(latest.observed).toBe(false);
      expect(finalized).toBe(1);
    });
  }

  it('are unsubscribed when one of them cannot be wired', () => {
    const latest = new Subject<number>();
    let finalized = 0;
    const held = (stream: AnyStream) =>
      stream.pipe(
        withLatestFrom(latest),
        finalize(() => finalized++),
      );
    const job = new DrivenJob(({ input }) => ({ a: held(input), b: held(input).pipe(startWith(0)) }));
    expect(job.error).toBeInstanceOf(LiftError);
    expect([latest.observed, finalized]).toEqual([false, 2]);
  });

  it('are all unsubscribed, and the sources closed, although a finalize throws', () => {
    const latest = new Subject<number>();
    const job = new DrivenJob(({ input }) => ({
      a: input.pipe(
        finalize(() => {
          throw boom;
        }),
      ),
      b: input.pipe(withLatestFrom(latest)),
    }));
    void job.handle.cancel();
    expect(job.phase).toBe('cancelled');
    expect(latest.observed).toBe(false);
  });

  it('are not subscribed again when the restored checkpoint says that they had ended', () => {
    let subscribed = 0;
    const job = new DrivenJob(({ input }) => ({
      output: input.pipe(
        tap({ subscribe: () => subscribed++ }),
        take(1),
        scan('n', (n: number) => n + 1, 0),
      ),
      other: input,
    }));
    job.push(1);
    job.checkpoint();
    job.crash();
    job.push(2);
    expect(subscribed).toBe(1);
    expect(job.values('other')).toEqual([1, 2]);
    expect(job.elements().slice(1)).toEqual(['complete', 'B1', 'complete']);
  });
});
