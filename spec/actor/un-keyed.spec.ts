import { map, reduce as nativeReduce, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { actor, type Key, type Op, type } from '../../lib/index.ts';
import { marbles } from '../../lib/testing/index.ts';
import { keyBy, reduce, scan } from '../../operators/index.ts';
import { errorOf } from './error-of.ts';
import { inspectedStore } from './stored-entries.ts';

const count = scan('count', (n: number) => n + 1, 0);
const byLetter = keyBy((value: string) => value);

describe('an un-keyed actor', () => {
  it('has one state for all records, and no key', () => {
    const keys: (Key | undefined)[] = [];
    const counting = actor<string, number, number>('count', {
      emits: type<number>(),
      update: 'return',
      initial: key => {
        keys.push(key);
        return 0;
      },
      receive(n, _, ctx) {
        keys.push(ctx.key);
        ctx.emit(n + 1);
        return n + 1;
      },
    });
    marbles(({ job, expectElements, record }) => {
      const input = '   -a-b-B-X-c-|';
      const expected = '-1-2-B---3-|';
      const counts = { 1: record(1), 2: record(2), 3: record(3) };
      expectElements(job(input, stream => stream.pipe(counting))).toBe(expected, counts);
    });
    expect(keys).toEqual([undefined, undefined, undefined, undefined]);
  });

  describe('that also completes without state', () => {
    const closing = (completesEmpty: boolean) =>
      actor<string, number, string>('closing', {
        emits: type<string>(),
        update: 'return',
        completesEmpty,
        initial: () => 0,
        receive: n => n + 1,
        onComplete: (n, ctx) => ctx.emit(`${n} of ${String(ctx.key)}`),
      });

    it('is told of the end of an empty input, with its initial state and no key, once', () => {
      marbles(({ job, expectElements, expectCommitted, record }) => {
        const run = job('--|X', stream => stream.pipe(closing(true)));
        expectElements(run).toBe('--(e|)', { e: record('0 of undefined', Number.POSITIVE_INFINITY) });
        expectCommitted(run).toBe('--e', { e: '0 of undefined' });
        expectElements(job('--|', stream => stream.pipe(closing(false)))).toBe('--|');
      });
    });

    it('is told once where there were records', () => {
      marbles(({ job, expectElements }) => {
        expectElements(job('-a-|', stream => stream.pipe(closing(true)))).toBe('---(e|)', { e: '1 of undefined' });
      });
    });

    it('keeps to its keys where it has some', () => {
      marbles(({ job, expectElements }) => {
        expectElements(job('--|', stream => stream.pipe(byLetter, closing(true)))).toBe('--|');
        expectElements(job('-a-|', stream => stream.pipe(byLetter, closing(true)))).toBe('---(e|)', { e: '1 of a' });
      });
    });
  });

  it('keeps its state apart from that of every key', () => {
    const { store, stored } = inspectedStore();
    marbles(({ job }) => {
      job(
        '-a-b-|',
        stream => [
          stream.pipe(scan('un-keyed', (n: number) => n + 1, 0)),
          stream.pipe(
            keyBy(() => ''),
            scan('keyed', (n: number) => n + 1, 0),
          ),
        ],
        { store },
      );
    });
    expect(stored('un-keyed').values).toEqual([[undefined, 2]]);
    expect(stored('keyed').values).toEqual([['', 2]]);
  });
});

describe('a keyed actor behind a native operator that emits at completion', () => {
  const collected = (value: unknown) => [value];

  it.each([
    ['toArray', toArray<string>()],
    ['reduce', nativeReduce((all: string, value: string) => all + value, '')],
  ] as [string, Op<string, unknown>][])('fails and asks for keyBy: %s', (_, native) => {
    const error = errorOf('-a-b-|', stream => stream.pipe(byLetter, native, map(collected), count));
    expect(error).toMatchObject({ code: 'LIFT', fault: 'user', retriable: false });
    expect(error?.message).toMatch(
      /"count" needs a key, but a native operator .* at its completion. Put keyBy\(\) behind/,
    );
  });

  it('works when keyBy stands between them', () => {
    marbles(({ job, expectElements, record }) => {
      const input = '   -a-b-a-|';
      const expected = '-------(p|)';
      const joined = nativeReduce((all: string, value: string) => all + value, '');
      expectElements(job(input, stream => stream.pipe(byLetter, joined, byLetter, count))).toBe(expected, {
        p: record(1, Number.POSITIVE_INFINITY, 'aba'),
      });
    });
  });

  it('has nothing to complain of behind the checkpointed operator of the same name', () => {
    marbles(({ job, expectElements, record }) => {
      const input = '   -a-b-a-|';
      const expected = '-------(pq|)';
      const lengths = reduce('lengths', (n: number, value: string) => n + value.length, 0);
      expectElements(job(input, stream => stream.pipe(byLetter, lengths, count))).toBe(expected, {
        p: record(1, Number.POSITIVE_INFINITY, 'a'),
        q: record(1, Number.POSITIVE_INFINITY, 'b'),
      });
    });
  });
});

describe('an actor with a key of its own for its state', () => {
  const firstOfEach = actor<string, boolean, string, string>('first', {
    emits: type<string>(),
    update: 'return',
    stateKey: (value, key) => [key, value.length],
    initial: () => false,
    receive(isSeen, value, ctx) {
      if (!isSeen) ctx.emit(`${ctx.key} ${value}`);
      return true;
    },
  });

  it('keeps a state for each of them, and emits under the key of the record', () => {
    const { store, stored } = inspectedStore();
    marbles(({ job, expectElements, record }) => {
      const values = { a: 'a', b: 'ab', c: 'ac', d: 'b' };
      const input = '   -a-b-B-X-c-d-|';
      const expected = '-p-q-B-----r-|';
      const run = job(
        input,
        stream =>
          stream.pipe(
            keyBy((value: string) => value[0] as string),
            firstOfEach,
          ),
        { values, store },
      );
      expectElements(run).toBe(expected, {
        p: record('a a', Number.NaN, 'a'),
        q: record('a ab', Number.NaN, 'a'),
        r: record('b b', Number.NaN, 'b'),
      });
    });
    expect(stored('first').values).toEqual([
      [['a', 1], true],
      [['a', 2], true],
      [['b', 1], true],
    ]);
  });

  it('may throw in choosing it, which is for the supervision to decide', () => {
    const choosy = actor<string, boolean, string>('choosy', {
      emits: type<string>(),
      supervise: 'reset',
      stateKey: value => {
        if (value === 'b') throw new Error('b');
        return value;
      },
      initial: () => true,
      receive: (_, value, ctx) => ctx.emit(value),
    });
    marbles(({ job, expectElements }) => {
      expectElements(job('-a-b-c-|', stream => stream.pipe(choosy))).toBe('-a---c-|');
    });
  });

  it('has neither timers nor an end of each key', () => {
    const keyed = { stateKey: (value: string) => value, initial: () => 0, receive: () => {} };
    const message = /"own" has a stateKey, so it can have neither onTimer nor onComplete/;
    expect(() => actor<string, number>('own', { ...keyed, onTimer: () => {} })).toThrow(message);
    expect(() => actor<string, number>('own', { ...keyed, onComplete: () => {} })).toThrow(message);
  });
});

describe('the codec of an actor', () => {
  it('says how its states are stored, and gives them back', () => {
    const { store, stored } = inspectedStore();
    const names = scan<string, ReadonlySet<string>>('names', (seen, value) => new Set([...seen, value]), new Set(), {
      update: 'return',
      codec: { encode: seen => [...seen].join(), decode: text => new Set((text as string).split(',')) },
    });
    marbles(({ job, expectElements }) => {
      const input = '   -a-B-X-b-|';
      const expected = '-p-B---q-|';
      expectElements(job(input, stream => stream.pipe(names), { store })).toBe(expected, {
        p: new Set(['a']),
        q: new Set(['a', 'b']),
      });
    });
    expect(stored('names').values).toEqual([[undefined, 'a,b']]);
  });

  it('that cannot encode fails the checkpoint and names actor and key', () => {
    const broken = scan('broken', (n: number) => n + 1, 0, {
      codec: {
        encode: () => {
          throw new RangeError('too large');
        },
        decode: () => 0,
      },
    });
    expect(errorOf('-a-B', stream => stream.pipe(byLetter, broken))).toMatchObject({
      code: 'CHECKPOINT',
      message: expect.stringMatching(
        /state of the actor "broken" for key a could not be encoded by its codec: too large/,
      ),
    });
  });

  it('that cannot decode refuses the start and names actor and key', () => {
    const codec = {
      encode: (n: number) => n,
      decode: () => {
        throw new RangeError('too small');
      },
    };
    const broken = scan('broken', (n: number) => n + 1, 0, { codec });
    expect(errorOf('-a-B-X-|', stream => stream.pipe(byLetter, broken))).toMatchObject({
      code: 'STATE_MISMATCH',
      message: expect.stringMatching(/codec of the actor "broken" could not read the stored state of key a: too small/),
    });
  });
});
