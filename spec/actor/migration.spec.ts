import { describe, expect, it } from 'vitest';
import { actor, type Behaviour, memoryStore, type SnapshotStore, type } from '../../lib/index.ts';
import { marbles } from '../../lib/testing/index.ts';
import { keyBy, reduce, scan } from '../../operators/index.ts';
import { errorOf } from './error-of.ts';
import { inspectedStore } from './stored-entries.ts';

interface Total {
  readonly cents: number;
}

const byLetter = keyBy((value: string) => value);
const count = scan('total', (n: number) => n + 1, 0);

/** The second version of the state of `count`: an object of cents. */
const total = (over: Partial<Behaviour<string, Total, string, string>> = {}) =>
  actor<string, Total, string, string>('total', {
    emits: type<string>(),
    update: 'return',
    version: 2,
    migrate: state => ({ cents: (state as number) * 100 }),
    initial: () => ({ cents: 0 }),
    receive({ cents }, value, ctx) {
      ctx.emit(`${value} ${cents}`);
      return { cents: cents + 1 };
    },
    ...over,
  });

/** A store in which a job of the first version has counted a, a and b. */
function countedStore(): SnapshotStore {
  const store = memoryStore();
  marbles(({ job, expectElements }) => {
    const input = '   -a-a-b-S';
    const expected = '-p-q-r-B';
    const counted = job(input, stream => stream.pipe(byLetter, count), { store });
    expectElements(counted).toBe(expected, { p: 1, q: 2, r: 1 });
  });
  return store;
}

describe('state of an older version', () => {
  it('is migrated key by key, with its version and key, before the first record', () => {
    const { store, stored } = inspectedStore(countedStore());
    const seen: unknown[] = [];
    const migrate: Behaviour<string, Total, string, string>['migrate'] = (state, version, key) => {
      seen.push([state, version, key]);
      return { cents: (state as number) * 100 };
    };
    marbles(({ job, expectElements }) => {
      // The first job has read a, a and b.
      const input = '   -a-a-b-a-c-|';
      const expected = '-------p-q-|';
      const migrated = job(input, stream => stream.pipe(byLetter, total({ migrate })), { store });
      expectElements(migrated).toBe(expected, { p: 'a 200', q: 'c 0' });
    });
    expect(seen).toEqual([
      [2, 1, 'a'],
      [1, 1, 'b'],
    ]);
    expect(stored('total').values).toEqual([
      ['a', { cents: 201 }],
      ['b', { cents: 100 }],
      ['c', { cents: 1 }],
    ]);
  });

  it('is stored in full at the next checkpoint and restored without migration from then on', () => {
    const { store, kinds, committed } = inspectedStore(countedStore());
    let migrated = 0;
    const counting = total({
      migrate: state => {
        migrated++;
        return { cents: state as number };
      },
    });
    marbles(({ job, expectElements }) => {
      const input = '   -a-a-b-a-B-b-B-X-a-|';
      const expected = '-------p-B-q-B---r-|';
      const run = job(input, stream => stream.pipe(byLetter, counting), { store });
      expectElements(run).toBe(expected, { p: 'a 2', q: 'b 1', r: 'a 3' });
    });
    expect(migrated).toBe(2);
    expect(kinds('total').slice(-3)).toEqual([['full'], ['full', 'delta'], ['full', 'delta', 'delta']]);
    expect(committed().at(-1)?.actors.total?.version).toBe(2);
  });

  it('keeps its timers', () => {
    const { store, kinds } = inspectedStore();
    const timed = (version: number) =>
      actor<string, number, string, string>('timed', {
        emits: type<string>(),
        update: 'return',
        version,
        ...(version > 1 && { migrate: (state: unknown) => (state as number) + 100 }),
        initial: () => 0,
        receive(n, _, ctx) {
          ctx.timers.atEventTime(10);
          return n + 1;
        },
        onTimer(n, time, ctx) {
          ctx.emit(`${ctx.key}@${time}#${n}`);
        },
      });
    marbles(({ job }) => {
      job('-a-S', stream => stream.pipe(byLetter, timed(1)), { store });
    });
    marbles(({ job, expectElements }) => {
      const input = '   -a-B-X-|';
      const expected = '---B---(p|)';
      expectElements(job(input, stream => stream.pipe(byLetter, timed(2)), { store })).toBe(expected, {
        p: 'a@10#101',
      });
    });
    expect(kinds('timed')[1]).toEqual(['full']);
  });

  it('is migrated over several versions by one migrate, which is told where it begins', () => {
    const store = countedStore();
    const third = total({
      version: 3,
      migrate: (state, version) => ({ cents: version === 1 ? (state as number) * 100 : (state as Total).cents + 1 }),
    });
    marbles(({ job, expectElements }) => {
      expectElements(job('-a-a-b-a-S', stream => stream.pipe(byLetter, third), { store })).toBe('-------p-B', {
        p: 'a 200',
      });
    });
    const fourth = total({
      version: 4,
      migrate: (state, version) => ({ cents: version === 3 ? (state as Total).cents * 10 : Number.NaN }),
    });
    marbles(({ job, expectElements }) => {
      expectElements(job('-a-a-b-a-a-|', stream => stream.pipe(byLetter, fourth), { store })).toBe('---------p-|', {
        p: 'a 2010',
      });
    });
  });

  it('is given to migrate as it was stored: before the codec', () => {
    const store = memoryStore();
    const codec = { encode: (n: number) => `#${n}`, decode: (stored: unknown) => Number((stored as string).slice(1)) };
    const first = scan('n', (n: number) => n + 1, 0, { codec });
    const second = scan('n', (n: number) => n + 1, 0, {
      codec,
      version: 2,
      migrate: state => (state as string).length,
    });
    marbles(({ job }) => {
      job('-a-a-S', stream => stream.pipe(first), { store });
    });
    marbles(({ job, expectElements }) => {
      expectElements(job('-a-a-a-|', stream => stream.pipe(second), { store })).toBe('-----p-|', { p: 3 });
    });
  });

  it('of reduce is given to migrate as the result alone', () => {
    const store = memoryStore();
    marbles(({ job }) => {
      job('-a-a-S', stream => stream.pipe(reduce('n', (n: number) => n + 1, 0)), { store });
    });
    marbles(({ job, expectElements }) => {
      const second = reduce('n', (text: string) => `${text}!`, '', { version: 2, migrate: state => `was ${state}` });
      expectElements(job('-a-a-a-|', stream => stream.pipe(second), { store })).toBe('-------(p|)', { p: 'was 2!' });
    });
  });

  it('without migrate refuses the start, names both versions, and loses nothing', () => {
    const store = countedStore();
    const second = scan('total', (n: number) => n + 1, 0, { version: 2 });
    expect(errorOf('-a-a-b-a-|', stream => stream.pipe(byLetter, second), { store })).toMatchObject({
      code: 'STATE_MISMATCH',
      retriable: false,
      message: expect.stringMatching(/actor "total" has version 1, the job's is 2: give the actor a "migrate"/),
      context: { operator: 'total' },
    });
    marbles(({ job, expectElements }) => {
      const again = job('-a-a-b-a-|', stream => stream.pipe(byLetter, count), { store });
      expectElements(again).toBe('-------p-|', { p: 3 });
    });
  });

  it('that migrate throws for refuses the start and names the key', () => {
    const failing = total({
      migrate: (state, _, key) => {
        if (key === 'b') throw new RangeError('no cents');
        return { cents: state as number };
      },
    });
    const error = errorOf('-a-a-b-a-|', stream => stream.pipe(byLetter, failing), { store: countedStore() });
    expect(error).toMatchObject({ code: 'STATE_MISMATCH', cause: expect.any(RangeError) });
    expect(error?.message).toMatch(/migrate\(\) of the actor "total" threw for key b at version 1: no cents/);
  });
});

describe('state of a newer version', () => {
  it('refuses the start and names both versions', () => {
    const store = countedStore();
    marbles(({ job }) => {
      job('-a-a-b-a-S', stream => stream.pipe(byLetter, total()), { store });
    });
    expect(errorOf('-a-a-b-a-a-|', stream => stream.pipe(byLetter, count), { store })).toMatchObject({
      code: 'STATE_MISMATCH',
      message: expect.stringMatching(/"total" has version 2, which is newer than the job's 1/),
    });
  });
});

describe('the version of an actor', () => {
  it.each([0, -1, 1.5, Number.NaN])('must be a whole number from 1, not %s', version => {
    expect(() => scan('n', (n: number) => n, 0, { version })).toThrow(
      /version of the actor "n" is .*whole number from 1/,
    );
  });
});
