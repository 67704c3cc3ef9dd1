import {
  catchError,
  firstValueFrom,
  from as fromArray,
  lastValueFrom,
  map,
  NEVER,
  Observable,
  of,
  publish,
  refCount,
  Subject,
  startWith,
  take,
  throwError,
  toArray,
} from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  actor,
  DataStream,
  DetachedActorError,
  job as declareJob,
  from,
  isDataStream,
  JobDefinitionError,
  type JobStreams,
  LiftError,
  memoryStore,
  NotRunningError,
  type Source,
  StreamRecord,
  side as sideTag,
  start,
  type,
  UserCodeError,
  Watermark,
} from '../../lib/index.ts';
import { MarbleSource } from '../../lib/testing/index.ts';
import { distinct, keyBy, reduce, scan, side, to, union } from '../../operators/index.ts';
import { quiet } from '../job/quiet.ts';

const boom = new Error('boom');

/** A source that an application cannot read without a job. */
const remote: Source<number> = {
  kind: 'remote',
  name: 'remote',
  bounded: false,
  open() {
    throw new Error('opened');
  },
};

/** Everything that a stream does, to its end. */
function seen(stream: Observable<unknown>): unknown[] {
  const all: unknown[] = [];
  stream.subscribe({
    next: value => all.push(value),
    error: error => all.push(error),
    complete: () => all.push('complete'),
  });
  return all;
}

const begun = (build: () => unknown) =>
  start(declareJob('built', build as () => JobStreams), { store: memoryStore(), logger: quiet });

describe('a stream outside a job', () => {
  it('just runs, which makes the test of an operator three lines', () => {
    const stream = of(1, 2, 3).pipe(scan('sum', (sum: number, v: number) => sum + v, 0));
    expect(seen(stream)).toEqual([1, 3, 6, 'complete']);
  });

  it('keeps state by key, and emits at completion', () => {
    const words = of('a', 'b', 'a').pipe(
      keyBy(word => word),
      reduce('count', (n: number) => n + 1, 0),
    );
    expect(seen(words)).toEqual([2, 1, 'complete']);
    expect(seen(of(1, 1, 2).pipe(distinct('seen')))).toEqual([1, 2, 'complete']);
  });

  it('runs for each subscriber anew', () => {
    const stream = of(1, 2).pipe(scan('sum', (sum: number, v: number) => sum + v, 0));
    expect([seen(stream), seen(stream)]).toEqual([
      [1, 3, 'complete'],
      [1, 3, 'complete'],
    ]);
  });

  it('is an Observable for whoever takes one', async () => {
    const stream = from(of(1, 2, 3)).pipe(map(v => v * 2));
    expect(stream).toBeInstanceOf(Observable);
    expect(stream).toBeInstanceOf(DataStream);
    expect(isDataStream(stream)).toBe(true);
    expect([isDataStream(of(1)), isDataStream(null), isDataStream(7)]).toEqual([false, false, false]);
    await expect(firstValueFrom(stream)).resolves.toBe(2);
    await expect(lastValueFrom(stream.pipe(toArray()))).resolves.toEqual([2, 4, 6]);
  });

  it('shows its elements: records with time and key, and marks, in order', () => {
    const source = new MarbleSource('in');
    const elements = seen(from(source).pipe(keyBy(v => `key of ${v}`)).elements$);
    source.push({ kind: 'value', value: new StreamRecord('a', 5) });
    source.push({ kind: 'watermark', timestamp: 4 });
    source.push({ kind: 'value', value: 'b' });
    source.push({ kind: 'complete' });
    expect(elements).toEqual([
      new StreamRecord('a', 5, 'key of a'),
      new Watermark(4),
      new StreamRecord('b', Number.NaN, 'key of b'),
      new Watermark(Number.POSITIVE_INFINITY),
      'complete',
    ]);
  });

  it('leaves its source, and unsubscribes its native operators, when it is left', () => {
    const input = new Subject<number>();
    const latest = new Subject<number>();
    const stream = from(input).pipe(
      scan('n', (n: number) => n + 1, 0),
      source => new Observable(out => source.subscribe(out).add(latest.subscribe())),
    );
    const subscription = stream.subscribe();
    expect([input.observed, latest.observed]).toEqual([true, true]);
    subscription.unsubscribe();
    expect([input.observed, latest.observed]).toEqual([false, false]);
    expect(
      seen(
        from(NEVER)
          .pipe(map(v => v))
          .pipe(take(0)),
      ),
    ).toEqual(['complete']);
    expect(seen(from(fromArray([1, 2, 3])).pipe(take(1)))).toEqual([1, 'complete']);
  });

  it('fails as RxJS does: with what a source or a native operator fails with', () => {
    expect(seen(from(throwError(() => boom)))).toEqual([boom]);
    expect(
      seen(
        of(1).pipe(
          scan('n', (n: number) => n + 1, 0),
          map(() => {
            throw boom;
          }),
        ),
      ),
    ).toEqual([boom]);
    expect(seen(from(throwError(() => boom)).pipe(catchError(error => of(error))))).toEqual([boom, 'complete']);
  });

  it('names the operator of ours that fails', () => {
    const failures = seen(
      of(1).pipe(
        keyBy(() => {
          throw boom;
        }),
      ),
    ).concat(
      seen(
        of(1).pipe(
          scan(
            'failing',
            () => {
              throw boom;
            },
            0,
          ),
        ),
      ),
    );
    expect(
      failures.map(error => [error instanceof UserCodeError, (error as Error).message, (error as Error).cause]),
    ).toEqual([
      [true, '"keyBy" threw: boom', boom],
      [true, 'The actor "failing" threw in receive: boom', boom],
    ]);
  });

  it('fails with what cannot be wired, and unsubscribes the rest', () => {
    const latest = new Subject<number>();
    const held = from(of(1)).pipe(source => new Observable(out => source.subscribe(out).add(latest.subscribe())));
    const [error] = seen(union(held, from(of(1), { name: 'other' }).pipe(startWith(0))));
    expect(error).toBeInstanceOf(LiftError);
    expect(latest.observed).toBe(false);
  });

  it('is a NotRunningError when only a job reads its source, naming what to do instead', () => {
    const [error] = seen(from(remote).pipe(map(v => v)));
    expect(error).toBeInstanceOf(NotRunningError);
    expect((error as Error).message).toMatch(/source "remote".*start the job and subscribe to handle\.output\(tag\)/);
    expect(seen(from(remote).elements$)[0]).toBeInstanceOf(NotRunningError);
  });

  it('is a NotRunningError when only a job writes its sink', () => {
    const tag = { name: 'out' };
    expect(seen(from(of(1)).pipe(to<number>(tag)))[0]).toBeInstanceOf(NotRunningError);
    expect(() => of(1).pipe(to<number>(tag))).toThrow(NotRunningError);
  });
});

describe('a stream while a job is being built', () => {
  it('is refused when it is subscribed, whoever handles the error', () => {
    for (const subscribe of [
      (stream: Observable<number>) => stream.subscribe(),
      (stream: Observable<number>) => stream.subscribe({ error: () => {} }),
      (stream: DataStream<number>) => stream.elements$.subscribe(),
    ]) {
      const build = () => {
        const stream = from(of(1));
        subscribe(stream);
        return stream;
      };
      expect(() => begun(build)).toThrow(JobDefinitionError);
      expect(() => begun(build)).toThrow(/source "observable" is subscribed while the job "built" is being built/);
      expect(() => declareJob('built', build).graph()).toThrow(JobDefinitionError);
    }
  });

  it('is no stream of the job when it is a plain Observable', () => {
    for (const result of [of(1), undefined, [], [from(of(1)), of(1)], 7]) {
      expect(() => begun(() => result)).toThrow(JobDefinitionError);
    }
    expect(() => begun(() => of(1))).toThrow(/returned a plain Observable.*union\(\) or connect\(\)/s);
  });

  it('needs from() before an actor, a key or a sink: a plain Observable is a DetachedActorError', () => {
    const operators = {
      'The actor "n"': scan('n', (n: number) => n + 1, 0),
      keyBy: keyBy((v: number) => v),
      'to()': to<number>({ name: 'out' }),
    };
    for (const [name, operator] of Object.entries(operators)) {
      const build = () => of(1).pipe(operator as never);
      expect(() => begun(build)).toThrow(DetachedActorError);
      expect(() => begun(build)).toThrow(`${name} in job "built" is applied to a plain Observable`);
    }
  });

  it('is not left refused when building fails', () => {
    expect(() =>
      begun(() => {
        throw boom;
      }),
    ).toThrow('boom');
    expect(seen(from(of(1)))).toEqual([1, 'complete']);
  });
});

describe('joining and splitting streams', () => {
  it('refuses a union of nothing, and of plain Observables', () => {
    expect(() => union()).toThrow(JobDefinitionError);
    expect(() => union(from(of(1)), of(2) as never)).toThrow(/from\(observable\)/);
  });

  it('reads the side output of the nearest actor that declares it', () => {
    const odd = sideTag<number>('odd');
    const sorting = (name: string, factor: number) =>
      actor<number, null, number>(name, {
        emits: type<number>(),
        sides: [odd],
        initial: () => null,
        receive(_state, value, ctx) {
          if (value % 2) ctx.side(odd, value * factor);
          ctx.emit(value);
        },
      });
    const sorted = from(of(1, 2, 3)).pipe(sorting('far', 1), sorting('near', 10));
    expect(seen(sorted.pipe(map(v => v)).side(odd))).toEqual([10, 30, 'complete']);
    expect(seen(sorted.pipe(side(odd)))).toEqual([10, 30, 'complete']);
  });

  it('names the side outputs that there are when one is missing', () => {
    const tag = sideTag<number>('missing');
    expect(() => from(of(1)).side(tag)).toThrow(/No actor upstream of source "observable" declares .* Name it/);
    const declaring = actor<number, null, number>('declaring', {
      emits: type<number>(),
      sides: [sideTag('known')],
      initial: () => null,
      receive() {},
    });
    expect(() => from(of(1)).pipe(declaring).side(tag)).toThrow(/actor "declaring" .*\(declared: known\)/);
    expect(() => of(1).pipe(side(tag))).toThrow(JobDefinitionError);
  });
});

describe('operators that are no operators', () => {
  it('are refused when they answer no Observable', () => {
    for (const answer of [undefined, 7, Promise.resolve(1), [1]]) {
      expect(() => from(of(1)).pipe((() => answer) as never)).toThrow(
        /behind source "observable" answered no Observable/,
      );
    }
  });

  it('may answer another stream', () => {
    const other = from(of(7));
    expect(from(of(1)).pipe(() => other)).toBe(other);
  });

  it('that take lift over from the stream make plain Observables: connectables', () => {
    // Deprecated in RxJS 7, and still there.
    const connected = refCount<number>()(publish<number>()(from(of(1, 2))));
    expect(isDataStream(connected)).toBe(false);
    expect(seen(connected)).toEqual([1, 2, 'complete']);
    expect(seen(from(of(1, 2)).pipe(publish(), refCount()))).toEqual([1, 2, 'complete']);
  });
});
