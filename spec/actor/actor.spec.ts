import { describe, expect, it } from 'vitest';
import { actor, type Behaviour, deadLetters, type } from '../../lib/index.ts';
import { marbles } from '../../lib/testing/index.ts';
import { keyBy, scan } from '../../operators/index.ts';

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
