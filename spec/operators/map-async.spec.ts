import { lastValueFrom, of, Subject, startWith, tap, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { memorySink, memorySource } from '../../connectors/memory/index.ts';
import { deadLetters, from, job, memoryStore, type RequestContext, start, tokens } from '../../lib/index.ts';
import { marbles } from '../../lib/testing/index.ts';
import {
  aggregates,
  assignTimestamps,
  keyBy,
  type MapAsyncOptions,
  mapAsync,
  scan,
  to,
  tumblingWindow,
  union,
  watermarks,
} from '../../operators/index.ts';
import { quiet } from '../job/quiet.ts';
import { later } from './async/later.ts';
import { itEnds } from './ends.ts';

/** A record: what the call answers, and after how many ms. */
interface Call {
  readonly id: string;
  readonly ms: number;
}
const call = (id: string, ms: number): Call => ({ id, ms });

type Marbles = Parameters<Parameters<typeof marbles>[0]>[0];

/** `mapAsync` over calls, which notes what it calls; `x` is never answered, and `e…` fails. */
function calling({ scheduler }: Marbles, options: MapAsyncOptions<Call, string> = {}, calls: string[] = []) {
  return mapAsync(
    'call',
    ({ id, ms }: Call, { attempt }: RequestContext) => {
      calls.push(attempt === 1 ? id : `${id}${attempt}`);
      return later(scheduler, ms, () => {
        if (id.startsWith('e')) throw new Error(`${id} is away`);
        return id;
      });
    },
    options,
  );
}

describe('mapAsync', () => {
  it('emits results in the order of the records, however long each takes', () => {
    marbles(test => {
      const values = { a: call('p', 7), b: call('q', 1), c: call('r', 6) };
      const input = '   -a-b--c--------|';
      const expected = '--------(pq)r--|';
      test.expectElements(test.job(input, stream => stream.pipe(calling(test)), { values })).toBe(expected);
    });
  });

  it('emits results as they come when that is asked for', () => {
    marbles(test => {
      const values = { a: call('p', 7), b: call('q', 1) };
      const input = '   -a-b------|';
      const expected = '----q---p-|';
      const run = test.job(input, stream => stream.pipe(calling(test, { ordered: false })), { values });
      test.expectElements(run).toBe(expected);
    });
  });

  it('passes on that its input is idle once no request is left, and that it is not any more', () => {
    marbles(test => {
      const { record, watermark } = test;
      // Idle 4 ms after a; its request is answered at 9, and from then on only b counts, until a2.
      const values = {
        ...{ a: record(call('p', 8), 10), c: record(call('q', 0), 20) },
        ...{ x: record('x', 50), y: record('y', 60), z: record('z', 70) },
      };
      const run = test.job(
        { slow: '-a------------------c----|', fast: '-x----y------z-----------|' },
        inputs => {
          const times = { watermarks: watermarks.monotonous() } as const;
          const slow = inputs.slow.pipe(assignTimestamps({ ...times, idleAfter: 4 })).pipe(calling(test));
          return union(slow, inputs.fast.pipe(assignTimestamps(times)));
        },
        { values },
      );
      test
        .expectElements(run)
        .toBe('-x----y--(pU)(zW)---q----|', { ...values, p: 'p', q: 'q', U: watermark(59), W: watermark(69) });
    });
  });

  it('keeps watermarks behind the results of the records before them, and holds no barrier back', () => {
    marbles(test => {
      const { watermark } = test;
      const values = { a: call('p', 6), b: call('q', 1), U: watermark(5), V: watermark(10), W: watermark(20) };
      const input = '    U-a-VBb-W-----|';
      const ordered = '  U----B--(pVqW)|';
      const unordered = 'U----B-q(pW)--|';
      const run = (isOrdered: boolean) =>
        test.job(input, stream => stream.pipe(calling(test, { ordered: isOrdered })), { values });
      test.expectElements(run(true)).toBe(ordered, values);
      test.expectElements(run(false)).toBe(unordered, values);
    });
  });

  it.each([true, false])(
    'calls again after a crash for what was under way, and gives each result once: ordered %s',
    ordered => {
      const calls: string[] = [];
      marbles(test => {
        const values = { a: call('p', 2), b: call('q', 8), c: call('r', 8) };
        const input = '    -a-b-B-c-X----------------|';
        const expected = ' ---p-B-----------(qr)-----|';
        const committed = '-----p--------------------(qr)';
        const run = test.job(input, stream => stream.pipe(calling(test, { ordered }, calls)), { values });
        test.expectElements(run).toBe(expected);
        test.expectCommitted(run).toBe(committed);
      });
      expect(calls).toEqual(['p', 'q', 'r', 'q', 'r']);
    },
  );

  it('brings back the watermark that was out, and those that waited', () => {
    marbles(test => {
      const { watermark } = test;
      const values = { a: call('p', 9), b: call('q', 9), U: watermark(5), V: watermark(10), W: watermark(20) };
      const input = '   -UaV-bW-B-X--------------|';
      const expected = '-U------B-U--------(pVqW)|';
      const run = test.job(input, stream => stream.pipe(calling(test)), { values });
      test.expectElements(run).toBe(expected, values);
    });
  });

  it('gives each result key and time of its record', () => {
    marbles(test => {
      const { record } = test;
      const values = { a: record(call('p', 5), 100), b: record(call('q', 1), 200) };
      const input = '   -a-b------|';
      const expected = '------(rs)|';
      const keys: unknown[] = [];
      const run = test.job(
        input,
        stream =>
          stream.pipe(
            keyBy(({ id }: Call) => ['shop', id]),
            mapAsync('call', ({ id, ms }: Call, { key }) => {
              keys.push(key);
              return later(test.scheduler, ms, () => id);
            }),
            scan('count', (n: number) => n + 1, 0),
          ),
        { values },
      );
      test.expectElements(run).toBe(expected, { r: record(1, 100, ['shop', 'p']), s: record(1, 200, ['shop', 'q']) });
      test.scheduler.schedule(
        () =>
          expect(keys).toEqual([
            ['shop', 'p'],
            ['shop', 'q'],
          ]),
        10,
      );
    });
  });

  it('has no more than `concurrency` records under way, and calls for the next one when a result is out', () => {
    const calls: string[] = [];
    marbles(test => {
      const values = { a: call('p', 5), b: call('q', 1), c: call('r', 6) };
      const input = '   (abc)----------|';
      const expected = '-----(pq)--r---|';
      const run = test.job(input, stream => stream.pipe(calling(test, { concurrency: 2 }, calls)), { values });
      test.scheduler.schedule(() => expect(calls).toEqual(['p', 'q']), 4);
      test.expectElements(run).toBe(expected);
    });
  });

  it('ends when its input has and the last call was answered, with a checkpoint for what was under way', () => {
    marbles(test => {
      const { watermark } = test;
      const values = { a: call('p', 7), W: watermark(9) };
      const run = test.job('-aW-|-', stream => stream.pipe(calling(test)), { values });
      test.scheduler.schedule(() => run.handle?.checkpoint(), 6);
      test.expectElements(run).toBe('------B-(pW|)', values);
    });
  });

  it('ends after a crash that came between the end of its input and the last answer', () => {
    marbles(test => {
      const values = { a: call('p', 3), b: call('q', 6) };
      const input = '    -ab|-B-X--------';
      const sums = scan('count', (n: number) => n + 1, 0);
      const run = test.job(input, stream => stream.pipe(calling(test), sums), { values });
      test.expectElements(run).toBe('----1B-------(2|)', { 1: 1, 2: 2 });
      test.expectCommitted(run).toBe('-----1-------(2)', { 1: 1, 2: 2 });
    });
  });

  it('passes a barrier, completion, and nothing of an empty input', () => {
    marbles(test => {
      test.expectElements(test.job('-B-|', stream => stream.pipe(calling(test)))).toBe('-B-|');
    });
  });

  it('fails with its input, and aborts what is under way', () => {
    const signals: AbortSignal[] = [];
    marbles(({ job, expectElements }) => {
      const run = job('-a-#', stream =>
        stream.pipe(
          mapAsync('call', (_, { signal }) => {
            signals.push(signal);
            return new Promise(() => {});
          }),
        ),
      );
      expectElements(run).toBe('---#');
    });
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });

  it('tries again with growing waits while that may help, and keeps the order', () => {
    const calls: string[] = [];
    const at: number[] = [];
    marbles(test => {
      const values = { a: call('p', 1), b: call('q', 1) };
      let left = 3;
      const retrying = mapAsync(
        'call',
        ({ id, ms }: Call, { attempt }) => {
          calls.push(`${id}${attempt}`);
          if (id === 'p') at.push(test.scheduler.now());
          return later(test.scheduler, ms, () => {
            if (id === 'p' && left-- > 0) throw new Error('not now');
            return id;
          });
        },
        { retry: { attempts: 4, backoff: { initial: 10, max: 25 } } },
      );
      const run = test.job('-ab-|', stream => stream.pipe(retrying), {
        values,
        settings: { overrides: container => container.registerInstance(tokens.RANDOM, () => 0.5) },
      });
      // 1 + 7.5, + 1 + 15, + 1 + 18.75, each wait three quarters of 10, 20 and 25 with this chance
      test.expectElements(run).toBe('46.25ms (pq|)');
    });
    expect(calls).toEqual(['p1', 'q1', 'p2', 'p3', 'p4']);
    expect(at).toEqual([1, 9.5, 25.5, 45.25]);
  });

  it('tries no further when that cannot help', () => {
    const calls: string[] = [];
    marbles(test => {
      const options = { retry: { attempts: 5, when: (error: unknown) => !/away/.test(String(error)) } };
      const run = test.job('-a---|', stream => stream.pipe(calling(test, options, calls)), {
        values: { a: call('e', 2) },
      });
      test.expectElements(run).toBe('---#', {}, /A request of the actor "call" failed: e is away/);
    });
    expect(calls).toEqual(['e']);
  });

  it('gives up an attempt after its timeout, and aborts it', () => {
    const reasons: unknown[] = [];
    marbles(test => {
      const values = { a: call('p', 9), b: call('q', 1) };
      const slow = mapAsync(
        'call',
        ({ id, ms }: Call, { signal, attempt }) => {
          signal.addEventListener('abort', () => reasons.push((signal.reason as Error).message));
          return later(test.scheduler, attempt === 1 ? ms : 1, () => `${id}${attempt}`);
        },
        { timeout: '4ms', retry: { attempts: 2, backoff: { initial: 0 } } },
      );
      const run = test.job('-a-b----------|', stream => stream.pipe(slow), { values });
      test.expectElements(run).toBe('------(st)----|', { s: 'p2', t: 'q1' });
    });
    expect(reasons).toEqual(['A request of "call" was not answered within 4 ms.']);
  });

  it('fails the job when the last attempt has failed', () => {
    marbles(test => {
      const values = { a: call('p', 1), b: call('e', 3) };
      const run = test.job(
        '-a-b----|',
        stream =>
          stream.pipe(
            keyBy(({ id }: Call) => id),
            calling(test, { retry: { attempts: 2, backoff: { initial: 0 } } }),
          ),
        {
          values,
        },
      );
      test
        .expectElements(run)
        .toBe('--p------#', {}, /A request of the actor "call" for key "e" failed after 2 attempts: e is away/);
    });
  });

  it('gives the fallback in the place of the result, at its place', () => {
    marbles(test => {
      const values = { a: call('p', 6), b: call('e', 1) };
      const fallback = (error: unknown, { id }: Call) => `${id}: ${(error as Error).message}`;
      const run = test.job('-ab----|', stream => stream.pipe(calling(test, { fallback })), { values });
      test.expectElements(run).toBe('-------(pf|)', { f: 'e: e is away' });
    });
  });

  it('sends records whose call fails to the dead letters, at their place', () => {
    marbles(test => {
      const values = {
        a: test.record(call('p', 6), 1),
        b: test.record(call('e', 1), 2),
        c: test.record(call('q', 1), 3),
      };
      const run = test.job(
        '-abc---|',
        stream => {
          const called = stream.pipe(
            keyBy(({ id }: Call) => id),
            calling(test, { supervise: 'skip' }),
          );
          return { good: called, bad: called.side(deadLetters) };
        },
        { values },
      );
      test.expectElements(run, 'good').toBe('-------(pq|)');
      test.expectElements(run, 'bad').toBe('-------(l|)', {
        l: { actor: 'call', key: 'e', value: call('e', 1), timestamp: 2, error: 'e is away' },
      });
    });
  });

  it('calls again in the next job for what was under way when the job was stopped', () => {
    const store = memoryStore();
    const values = { a: call('p', 8), b: call('q', 2) };
    const calls: string[] = [];
    marbles(test => {
      const run = test.job('-ab-S', stream => stream.pipe(calling(test, {}, calls)), { values, store });
      test.expectElements(run).toBe('----B');
    });
    marbles(test => {
      const run = test.job('-ab----|', stream => stream.pipe(calling(test, {}, calls)), { values, store });
      test.expectElements(run).toBe('--------(pq|)');
    });
    expect(calls).toEqual(['p', 'q', 'p', 'q']);
  });

  it('gives what follows the end of time after a crash, too', () => {
    marbles(test => {
      const values = { a: test.record(call('p', 6), 3) };
      const run = test.job(
        '-a|-B-X-',
        stream => stream.pipe(calling(test), tumblingWindow('count', 10, aggregates.count())),
        { values },
      );
      test.expectElements(run).toBe('----B-------(w|)', { w: { key: undefined, start: 0, end: 10, value: 1 } });
    });
  });

  it('pauses the sources while it is full, also those of a stream outside a job', async () => {
    const given: number[] = [];
    const answers: ((n: number) => void)[] = [];
    const numbers = memorySource([1, 2, 3, 4, 5, 6]);
    const stream = () =>
      from(numbers).pipe(
        tap(n => given.push(n)),
        mapAsync('call', (n: number) => new Promise<number>(resolve => answers.push(() => resolve(-n))), {
          concurrency: 2,
        }),
      );
    const answerAll = async () => {
      for (let turn = 0; turn < 20; turn++) {
        for (const answer of answers.splice(0)) answer(0);
        await new Promise(setImmediate);
      }
    };

    const results = lastValueFrom(stream().pipe(toArray()));
    expect(given).toEqual([1, 2]);
    await answerAll();
    expect(await results).toEqual([-1, -2, -3, -4, -5, -6]);

    given.length = 0;
    const sink = memorySink<number>();
    const handle = start(
      job('paused', () => stream().pipe(to(sink))),
      { store: memoryStore(), logger: quiet },
    );
    expect(given).toEqual([1, 2]);
    await answerAll();
    await handle.done;
    expect(sink.committed).toEqual([-1, -2, -3, -4, -5, -6]);
  });

  it('aborts what is under way when a job is stopped or a subscription ends', async () => {
    const signals: AbortSignal[] = [];
    const waiting = (attempt: string) =>
      from(new Subject<number>().pipe(startWith(1))).pipe(
        mapAsync(attempt, (_, { signal }) => {
          signals.push(signal);
          return new Promise(() => {});
        }),
      );
    const handle = start(
      job('stopped', () => waiting('call').pipe(to(memorySink()))),
      { store: memoryStore(), logger: quiet },
    );
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    await handle.stop();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);

    const subscription = waiting('other').subscribe();
    expect(signals[1]?.aborted).toBe(false);
    subscription.unsubscribe();
    expect(signals[1]?.aborted).toBe(true);
  });

  it('takes what the call throws at once, or answers without a promise, as any other answer', async () => {
    const oneOf = (n: number) => {
      if (n === 1) throw new Error('at once');
      return n as unknown as PromiseLike<number>;
    };
    const results = of(1, 2).pipe(mapAsync('call', oneOf, { fallback: (_, n) => -n }));
    expect(await lastValueFrom(results.pipe(toArray()))).toEqual([-1, 2]);
  });

  it('refuses an Observable as an answer', async () => {
    const results = of(1).pipe(mapAsync('call', n => of(n) as unknown as PromiseLike<number>));
    await expect(lastValueFrom(results)).rejects.toThrow(/put firstValueFrom\(\) around it/);
  });

  it('refuses values that a snapshot could not hold', () => {
    class Money {
      readonly cents = 1;
    }
    marbles(test => {
      const run = test.job('-a-|', stream => stream.pipe(calling(test)), { values: { a: new Money() } });
      test.expectElements(run).toBe('-#', {}, /A request of the actor "call" cannot be stored/);
    });
  });

  it.each([
    [{ concurrency: 0 }, 'mapAsync("call"): concurrency is 0: give a whole number of 1 or more.'],
    [{ retry: { attempts: 1.5 } }, 'mapAsync("call"): retry.attempts is 1.5: give a whole number of 1 or more.'],
    [{ timeout: 0 }, /^mapAsync\("call"\): timeout is 0, which is no duration of 1 ms or more/],
    [{ retry: { attempts: 2, backoff: { initial: -1 } } }, /retry\.backoff\.initial is -1/],
    [
      { retry: { attempts: 2, backoff: { factor: 0 } } },
      'mapAsync("call"): retry.backoff.factor is 0: give a number of 1 or more.',
    ],
    [{ supervise: 'reset' as 'skip' }, `mapAsync("call"): supervise is "reset": give 'restart' or 'skip'.`],
  ])('refuses the options %o', (options, message) => {
    expect(() => mapAsync('call', async n => n, options)).toThrow(message);
  });

  itEnds(stream => stream.pipe(mapAsync('call', () => new Promise(() => {}), { timeout: '10s' })));
});
