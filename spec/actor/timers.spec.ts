import { describe, expect, it } from 'vitest';
import { type ActorContext, actor, type Behaviour, deadLetters, type } from '../../lib/index.ts';
import { marbles } from '../../lib/testing/index.ts';
import { keyBy } from '../../operators/index.ts';
import { FailingStore, storeOf } from '../checkpoint/failing-store.ts';
import { inspectedStore } from './stored-entries.ts';

type Command = (ctx: ActorContext<string, string>) => void;
interface Told {
  readonly key: string;
  readonly command: Command;
}

const told = (key: string, command: Command): Told => ({ key, command });
const event = (key: string, ...times: number[]): Told =>
  told(key, ctx => {
    for (const time of times) ctx.timers.atEventTime(time);
  });
const afterMs = (key: string, ...delays: number[]): Told =>
  told(key, ctx => {
    for (const delay of delays) ctx.timers.atProcessingTime(ctx.now() + delay);
  });

/** Does as it is told, counts what it was told, and emits each timer that fires: kind, key, time and count. */
const alarm = (over: Partial<Behaviour<Told, number, string, string>> = {}) =>
  actor<Told, number, string, string>('alarm', {
    emits: type<string>(),
    update: 'return',
    initial: () => 0,
    receive(count, { command }, ctx) {
      command(ctx);
      return count + 1;
    },
    onTimer(count, time, ctx, kind) {
      ctx.emit(`${kind[0]} ${ctx.key}@${time}#${count}`);
    },
    ...over,
  });
const byKey = keyBy((value: Told) => value.key);

describe('timers of event time', () => {
  it('fire in order of time, for one time in the order in which they were set, before the watermark goes on', () => {
    marbles(({ job, expectElements, record, watermark }) => {
      const values = { a: event('a', 20, 10), b: event('b', 10, 30), W: watermark(20), V: watermark(30) };
      const input = '   -a-b-W------V---|';
      const expected = '-----(pqrW)-(sV)|';
      expectElements(job(input, stream => stream.pipe(byKey, alarm()), { values })).toBe(expected, {
        p: record('e a@10#1', 10, 'a'),
        q: record('e b@10#1', 10, 'b'),
        r: record('e a@20#1', 20, 'a'),
        s: record('e b@30#1', 30, 'b'),
        W: watermark(20),
        V: watermark(30),
      });
    });
  });

  it('are one for each key and time, however often they are set', () => {
    marbles(({ job, expectElements, watermark }) => {
      const values = { a: event('a', 10, 10), b: event('b', 10), W: watermark(10), V: watermark(11) };
      const input = '   -a-a-b-W----V|';
      const expected = '-------(pqW)V|';
      expectElements(job(input, stream => stream.pipe(byKey, alarm()), { values })).toBe(expected, {
        p: 'e a@10#2',
        q: 'e b@10#1',
        W: watermark(10),
        V: watermark(11),
      });
    });
  });

  it('are cancelled for one key and time, also within the message that set them', () => {
    marbles(({ job, expectElements, watermark }) => {
      const cancelled = told('a', ctx => {
        ctx.timers.cancelEventTime(10);
        ctx.timers.atEventTime(15);
        ctx.timers.cancelEventTime(15);
        ctx.timers.cancelEventTime(99);
      });
      const values = { a: event('a', 10, 20), b: event('b', 10, 15), c: cancelled, W: watermark(50) };
      const input = '   -a-b-c-W-----|';
      const expected = '-------(pqrW)|';
      expectElements(job(input, stream => stream.pipe(byKey, alarm()), { values })).toBe(expected, {
        p: 'e b@10#1',
        q: 'e b@15#1',
        r: 'e a@20#2',
        W: watermark(50),
      });
    });
  });

  it('that onTimer sets fire with the same watermark when it has reached them, in their place among the others', () => {
    marbles(({ job, expectElements, watermark }) => {
      const values = { a: event('a', 10), b: event('b', 15), W: watermark(30), V: watermark(100) };
      const input = '   -a-b-W--------V-----|';
      const expected = '-----(pqrstW)-(uvwV)|';
      const chained = alarm({
        onTimer(count, time, ctx) {
          ctx.emit(`${ctx.key}@${time}`);
          if (time < 40) ctx.timers.atEventTime(time + 10);
          return count + 1;
        },
      });
      expectElements(job(input, stream => stream.pipe(byKey, chained), { values })).toBe(expected, {
        p: 'a@10',
        q: 'b@15',
        r: 'a@20',
        s: 'b@25',
        t: 'a@30',
        u: 'b@35',
        v: 'a@40',
        w: 'b@45',
        W: watermark(30),
        V: watermark(100),
      });
    });
  });

  it('set for a time that has passed fire at once, behind what the message emits', () => {
    marbles(({ job, expectElements, record, watermark }) => {
      const late = told('a', ctx => {
        ctx.timers.atEventTime(20);
        ctx.timers.atEventTime(5);
        ctx.emit('late');
      });
      const values = { W: watermark(20), a: record(late, 7) };
      const input = '   -W-a----|';
      const expected = '-W-(pqr)|';
      expectElements(job(input, stream => stream.pipe(byKey, alarm()), { values })).toBe(expected, {
        W: watermark(20),
        p: record('late', 7, 'a'),
        q: record('e a@5#1', 5, 'a'),
        r: record('e a@20#1', 20, 'a'),
      });
    });
  });

  it('fire at the end of bounded input, however far away they are', () => {
    marbles(({ job, expectElements }) => {
      const values = { a: event('a', 1e15, 10), b: event('b', Number.POSITIVE_INFINITY) };
      const input = '   -a-b-|';
      const expected = '-----(pqr|)';
      expectElements(job(input, stream => stream.pipe(byKey, alarm()), { values })).toBe(expected, {
        p: 'e a@10#1',
        q: 'e a@1000000000000000#1',
        r: 'e b@Infinity#1',
      });
    });
  });

  it('see the watermark that fired them, and the time that they were set for', () => {
    marbles(({ job, expectElements, watermark }) => {
      const looking = alarm({
        onTimer: (count, _, ctx) => {
          ctx.emit(`${ctx.timestamp} of ${ctx.watermark}`);
          return count;
        },
      });
      const values = { a: event('a', 10), W: watermark(25) };
      const input = '   -a-W---|';
      const expected = '---(pW)|';
      expectElements(job(input, stream => stream.pipe(byKey, looking), { values })).toBe(expected, {
        p: '10 of 25',
        W: watermark(25),
      });
    });
  });

  it('that are set when time has ended do not fire: a timer that sets the next one comes to an end', () => {
    marbles(({ job, expectElements }) => {
      const everyMinute = alarm({
        onTimer(count, time, ctx) {
          ctx.timers.atEventTime(time + 60_000);
          ctx.emit(`${time}`);
          return count;
        },
      });
      const input = '   -a-b-|';
      const expected = '-----(pq|)';
      const values = { a: event('a', 10), b: event('b', 20) };
      expectElements(job(input, stream => stream.pipe(byKey, everyMinute), { values })).toBe(expected, {
        p: '10',
        q: '20',
      });
    });
  });
});

describe('timers of processing time', () => {
  it("fire by the task's clock, in order of time, then as they were set", () => {
    marbles(({ job, expectElements, record }) => {
      const values = { a: afterMs('a', 8, 4), b: afterMs('b', 2, 8) };
      const input = '   -a-b---------|';
      const expected = '-----(pq)r-s-|';
      expectElements(job(input, stream => stream.pipe(byKey, alarm()), { values })).toBe(expected, {
        p: record('p a@5#1', 5, 'a'),
        q: record('p b@5#1', 5, 'b'),
        r: record('p a@9#1', 9, 'a'),
        s: record('p b@11#1', 11, 'b'),
      });
    });
  });

  it('are one for each key and time, and can be cancelled', () => {
    marbles(({ job, expectElements }) => {
      const at = (key: string, time: number) => told(key, ctx => ctx.timers.atProcessingTime(time));
      const cancel = (key: string, time: number) => told(key, ctx => ctx.timers.cancelProcessingTime(time));
      const values = { a: at('a', 9), b: at('b', 9), c: cancel('a', 9), d: at('a', 8) };
      const input = '   -b-(aacd)---|';
      const expected = '--------pq--|';
      expectElements(job(input, stream => stream.pipe(byKey, alarm()), { values })).toBe(expected, {
        p: 'p a@8#4',
        q: 'p b@9#1',
      });
    });
  });

  it('have nothing to do with those of event time', () => {
    marbles(({ job, expectElements, watermark }) => {
      const both = told('a', ctx => {
        ctx.timers.atEventTime(8);
        ctx.timers.atProcessingTime(8);
        ctx.timers.cancelEventTime(8);
      });
      const input = '   -a-W-----|';
      const expected = '---W----p|';
      const values = { a: both, W: watermark(1_000) };
      expectElements(job(input, stream => stream.pipe(byKey, alarm()), { values })).toBe(expected, {
        W: watermark(1_000),
        p: 'p a@8#1',
      });
    });
  });

  it('that onTimer sets repeat until bounded input ends; what waits then is dropped', () => {
    marbles(({ job, expectElements }) => {
      const ticking = alarm({
        onTimer(count, time, ctx) {
          ctx.emit(`${time}`);
          ctx.timers.atProcessingTime(time + 3);
          return count;
        },
      });
      const input = '   -a----------|';
      const expected = '----p--q--r-|';
      const values = { a: afterMs('a', 3) };
      expectElements(job(input, stream => stream.pipe(byKey, ticking), { values })).toBe(expected, {
        p: '4',
        q: '7',
        r: '10',
      });
    });
  });

  it('that lie further away than Node can wait fire in time', () => {
    const month = 31 * 24 * 3_600_000;
    marbles(({ job, expectElements }) => {
      const input = `   -a ${month}ms |`;
      const expected = `-- ${month - 1}ms p|`;
      const values = { a: afterMs('a', month) };
      expectElements(job(input, stream => stream.pipe(byKey, alarm()), { values })).toBe(expected, {
        p: `p a@${month + 1}#1`,
      });
    });
  });
});

describe('timers in snapshots', () => {
  it('are held beside the state, and are gone from it when they have fired or were cancelled', () => {
    const { store, stored } = inspectedStore();
    const seen: unknown[] = [];
    marbles(({ job, scheduler, watermark }) => {
      const set = told('a', ctx => {
        ctx.timers.atEventTime(30);
        ctx.timers.atEventTime(10);
        ctx.timers.atProcessingTime(1_000);
      });
      const cancel = told('a', ctx => ctx.timers.cancelProcessingTime(1_000));
      const values = { a: set, W: watermark(10), c: cancel };
      job('-a-B-W-c-B-|', stream => stream.pipe(byKey, alarm()), { values, store });
      for (const frame of [4, 10]) scheduler.schedule(() => seen.push(stored('alarm')), frame);
    });
    expect(seen).toEqual([
      {
        values: [['a', 1]],
        entries: [],
        event: [
          ['a', 30],
          ['a', 10],
        ],
        processing: [['a', 1_000]],
      },
      { values: [['a', 2]], entries: [], event: [['a', 30]], processing: [] },
    ]);
  });

  it('come back with the state and in their order; those set behind the barrier when they are set again', () => {
    marbles(({ job, expectElements, watermark }) => {
      const values = { a: event('a', 20, 10), b: event('b', 20), c: event('c', 20), W: watermark(20) };
      const input = '   -a-b-B-c-X-W------|';
      const expected = '-----B-----(pqrsW)|';
      expectElements(job(input, stream => stream.pipe(byKey, alarm()), { values })).toBe(expected, {
        p: 'e a@10#1',
        q: 'e a@20#1',
        r: 'e b@20#1',
        s: 'e c@20#1',
        W: watermark(20),
      });
    });
  });

  it('do not come back when they fired or were cancelled before the barrier', () => {
    marbles(({ job, expectElements, watermark }) => {
      const cancel = told('a', ctx => ctx.timers.cancelEventTime(30));
      const values = { a: event('a', 10, 30, 40), W: watermark(10), c: cancel, V: watermark(99) };
      const input = '   -a-W---c-B-X-V---|';
      const expected = '---(pW)--B-W-(qV)|';
      expectElements(job(input, stream => stream.pipe(byKey, alarm()), { values })).toBe(expected, {
        p: 'e a@10#1',
        q: 'e a@40#2',
        W: watermark(10),
        V: watermark(99),
      });
    });
  });

  it('fire again when they fired behind the barrier: what they did was not committed', () => {
    marbles(({ job, expectElements, expectCommitted, watermark }) => {
      const values = { a: event('a', 10), W: watermark(10) };
      const input = '    -a-B-W---X---|';
      const expected = ' ---B-(pW)(pW)|'.replace('(pW)(pW)', '(pW)(pW)');
      const committed = '-------------p';
      const run = job(input, stream => stream.pipe(byKey, alarm()), { values });
      const fired = { p: 'e a@10#1', W: watermark(10) };
      expectElements(run).toBe(expected, fired);
      expectCommitted(run).toBe(committed, fired);
    });
  });

  it('of processing time fire after the restore when they are overdue by then, and else in their time', () => {
    marbles(({ job, expectElements, expectCommitted }) => {
      const values = { a: afterMs('a', 4, 11), b: told('b', () => {}) };
      const input = '    -a-B-b----X---|';
      const expected = ' ---B-p----p-q-|';
      const committed = '--------------(pq)';
      const run = job(input, stream => stream.pipe(byKey, alarm()), { values });
      const fired = { p: 'p a@5#1', q: 'p a@12#1' };
      expectElements(run).toBe(expected, fired);
      expectCommitted(run).toBe(committed, fired);
    });
  });

  it('of processing time wait in another job for what is left of their time', () => {
    const { store } = inspectedStore();
    marbles(({ job }) => {
      job('-a-S', stream => stream.pipe(byKey, alarm()), { values: { a: afterMs('a', 4, 19) }, store });
    });
    marbles(({ job, expectElements }) => {
      // What the first job has read is passed over.
      const input = '   -a-------- 10ms -|';
      const expected = '-----p---- 10ms q|';
      expectElements(job(input, stream => stream.pipe(byKey, alarm()), { store })).toBe(expected, {
        p: 'p a@5#1',
        q: 'p a@20#1',
      });
    });
  });

  it('are not lost with an abandoned checkpoint: the next one holds them, and that they fired', () => {
    const { store: kept, stored } = inspectedStore();
    const store = new FailingStore(kept.task({ job: 'marbles', task: 'main' }));
    store.plan('prepare', undefined, 'refuses');
    const seen: unknown[] = [];
    marbles(({ job, expectElements, scheduler, watermark }) => {
      const values = { a: event('a', 10, 20), W: watermark(10), c: event('c', 30), V: watermark(40) };
      const input = '   -a-B-W-c-B-B-X-V----|';
      const expected = '---B-(pW)B-B-W-(qrV)|';
      const run = job(input, stream => stream.pipe(byKey, alarm()), {
        values,
        store: storeOf(store),
        settings: { checkpoint: { tolerableFailures: 1 } },
      });
      expectElements(run).toBe(expected, {
        p: 'e a@10#1',
        q: 'e a@20#1',
        r: 'e c@30#1',
        W: watermark(10),
        V: watermark(40),
      });
      for (const frame of [10, 12]) scheduler.schedule(() => seen.push(stored('alarm').event), frame);
    });
    expect(seen).toEqual([
      [
        ['a', 10],
        ['a', 20],
      ],
      [
        ['a', 20],
        ['c', 30],
      ],
    ]);
  });
});

describe('a timer call', () => {
  const throwing = told('a', ctx => {
    ctx.timers.atEventTime(10);
    ctx.timers.cancelEventTime(20);
    ctx.timers.atProcessingTime(3);
    throw new Error('no');
  });

  it('has not happened when the message throws', () => {
    marbles(({ job, expectElements, watermark }) => {
      const values = { a: event('a', 20), b: throwing, W: watermark(30) };
      const input = '   -a-b-W---|';
      const expected = '-----(pW)|';
      const run = job(
        input,
        stream => {
          const fired = stream.pipe(byKey, alarm({ supervise: 'skip' }));
          return { fired, dead: fired.side(deadLetters) };
        },
        { values },
      );
      expectElements(run, 'fired').toBe(expected, { p: 'e a@20#1', W: watermark(30) });
    });
  });

  it('of onTimer has not happened when it throws, and the timer that fired is gone', () => {
    marbles(({ job, expectElements, watermark }) => {
      const failing = alarm({
        supervise: 'skip',
        onTimer(count, time, ctx) {
          if (Number.isFinite(ctx.watermark)) ctx.timers.atEventTime(time + 5);
          if (time === 10) throw new Error('ten');
          ctx.emit(`${time}`);
          return count;
        },
      });
      const values = { a: event('a', 10, 12), W: watermark(14), V: watermark(18) };
      const input = '   -a-W---V---|';
      const expected = '---(pW)(qV)(r|)';
      const dead = '    ---(dW)V---|';
      const run = job(
        input,
        stream => {
          const fired = stream.pipe(byKey, failing);
          return { fired, dead: fired.side(deadLetters) };
        },
        { values },
      );
      expectElements(run, 'fired').toBe(expected, {
        p: '12',
        q: '17',
        r: '22',
        W: watermark(14),
        V: watermark(18),
      });
      expectElements(run, 'dead').toBe(dead, {
        d: { actor: 'alarm', key: 'a', value: 10, timestamp: 10, error: 'ten' },
        W: watermark(14),
        V: watermark(18),
      });
    });
  });

  it.each(['atEventTime', 'atProcessingTime'] as const)('%s(NaN) is refused: no clock reaches it', call => {
    marbles(({ job, expectElements, scheduler }) => {
      const values = { a: told('a', ctx => ctx.timers[call](ctx.timestamp)) };
      const run = job('-a-|', stream => stream.pipe(byKey, alarm()), { values });
      expectElements(run).toBe('-#');
      scheduler.schedule(() => {
        expect(run.handle?.status.error?.message).toMatch(/"alarm" set a timer for NaN: its record has no timestamp/);
      }, 9);
    });
    expect.assertions(1);
  });

  it('is refused in an actor without onTimer', () => {
    marbles(({ job, expectElements, scheduler }) => {
      const deaf = actor<Told, number, string, string>('deaf', {
        emits: type<string>(),
        initial: () => 0,
        receive: (_, { command }, ctx) => command(ctx),
      });
      const run = job('-a-|', stream => stream.pipe(byKey, deaf), { values: { a: event('a', 10) } });
      expectElements(run).toBe('-#');
      scheduler.schedule(() => {
        expect(run.handle?.status.error?.message).toMatch(/"deaf" uses timers but has no onTimer/);
      }, 9);
    });
    expect.assertions(1);
  });
});
