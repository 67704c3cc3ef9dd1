import { map, tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { actor, type Behaviour, deadLetters, type } from '../../lib/index.ts';
import { type MarbleInput, marbles } from '../../lib/testing/index.ts';
import { keyBy, scan } from '../../operators/index.ts';
import { errorOf } from './error-of.ts';
import { inspectedStore } from './stored-entries.ts';

const numbers = { 0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 7, 8: 8, 9: 9 };
const id = (value: string): string => value;

/** Sums numbers; throws at 3. */
const summing = (over: Partial<Behaviour<number, { sum: number }, number, never>> = {}) =>
  actor<number, { sum: number }, number>('sum', {
    emits: type<number>(),
    initial: () => ({ sum: 0 }),
    receive(state, value, ctx) {
      state.sum += value;
      ctx.emit(state.sum);
      if (value === 3) throw new Error('three');
    },
    ...(over as object),
  });

describe('actor', () => {
  describe('state', () => {
    it('changes through a draft, and what is emitted is the state when the handler returns', () => {
      marbles(({ job, expectElements }) => {
        const list = actor<string, { seen: string[] }, { seen: string[] }>('list', {
          emits: type<{ seen: string[] }>(),
          initial: () => ({ seen: [] }),
          receive(state, value, ctx) {
            ctx.emit(state as { seen: string[] });
            state.seen.push(value);
          },
        });
        expectElements(job('-a-b-|', stream => stream.pipe(list))).toBe('-a-b-|', {
          a: { seen: ['a'] },
          b: { seen: ['a', 'b'] },
        });
      });
    });

    it('is frozen, so that a change in place is an error and never a silent loss', () => {
      marbles(({ job, expectElements, scheduler }) => {
        const unclean = scan<string, { n: number[] }>(
          'unclean',
          state => {
            state.n.push(1);
            return state;
          },
          { n: [] },
          { update: 'return' },
        );
        const run = job('-a-|', stream => stream.pipe(unclean));
        expectElements(run).toBe('-#');
        scheduler.schedule(
          () => expect(run.handle?.status.error?.message).toMatch(/"unclean" threw.*not extensible/),
          9,
        );
      });
    });

    it('may hold Maps and Sets, dates and typed arrays, and comes back as it was', () => {
      marbles(({ job, expectElements }) => {
        interface State {
          map: Map<string, number>;
          at: Date;
          bytes: Uint8Array;
        }
        const rich = actor<string, State, string>('rich', {
          emits: type<string>(),
          initial: () => ({ map: new Map(), at: new Date(0), bytes: new Uint8Array(1) }),
          receive(state, value, ctx) {
            state.map.set(value, (state.map.get(value) ?? 0) + 1);
            state.at = new Date(state.at.getTime() + 1);
            state.bytes = new Uint8Array([...state.bytes, 7]);
            ctx.emit(`${[...state.map]} ${state.at.getTime()} ${state.bytes}`);
          },
        });
        const input = '   -a-B-X-a-|';
        const expected = '-p-B---q-|';
        expectElements(job(input, stream => stream.pipe(rich))).toBe(expected, { p: 'a,1 1 0,7', q: 'a,2 2 0,7,7' });
      });
    });

    it('a typed array that a handler returned is copied, since it cannot be frozen', () => {
      marbles(({ job, expectElements }) => {
        const shared = new Uint8Array([0]);
        const bytes = actor<string, Uint8Array, number>('bytes', {
          emits: type<number>(),
          update: 'return',
          initial: () => new Uint8Array([0]),
          receive(state, _value, ctx) {
            ctx.emit((state as Uint8Array)[0] as number);
            shared[0] = ((state as Uint8Array)[0] as number) + 1;
            const returned = shared;
            queueMicrotask(() => shared.fill(99));
            return returned;
          },
        });
        expectElements(job('-a-b-|', stream => stream.pipe(bytes))).toBe('-0-1-|', numbers);
      });
    });

    it('is dropped by forget(), also over a crash', () => {
      marbles(({ job, expectElements }) => {
        const visits = actor<string, { n: number }, number>('visits', {
          emits: type<number>(),
          initial: () => ({ n: 0 }),
          receive(state, value, ctx) {
            state.n++;
            ctx.emit(state.n);
            if (value === 'x') ctx.forget();
          },
        });
        const input = '   -a-B-x-B-X-a-|';
        const expected = '-1-B-2-B---1-|';
        expectElements(job(input, stream => stream.pipe(visits), { values: { a: 'a', x: 'x' } })).toBe(
          expected,
          numbers,
        );
      });
    });

    it('of a promise is refused: nothing may happen between two records', () => {
      marbles(({ job, expectElements, scheduler }) => {
        const late = actor<string, number>('late', { initial: () => 0, receive: (async () => 1) as never });
        const run = job('-a-|', stream => stream.pipe(late));
        expectElements(run).toBe('-#');
        scheduler.schedule(() => expect(run.handle?.status.error?.message).toMatch(/synchronous/), 9);
      });
    });

    it('that cannot be stored unchanged fails the checkpoint and names actor, key and path', () => {
      marbles(({ job, expectElements, scheduler }) => {
        const odd = actor<string, { f?: unknown }>('odd', {
          initial: () => ({}),
          receive: () => ({ f: () => 1 }),
          update: 'return',
        });
        const run = job('-a-B', stream => stream.pipe(keyBy(id), odd));
        expectElements(run).toBe('---(B#)');
        scheduler.schedule(() => expect(run.handle?.status.error?.message).toMatch(/"odd" for key a .*\.f/), 9);
      });
    });

    it('may be an initial one for long: it is asked for again while a handler leaves it unchanged', () => {
      const asked: string[] = [];
      const rare = actor<string, number, number, string>('rare', {
        emits: type<number>(),
        update: 'return',
        initial: key => {
          asked.push(key);
          return 10;
        },
        receive(state, value, ctx) {
          ctx.emit(state);
          return value.endsWith('!') ? state + 1 : state;
        },
      });
      const { store, stored } = inspectedStore();
      marbles(({ job, expectElements }) => {
        const values = { a: 'a', b: 'b', c: 'b!' };
        const input = '   -a-a-b-c-b-|';
        const expected = '-p-p-p-p-q-|';
        expectElements(
          job(
            input,
            stream =>
              stream.pipe(
                keyBy((v: string) => v[0] as string),
                rare,
              ),
            { values, store },
          ),
        ).toBe(expected, { p: 10, q: 11 });
      });
      expect(asked).toEqual(['a', 'a', 'b', 'b']);
      expect(stored('rare').values).toEqual([['b', 11]]);
    });

    it('is unchanged, and not stored again, when a handler returns it as it got it', () => {
      const { store, committed } = inspectedStore();
      const bytes = actor<string, Uint8Array>('bytes', {
        update: 'return',
        initial: () => new Uint8Array(2),
        receive: (state, value) => (value === 'c' ? new Uint8Array(3) : (state as Uint8Array)),
      });
      marbles(({ job }) => {
        job('-c-B-a-B-|', stream => stream.pipe(bytes), { store });
      });
      const names = committed().map(({ actors }) => actors.bytes?.segments.map(({ name }) => name));
      expect(names).toEqual([names[0], names[0], names[0]]);
      expect(names[0]).toHaveLength(1);
    });

    it('of Buffers stays one of Buffers', () => {
      marbles(({ job, expectElements }) => {
        const buffers = actor<string, Buffer, string>('buffers', {
          emits: type<string>(),
          update: 'return',
          initial: () => Buffer.from('-'),
          receive(state, value, ctx) {
            ctx.emit(`${Buffer.isBuffer(state)} ${state}`);
            return Buffer.from(`${state}${value}`);
          },
        });
        const input = '   -a-B-X-b-c-|';
        const expected = '-p-B---q-r-|';
        expectElements(job(input, stream => stream.pipe(buffers))).toBe(expected, {
          p: 'true -',
          q: 'true -a',
          r: 'true -ab',
        });
      });
    });

    it('of a class is refused at once: its methods would change it unseen', () => {
      class Stats {
        seen = 0;
      }
      const stats = actor<string, Stats>('stats', { initial: () => new Stats(), receive: state => void state.seen++ });
      expect(errorOf('-a-|', stream => stream.pipe(stats))).toMatchObject({
        code: 'UNSUPPORTED_STATE',
        retriable: false,
        message: expect.stringMatching(/initial state of the actor "stats" .* an instance of Stats.* a codec\.$/),
      });
    });

    it('of a class works with a codec, and is frozen', () => {
      class Money {
        readonly cents: number;
        constructor(cents: number) {
          this.cents = cents;
        }
        plus(cents: number): Money {
          return new Money(this.cents + cents);
        }
      }
      const codec = { encode: ({ cents }: Money) => cents, decode: (stored: unknown) => new Money(stored as number) };
      const money = (receive: (state: Money, value: number) => Money | void) =>
        scan('money', receive, new Money(0), { codec });
      marbles(({ job, expectElements }) => {
        const values = { a: 1, b: 20 };
        const input = '   -a-B-X-b-|';
        const expected = '-p-B---q-|';
        const run = job(
          input,
          stream =>
            stream.pipe(
              money((state, value) => state.plus(value)),
              map(m => (m as Money).plus(0).cents),
            ),
          { values },
        );
        expectElements(run).toBe(expected, { p: 1, q: 21 });
      });
      const unclean = money((state, value) => void Object.assign(state, { cents: value }));
      const error = errorOf('-a-|', stream => stream.pipe(unclean), { values: { a: 1 } });
      expect(error?.message).toMatch(/"money" threw in receive: Cannot assign to read only property/);
    });

    it('may be changed in place where freezeState is off, which nothing then notices', () => {
      const unclean = scan<number, { n: number }>(
        'unclean',
        (state, value) => {
          state.n += value;
        },
        { n: 0 },
        { update: 'return' },
      );
      marbles(({ job, expectElements }) => {
        const run = job(
          '-1-1-|',
          stream =>
            stream.pipe(
              unclean,
              map(({ n }) => n),
            ),
          {
            values: { 1: 1 },
            settings: { freezeState: false },
          },
        );
        expectElements(run).toBe('-1-2-|', numbers);
      });
    });
  });

  describe('output', () => {
    it('may hold parts of the draft: they go out as they are when the handler returns', () => {
      interface Basket {
        items: { name: string }[];
        last: { at: number } | null;
      }
      const basket = actor<string, Basket, unknown>('basket', {
        emits: type<unknown>(),
        initial: () => ({ items: [], last: null }),
        receive(state, name, ctx) {
          state.items.push({ name });
          state.last = { at: state.items.length };
          ctx.emit({ items: state.items, newest: [{ last: state.last }], plain: { n: Number.NaN } });
          ctx.emit(state.items.map(item => item.name));
          state.last.at *= 10;
        },
      });
      marbles(({ job, expectElements }) => {
        const input = '   -a---b---|';
        const expected = '-(pq)(rs)|';
        expectElements(job(input, stream => stream.pipe(basket))).toBe(expected, {
          p: { items: [{ name: 'a' }], newest: [{ last: { at: 10 } }], plain: { n: Number.NaN } },
          q: ['a'],
          r: { items: [{ name: 'a' }, { name: 'b' }], newest: [{ last: { at: 20 } }], plain: { n: Number.NaN } },
          s: ['a', 'b'],
        });
      });
    });

    it('that holds no draft goes out as the very object that was emitted', () => {
      const made = { deep: [{ n: 1 }] };
      const seen: unknown[] = [];
      const same = actor<string, { n: number }, unknown>('same', {
        emits: type<unknown>(),
        initial: () => ({ n: 0 }),
        receive: (state, _, ctx) => {
          state.n++;
          ctx.emit(made);
        },
      });
      marbles(({ job }) => {
        job('-a-|', stream =>
          stream.pipe(
            same,
            tap(value => seen.push(value)),
          ),
        );
      });
      expect(seen[0]).toBe(made);
    });

    it('is what scan returns, parts of the draft in it included', () => {
      const turning = scan<string, { list: string[]; before: { list: string[] } | null }>(
        'turning',
        (state, value) => ({ list: [...state.list, value], before: { list: state.list } }),
        { list: [], before: null },
      );
      marbles(({ job, expectElements }) => {
        expectElements(job('-a-b-|', stream => stream.pipe(turning))).toBe('-p-q-|', {
          p: { list: ['a'], before: { list: [] } },
          q: { list: ['a', 'b'], before: { list: ['a'] } },
        });
      });
    });

    it('of one record may be many values, which actors behind it take one by one', () => {
      const many = actor<number, null, number>('many', {
        emits: type<number>(),
        initial: () => null,
        receive(_, value, ctx) {
          for (let i = 0; i < value; i++) ctx.emit(i);
        },
      });
      const doubled = actor<number, null, number>('doubled', {
        emits: type<number>(),
        initial: () => null,
        receive(_, value, ctx) {
          ctx.emit(value);
          ctx.emit(value);
        },
      });
      const seen: number[] = [];
      marbles(({ job }) => {
        const values = { a: 1_000, b: 2, c: 0, d: 1_000 };
        job(
          '-a-b-c-d-|',
          stream =>
            stream.pipe(
              many,
              doubled,
              scan('sum', (sum: number, value: number) => sum + value, 0),
              tap(sum => seen.push(sum)),
            ),
          { values },
        );
      });
      expect(seen).toHaveLength(2 * 2_002);
      expect(seen.at(-1)).toBe(2 * (2 * 499_500 + 1));
    });

    it('comes to nothing from the failure of a stage behind it on', () => {
      const seen: number[] = [];
      const three = actor<string, null, number>('three', {
        emits: type<number>(),
        initial: () => null,
        receive(_, __, ctx) {
          for (const value of [1, 2, 3]) ctx.emit(value);
        },
      });
      const failing = tap((value: number) => {
        seen.push(value);
        if (value === 2) throw new Error('two');
      });
      expect(errorOf('-a-|', stream => stream.pipe(three, failing))?.message).toMatch(/two/);
      expect(seen).toEqual([1, 2]);
    });
  });

  describe('a key', () => {
    const bad = { ...numbers, a: { id: 1 } };
    const byItself = keyBy((value: number) => value);

    it('that cannot be compared by content ends the job, since a restart would meet it again', () => {
      const values = { ...bad };
      const error = errorOf('-1-a-|', stream => stream.pipe(byItself, summing()), { values });
      expect(error).toMatchObject({ code: 'INVALID_KEY', retriable: false, context: { operator: 'sum' } });
      expect(error?.message).toMatch(/"sum" was given a record without a usable key: \{ id: 1 \} cannot be a key/);
    });

    it('that cannot be compared is skipped, or reset, where the actor is to go on', () => {
      marbles(({ job, expectElements }) => {
        const build = (stream: MarbleInput) => {
          const sums = stream.pipe(byItself, summing({ supervise: 'skip' }));
          return { sums, dead: sums.side(deadLetters).pipe(map(({ key, error }) => [key, error.slice(0, 25)])) };
        };
        const run = job('-1-a-1-|', build, { values: bad });
        expectElements(run, 'sums').toBe('-1---2-|', numbers);
        expectElements(run, 'dead').toBe('---d---|', { d: [{ id: 1 }, '{ id: 1 } cannot be a key'] });
        const reset = job('-1-a-1-|', stream => stream.pipe(byItself, summing({ supervise: 'reset' })), {
          values: bad,
        });
        expectElements(reset).toBe('-1---2-|', numbers);
      });
    });
  });

  describe('supervision', () => {
    it('restart: fails the task, and none of what the handler asked for has happened', () => {
      marbles(({ job, expectElements, scheduler }) => {
        const run = job('-1-3-2-|', stream => stream.pipe(summing()), { values: numbers });
        expectElements(run).toBe('-1-#', numbers);
        scheduler.schedule(() => {
          const { error } = run.handle?.status ?? {};
          expect(error).toMatchObject({ code: 'USER_CODE', fault: 'user', context: { operator: 'sum' } });
          expect(error?.message).toMatch(/"sum" threw in receive: three/);
        }, 50);
      });
    });

    it('skip: sends the record to the dead letters and goes on with the state before it', () => {
      marbles(({ job, expectElements, record }) => {
        const run = job(
          '-1-3-2-|',
          stream => {
            const sums = stream.pipe(
              keyBy(() => 'k'),
              summing({ supervise: 'skip' }),
            );
            return { sums, dead: sums.side(deadLetters) };
          },
          { values: { ...numbers, 3: record(3, 30) } },
        );
        expectElements(run, 'sums').toBe('-1---3-|', numbers);
        expectElements(run, 'dead').toBe('---d---|', {
          d: { actor: 'sum', key: 'k', value: 3, timestamp: 30, error: 'three' },
        });
      });
    });

    it('skip without a reader of the dead letters is refused at start', () => {
      marbles(({ job, scheduler }) => {
        job('-1-|', stream => stream.pipe(summing({ supervise: 'skip' })));
        expect(() => scheduler.flush()).toThrow(/"sum" skips records that fail, but nothing reads its dead letters/);
      });
    });

    it.each(['onTimer', 'onComplete'] as const)('applies to %s as to receive', handler => {
      const failing = (supervise: 'restart' | 'skip') =>
        actor<string, { n: number }, string>('late', {
          emits: type<string>(),
          supervise,
          initial: () => ({ n: 0 }),
          receive(state, _, ctx) {
            state.n++;
            if (handler === 'onTimer') ctx.timers.atEventTime(10);
          },
          [handler]: (state: { n: number }, ...args: unknown[]) => {
            state.n = 99;
            (args.at(handler === 'onTimer' ? 1 : 0) as { emit(value: string): void }).emit('never');
            throw new Error('too late');
          },
        });
      expect(errorOf('-a-|', stream => stream.pipe(keyBy(id), failing('restart')))?.message).toMatch(
        new RegExp(`"late" threw in ${handler} for key "a": too late`),
      );
      marbles(({ job, expectElements }) => {
        const run = job('-a-|', stream => {
          const skipping = stream.pipe(keyBy(id), failing('skip'));
          return { skipping, dead: skipping.side(deadLetters).pipe(map(({ key, error }) => `${key}: ${error}`)) };
        });
        expectElements(run, 'skipping').toBe('---|');
        expectElements(run, 'dead').toBe('---(d|)', { d: 'a: too late' });
      });
    });

    it('reset: drops the state of that key alone', () => {
      marbles(({ job, expectElements }) => {
        const values = { a: 1, b: 3, c: 4, d: 5 };
        const run = job(
          '-a-c-b-d-|',
          stream =>
            stream.pipe(
              keyBy((v: number) => v % 2),
              summing({ supervise: 'reset' }),
            ),
          { values },
        );
        expectElements(run).toBe('-1-4---5-|', numbers);
      });
    });
  });
});
