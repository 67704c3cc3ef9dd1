import { filter, firstValueFrom, map } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  actor,
  type CommitRecord,
  type DataStream,
  type ExternalCommitPoint,
  FencedError,
  from,
  job,
  memoryStore,
  type Sink,
  type Source,
  StoreUnavailableError,
  start,
  type,
  UserCodeError,
} from '../../lib/index.ts';
import { marbles } from '../../lib/testing/index.ts';
import { scan, to, union } from '../../operators/index.ts';
import { settled } from '../checkpoint/coordinated.ts';
import { FailingStore, type StoreStep, storeOf } from '../checkpoint/failing-store.ts';
import { FaultyRun } from '../checkpoint/faulty-run.ts';
import { Ledger } from '../checkpoint/ledger-job.ts';
import { quiet } from '../job/quiet.ts';
import { AtHand } from '../regressions/at-hand.ts';

/** Makes the task fail that runs now. */
const failing: { current?: (error: unknown) => void } = {};

/** A job of one source and one sink that tell what is done to them; `opening` is what the sink waits for. */
function observed(opening?: Promise<void>, more: Partial<Sink<number>> = {}) {
  const done: string[] = [];
  const source: Source<number> = {
    kind: 'observed',
    name: 'in',
    bounded: false,
    open() {
      done.push('source opened');
      return {
        start: () => done.push('source started'),
        position: () => 0,
        pause() {},
        resume() {},
        close: () => {
          done.push('source closed');
        },
      };
    },
  };
  const sink: Sink<number> = {
    kind: 'observed',
    name: 'out',
    guarantee: 'none',
    ...more,
    async open({ error }) {
      failing.current = error;
      await opening;
      done.push('sink opened');
      return {
        restore: () => {
          done.push('sink restored');
        },
        write() {},
        barrier() {},
        flush: () => null,
        commit() {},
        abandon() {},
        close: () => {
          done.push('sink closed');
        },
      };
    },
  };
  return { done, job: job('observed', () => from(source).pipe(to(sink))) };
}

describe('a task that is cancelled while it recovers', () => {
  it.each(['acquireFence', 'manifests'] satisfies StoreStep[])('opens nothing: at %s', async step => {
    const store = new FailingStore(memoryStore().task({ job: 'observed', task: 'main' }));
    const held = Promise.withResolvers<void>();
    store.plan(step, held.promise);
    const { done, job } = observed();
    const handle = start(job, { store: storeOf(store), logger: quiet });
    await settled();
    const cancelled = handle.cancel();
    held.resolve();
    await cancelled;
    await settled();
    expect(await handle.done).toBe('cancelled');
    expect(done).toEqual([]);
  });

  it('does not even begin before its store was checked', async () => {
    const store = new FailingStore(memoryStore().task({ job: 'observed', task: 'main' }));
    const held = Promise.withResolvers<[]>();
    const { done, job } = observed();
    const handle = start(job, { store: { ...storeOf(store), check: () => held.promise }, logger: quiet });
    const cancelled = handle.cancel();
    held.resolve([]);
    await cancelled;
    await settled();
    expect({ done, asked: store.asked }).toEqual({ done: [], asked: [] });
  });

  it('closes what it has opened, and opens no more', async () => {
    const opening = Promise.withResolvers<void>();
    const { done, job } = observed(opening.promise);
    const handle = start(job, { store: memoryStore(), logger: quiet });
    await settled();
    const cancelled = handle.cancel();
    opening.resolve();
    await cancelled;
    await settled();
    expect(done).toEqual(['sink opened', 'sink closed']);
  });
});

describe('a task that restarts', () => {
  const restart = { restart: { strategy: 'fixed-delay', attempts: 5, delay: 2 } } as const;
  const ref = { job: 'marbles', task: 'main' };
  const failsAtB = () => {
    let hasFailed = false;
    return map((value: string) => {
      if (value !== 'b' || hasFailed) return value;
      hasFailed = true;
      throw new Error('no b');
    });
  };

  it('does not take the task back from another process that has taken it over', () => {
    marbles(({ job, scheduler, expectElements }) => {
      const store = memoryStore();
      const fails = failsAtB();
      const input = '   -a--b---|';
      const elements = '-a----#';
      const run = job(input, stream => stream.pipe(fails), { settings: restart, store });
      scheduler.schedule(() => store.task(ref).acquireFence(0), 2);
      scheduler.schedule(() => expect(store.task(ref).fence()).toBe(2), 12);
      expectElements(run).toBe(elements, {}, expect.any(FencedError));
    });
  });

  it('does not do so either when it could not ask for the fence at its first try', async () => {
    const store = memoryStore();
    const another = store.task({ job: 'observed', task: 'main' });
    let opens = 0;
    let record: CommitRecord | undefined;
    const point = (): ExternalCommitPoint => ({
      kind: 'spec',
      async open() {
        opens++;
        if (opens === 2) {
          // Out of reach at the restart; meanwhile somebody else is at work.
          void another.acquireFence(0);
          throw new StoreUnavailableError('what decides is out of reach');
        }
        return { kind: 'spec', clusterId: 'C' };
      },
      read: async () => record,
      fence: async () => {},
      commit: async (_, given) => {
        record = given;
      },
      close() {},
    });
    const { job } = observed(undefined, { commitsWith: 'what decides', commitsIn: point });
    const handle = start(job, { store, logger: quiet, restart: { strategy: 'fixed-delay', attempts: 5, delay: 1 } });
    await firstValueFrom(handle.status$.pipe(filter(({ phase }) => phase === 'running')));
    failing.current?.(new StoreUnavailableError('something passed'));
    await expect(handle.done).rejects.toThrow(FencedError);
    expect(another.fence()).toBe(2);
  });

  it('does not take its own token for that of another when the answer got lost', () => {
    marbles(({ job, expectElements }) => {
      const store = new FailingStore(memoryStore().task(ref));
      store.plan('acquireFence', undefined, 'loses the answer');
      const fails = failsAtB();
      const input = '   -a--b-------|';
      const elements = '-a------(ab)|';
      expectElements(job(input, stream => stream.pipe(fails), { settings: restart, store: storeOf(store) })).toBe(
        elements,
      );
    });
  });
});

describe('a task that is overtaken while it recovers', () => {
  it('is fenced off, whatever its sink makes of what it finds', async () => {
    const store = memoryStore();
    const opening = Promise.withResolvers<void>();
    const { job } = observed(opening.promise);
    const handle = start(job, { store, logger: quiet });
    await settled();
    void store.task({ job: 'observed', task: 'main' }).acquireFence(0);
    opening.reject(new UserCodeError('the output is not as it should be'));
    await expect(handle.done).rejects.toThrow(FencedError);
  });

  it('hears of what its sink finds when it is not', async () => {
    const opening = Promise.withResolvers<void>();
    const { job } = observed(opening.promise);
    const handle = start(job, { store: memoryStore(), logger: quiet, restart: { strategy: 'none' } });
    await settled();
    opening.reject(new UserCodeError('the output is not as it should be'));
    await expect(handle.done).rejects.toThrow('the output is not as it should be');
  });
});

describe('a task whose state is gone when it restores it', () => {
  /** A job that has counted, and starts again; it is held where it reads its first segment. */
  async function restoring() {
    const hand = new AtHand();
    const counts = (input: DataStream<number>) => input.pipe(scan('sum', (sum, value: number) => sum + value, 0));
    const first = hand.start(input => counts(input).pipe(to(hand.sink)));
    hand.push(1);
    await first.stop();
    const task = new FailingStore(hand.store.task({ job: 'at-hand', task: 'main' }));
    const reading = Promise.withResolvers<void>();
    task.plan('getSegment', reading.promise);
    const handle = hand.start(input => counts(input).pipe(to(hand.sink)), { store: storeOf(task) });
    await settled();
    expect(task.asked).toContain('getSegment');
    return { handle, reading, another: hand.store.task({ job: 'at-hand', task: 'main' }) };
  }

  it('is fenced off where another one has gone on, and no longer needs it', async () => {
    const { handle, reading, another } = await restoring();
    another.clear(await another.acquireFence(0));
    reading.resolve();
    await expect(handle.done).rejects.toThrow(FencedError);
  });

  it('says so where it is the one that runs the task', async () => {
    const { handle, reading, another } = await restoring();
    another.clear(await another.fence());
    reading.resolve();
    await expect(handle.done).rejects.toMatchObject({ code: 'STATE_LOST' });
  });
});

describe('a task that is stopped while it recovers', () => {
  it('takes its final checkpoint without reading anything', async () => {
    const store = memoryStore();
    const opening = Promise.withResolvers<void>();
    const { done, job } = observed(opening.promise);
    const handle = start(job, { store, logger: quiet });
    await settled();
    const stopped = handle.stop();
    opening.resolve();
    await stopped;
    expect(await handle.done).toBe('stopped');
    expect(done).toEqual(['sink opened', 'sink restored', 'source opened', 'source closed', 'sink closed']);
  });
});

describe('a job whose store cannot be reached when it starts', () => {
  it('looks at it again at each restart, until it has seen it once', async () => {
    const said: string[] = [];
    const logger = { ...quiet, warn: (_: object, message: string) => said.push(message) };
    const task = new FailingStore(memoryStore().task({ job: 'observed', task: 'main' }));
    // Away at first, and once more when the task recovers; then it is there.
    task.plan('acquireFence', 'refuses');
    let looks = 0;
    const store = {
      ...storeOf(task),
      check() {
        looks++;
        if (looks <= 2) throw new StoreUnavailableError('the store is away');
        return [{ level: 'warn', message: 'the store forgets everything' } as const];
      },
    };
    const { done, job } = observed();
    const restart = { strategy: 'fixed-delay', attempts: 5, delay: 1 } as const;
    const handle = start(job, { store, logger, restart });
    await firstValueFrom(handle.status$.pipe(filter(({ phase }) => phase === 'running')));
    await handle.cancel();
    expect(looks).toBe(3);
    expect(said.filter(message => message === 'the store forgets everything')).toHaveLength(1);
    expect(done).toContain('source started');
  });
});

describe('a task that restarts because checkpoints failed', () => {
  it('uses none of their ids again, although the store knows nothing of them', () => {
    const outcomes: string[] = [];
    marbles(({ job, scheduler }) => {
      const store = new FailingStore(memoryStore().task({ job: 'marbles', task: 'main' }));
      store.plan('prepare', 'refuses', 'refuses');
      const settings = {
        restart: { strategy: 'fixed-delay', attempts: 3, delay: 2 },
        checkpoint: { tolerableFailures: 1 },
      } as const;
      const run = job('-a-B-B-----B-|', stream => stream, { settings, store: storeOf(store) });
      scheduler.schedule(() => {
        run.handle?.checkpoints$.subscribe(({ outcome, id }) => outcomes.push(`${outcome} ${id}`));
      });
    });
    expect(outcomes).toEqual(['abandoned 1', 'committed 3', 'committed 4']);
  });
});

describe('a job that died right after the decision that it has finished', () => {
  it.each(['dies before', 'dies halfway', 'dies after'] as const)(
    'shows its last output at the next start: %s',
    async how => {
      const ledger = new Ledger();
      const run = new FaultyRun(ledger, { tolerableFailures: 0, retained: 1 });
      ledger.take({ account: 'a', act: { add: 1 } });
      await run.happen({ sinkFault: how, at: 'commit', of: 0 });
      await run.finish();
      expect(run.visible('accounts')).toEqual(['a gets 1', 'a has 1']);
      expect(run.visible('counts')).toEqual(['1']);
      expect(run.committed?.id).toBe(1);
    },
  );
});

describe('a restored task', () => {
  it('knows how far each input was before any of them is read on', () => {
    marbles(({ job, expectElements, watermark }) => {
      // Both inputs have told their time before the barrier; the record behind it is read again after the crash.
      const a = '       V---B-r-X---|';
      const b = '       --W---------|';
      const expected = '--W-B-t-(Wt)|';
      const seen = actor('seen', {
        emits: type<number>(),
        update: 'return',
        initial: () => 0,
        receive(count: number, _: unknown, ctx) {
          ctx.emit(ctx.watermark);
          return count;
        },
      });
      const values = { V: watermark(50), W: watermark(20), t: 20 };
      expectElements(job({ a, b }, inputs => union(inputs.a, inputs.b).pipe(seen), { values })).toBe(expected, values);
    });
  });

  it('fires at once a timer for a time that has passed, so that a crash changes nothing about it', () => {
    marbles(({ job, expectElements, expectCommitted, watermark }) => {
      const input = '    W-r-B-s-X---|';
      const elements = ' W-a-B-b-(Wb)|';
      const committed = '----a-------b';
      const remembers = actor('remembers', {
        emits: type<string>(),
        update: 'return',
        initial: () => 0,
        receive(_: number, value: unknown, ctx) {
          ctx.timers.atEventTime(value === 'r' ? 10 : 15);
        },
        onTimer(count: number, time, ctx) {
          ctx.emit(time === 10 ? 'a' : 'b');
          return count + 1;
        },
      });
      const values = { W: watermark(20) };
      const run = job(input, stream => stream.pipe(remembers), { values });
      expectElements(run).toBe(elements, values);
      expectCommitted(run).toBe(committed);
    });
  });
});
