import { describe, expect, it } from 'vitest';
import {
  actor,
  JobDefinitionError,
  type ListState,
  listState,
  type MapState,
  mapState,
  type Ttl,
  type,
  valueState,
} from '../../lib/index.ts';
import { marbles } from '../../lib/testing/index.ts';
import { keyBy } from '../../operators/index.ts';
import { DrivenActor } from './driven-actor.ts';

/** Counts the records of a key in its own state, and tells the count before each. */
function counting(ttl: Ttl | undefined, seen: unknown[], over: object = {}) {
  return {
    ...(ttl && { ttl }),
    update: 'return',
    initial: () => 0,
    receive(count: number) {
      seen.push(count);
      return count + 1;
    },
    ...over,
  };
}

/** Puts its record into a map under itself, when there is one, and tells the entries. */
function mapped(ttl: Ttl | undefined, seen: unknown[]) {
  return {
    states: { map: mapState<number, number>(ttl && { ttl }) },
    initial: () => undefined,
    receive(_: undefined, n: number | undefined, ctx: { states: { map: MapState<number, number> } }) {
      if (n !== undefined) ctx.states.map.set(n, n);
      seen.push([...ctx.states.map.keys()]);
    },
  };
}

describe('the own state of an actor with a ttl', () => {
  it('begins anew when it has expired', () => {
    marbles(({ job, expectElements }) => {
      const counts = actor('counts', {
        emits: type<number>(),
        update: 'return',
        ttl: { after: 4 },
        initial: () => 0,
        receive(n: number, _value: string, ctx) {
          ctx.emit(n + 1);
          return n + 1;
        },
      });
      const input = '   -a--a---B-X-a-|';
      const expected = '-1--2---B---1-|';
      const run = job(input, stream =>
        stream.pipe(
          keyBy((value: string) => value),
          counts,
        ),
      );
      expectElements(run).toBe(expected, { 1: 1, 2: 2 });
    });
  });

  it.each([
    ['created', [0, 1, 0, 0]],
    ['written', [0, 1, 2, 0]],
  ] as const)('lives from when it was %s', (since, expected) => {
    const seen: unknown[] = [];
    const driven = new DrivenActor(counting({ after: '10ms', since }, seen));
    for (const ms of [0, 6, 6, 10]) {
      driven.now += ms;
      driven.record('k', 0);
    }
    expect(seen).toEqual(expected);
  });

  it('is kept alive by a handler that leaves it unchanged only where reads count', () => {
    for (const [since, expected] of [
      ['read', [0, 1, 1]],
      ['written', [0, 1, 0]],
    ] as const) {
      const seen: unknown[] = [];
      const once = counting({ after: 10, since }, seen, {
        receive(count: number) {
          seen.push(count);
          return 1;
        },
      });
      const driven = new DrivenActor(once);
      for (const ms of [0, 6, 6]) {
        driven.now += ms;
        driven.record('k', 0);
      }
      expect(seen).toEqual(expected);
    }
  });

  it('is not asked for when it has expired', () => {
    const driven = new DrivenActor(counting({ after: 10 }, []));
    driven.record('k', 0);
    expect(driven.stage.ask('k')).toBe(1);
    driven.now += 10;
    expect(driven.stage.ask('k')).toBeUndefined();
  });
});

describe('event time', () => {
  it('is that of the watermark, and a late record takes nothing from the life that a later one gave', () => {
    const seen: unknown[] = [];
    const driven = new DrivenActor(counting({ after: 10, on: 'event' }, seen));
    driven.record('k', 0, 20);
    driven.record('k', 0, 5);
    driven.watermark(29);
    driven.record('k', 0, 21);
    driven.watermark(38);
    driven.record('k', 0, 30);
    driven.watermark(48);
    driven.record('k', 0, 30);
    expect(seen).toEqual([0, 1, 2, 3, 0]);
  });

  it('ends nothing at the end of the input, where timers still see what they were set for', () => {
    marbles(({ job, expectElements, record }) => {
      const timed = actor('timed', {
        emits: type<string>(),
        ttl: { after: 10, on: 'event' },
        states: { value: valueState<string>({ ttl: { after: 10, on: 'event' } }) },
        initial: () => ({ n: 0 }),
        receive(state: { n: number }, value: string, ctx) {
          state.n++;
          ctx.states.value.set(value);
          ctx.timers.atEventTime(ctx.timestamp + 9);
          ctx.timers.atEventTime(ctx.timestamp + 10);
        },
        onTimer(state, time, ctx) {
          ctx.emit(`${time} ${state.n} ${ctx.states.value.get()}`);
        },
      });
      const run = job(
        '-a-|',
        stream =>
          stream.pipe(
            keyBy((value: string) => value),
            timed,
          ),
        {
          values: { a: record('a', 100) },
        },
      );
      expectElements(run).toBe('---(pq|)', { p: '109 1 a', q: '110 0 undefined' });
    });
  });

  it('ends nothing before the handler for the end of the input', () => {
    const seen: unknown[] = [];
    const onComplete = (count: number) => void seen.push(`end ${count}`);
    const driven = new DrivenActor(counting({ after: 10, on: 'event' }, seen, { onComplete }));
    driven.record('gone', 0, 5);
    driven.watermark(15);
    driven.record('k', 0, 20);
    driven.watermark(Number.POSITIVE_INFINITY);
    driven.stage.complete();
    expect(seen).toEqual([0, 0, 'end 1']);
  });

  it('is needed of each record that writes', () => {
    const driven = new DrivenActor(mapped({ after: 10, on: 'event' }, []));
    driven.record('k', 1);
    expect(String(driven.error)).toMatch(/"driven" expires by event time, and its record has no timestamp/);
  });
});

describe('what has expired', () => {
  it('goes out of memory and out of what is stored, a few entries for each record and more at a barrier', () => {
    const seen: unknown[] = [];
    const driven = new DrivenActor(mapped({ after: 10 }, seen));
    for (let n = 0; n < 3_000; n++) driven.record(n % 7, n);
    driven.checkpoint();
    expect(driven.held).toBe(3_000);
    driven.now += 10;
    driven.record('other', 1);
    expect(driven.held).toBe(2_997);
    expect(driven.checkpoint()).toBeLessThan(1_010);
    expect(driven.held).toBe(1_997);
    driven.checkpoint();
    driven.checkpoint();
    expect(driven.held).toBe(1);
    driven.crash();
    expect(driven.held).toBe(1);
  });

  it('is removed as fast as it comes, however much a record writes', () => {
    const driven = new DrivenActor({
      states: { map: mapState<number, number>({ ttl: { after: 10 } }) },
      initial: () => undefined,
      receive(_: undefined, n: number, ctx: { states: { map: MapState<number, number> } }) {
        for (let i = 0; i < 20; i++) ctx.states.map.set(20 * n + i, i);
      },
    });
    let most = 0;
    for (let n = 0; n < 300; n++) {
      driven.now++;
      driven.record(n % 50, n);
      most = Math.max(most, driven.held);
    }
    // 200 are alive.
    expect(most).toBeLessThan(300);
  });

  it('is not looked for while nothing can have expired', () => {
    const driven = new DrivenActor(mapped({ after: 10 }, []));
    for (let n = 0; n < 100; n++) driven.record(n, n);
    const { entries } = driven.stage.state;
    const all = entries.all.bind(entries);
    let passes = 0;
    entries.all = state => {
      passes++;
      return all(state);
    };
    driven.now += 9;
    driven.record('other', 1);
    driven.checkpoint();
    expect(passes).toBe(0);
    driven.now += 1;
    driven.checkpoint();
    expect(passes).toBe(1);
  });
});

describe('a ttl that comes, goes or changes', () => {
  it('lets what was stored without one live from its restore', () => {
    const seen: unknown[] = [];
    const driven = new DrivenActor(mapped(undefined, seen));
    driven.record('k', 1);
    driven.checkpoint();
    driven.now += 100;
    driven.crash(mapped({ after: 10 }, seen));
    driven.now += 9;
    driven.record('k', undefined);
    // Their times are stored at the next checkpoint, so that a crash does not let them live longer.
    expect(driven.checkpoint()).toBe(1);
    driven.crash();
    driven.now += 1;
    driven.record('k', undefined);
    expect(seen).toEqual([[1], [1], []]);
  });

  it('does so by event time from when that is known', () => {
    const seen: unknown[] = [];
    const driven = new DrivenActor(counting(undefined, seen));
    driven.record('k', 0, 5);
    driven.checkpoint();
    driven.crash(counting({ after: 10, on: 'event', since: 'created' }, seen));
    driven.checkpoint();
    driven.crash();
    driven.watermark(1_000);
    driven.record('k', 0, 1_000);
    driven.checkpoint();
    driven.crash();
    driven.watermark(1_009);
    driven.record('k', 0, 1_009);
    driven.watermark(1_010);
    driven.record('k', 0, 1_010);
    expect(seen).toEqual([0, 1, 2, 0]);
  });

  it('leaves the state when it goes, and counts anew when it comes again', () => {
    const seen: unknown[] = [];
    const driven = new DrivenActor(counting({ after: 10 }, seen));
    driven.record('k', 0);
    driven.checkpoint();
    driven.crash(counting(undefined, seen));
    driven.now += 100;
    driven.checkpoint();
    driven.crash(counting({ after: 10 }, seen));
    driven.record('k', 0);
    expect(seen).toEqual([0, 1]);
  });

  it('counts from the restore when it changes its clock', () => {
    const seen: unknown[] = [];
    const driven = new DrivenActor(counting({ after: 10, on: 'event' }, seen));
    driven.record('k', 0, 5);
    driven.checkpoint();
    driven.crash(counting({ after: 10 }, seen));
    driven.now += 9;
    driven.record('k', 0);
    expect(seen).toEqual([0, 1]);
  });

  it('goes with a new version and a codec', () => {
    const seen: unknown[] = [];
    const codec = { encode: (n: number) => ({ n }), decode: ({ n }: { n: number }) => n };
    const driven = new DrivenActor(counting({ after: 10 }, seen, { codec }));
    driven.record('k', 0);
    driven.checkpoint();
    driven.now += 5;
    driven.crash();
    driven.record('l', 0);
    driven.checkpoint();
    driven.now += 4;
    driven.crash(counting({ after: 10 }, seen, { version: 2, migrate: ({ n }: { n: number }) => n + 100 }));
    driven.record('k', 0);
    driven.now += 6;
    driven.record('l', 0);
    expect(seen).toEqual([0, 0, 101, 0]);
  });
});

describe('a list that expires', () => {
  it('keeps its order where elements in its middle have gone', () => {
    const seen: unknown[] = [];
    const driven = new DrivenActor({
      states: { list: listState<number>({ ttl: { after: 10, on: 'event' } }) },
      initial: () => undefined,
      receive(_: undefined, n: number, ctx: { states: { list: ListState<number> } }) {
        const { list } = ctx.states;
        if (n > 0) list.append(n);
        else seen.push([[...list], list.size, list.removeFirst(), [...list]]);
      },
    });
    for (const [n, time] of [
      [1, 30],
      [2, 5],
      [3, 40],
    ] as const)
      driven.record('k', n, time);
    driven.watermark(20);
    driven.checkpoint();
    driven.crash();
    driven.record('k', 4, 21);
    driven.record('k', 0, 21);
    expect(seen).toEqual([[[1, 3, 4], 3, 1, [3, 4]]]);
  });
});

describe('options of a ttl', () => {
  it('are checked where they are given', () => {
    expect(() => mapState({ ttl: { after: 0 } })).toThrow(JobDefinitionError);
    expect(() => mapState({ ttl: { after: 0 } })).toThrow(/mapState: ttl.after is 0/);
    expect(() => listState({ ttl: { after: 'soon' as never } })).toThrow(/listState: ttl.after is "soon"/);
    expect(() => valueState({ ttl: { after: 1, since: 'birth' as never } })).toThrow(/ttl.since is "birth"/);
    expect(() => actor('a', { ttl: { after: 1, on: 'day' as never }, initial: () => 0, receive() {} })).toThrow(
      /The actor "a": ttl.on is "day", but must be one of "processing", "event"/,
    );
  });
});
