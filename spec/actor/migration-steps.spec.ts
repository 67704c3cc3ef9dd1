import { describe, expect, it } from 'vitest';
import {
  actor,
  aggregatingState,
  type Behaviour,
  listState,
  type MigrationSteps,
  mapState,
  memoryStore,
  type SnapshotStore,
  type StateKinds,
  type StateOptions,
  type,
  valueState,
} from '../../lib/index.ts';
import { marbles } from '../../lib/testing/index.ts';
import { keyBy, reduce, scan } from '../../operators/index.ts';
import { errorOf } from './error-of.ts';
import { inspectedStore } from './stored-entries.ts';

const byLetter = keyBy((value: string) => value);

/** A store in which an actor "n" of this version has counted a, a and b. */
function countedStore(version = 1): SnapshotStore {
  const store = memoryStore();
  marbles(({ job }) => {
    const migrate = version > 1 ? { migrate: () => 0 } : {};
    job(
      '-a-a-b-S',
      stream =>
        stream.pipe(
          byLetter,
          scan('n', (n: number) => n + 1, 0, { version, ...migrate }),
        ),
      {
        store,
      },
    );
  });
  return store;
}

interface Second {
  readonly count: number;
}
interface Third {
  readonly total: number;
  readonly key: string;
}

const steps: MigrationSteps<string> = {
  1: (count: number): Second => ({ count }),
  2: ({ count }: Second, key): Third => ({ total: count, key }),
};

const third = (over: Partial<Behaviour<string, Third, string, string>> = {}) =>
  actor<string, Third, string, string>('n', {
    emits: type<string>(),
    update: 'return',
    version: 3,
    migrate: steps,
    initial: key => ({ total: 0, key }),
    receive({ total, key }, _, ctx) {
      ctx.emit(`${key}${total}`);
      return { total: total + 1, key };
    },
    ...over,
  });

describe('steps of migrate', () => {
  it('bring a state from version to version, before the first record', () => {
    marbles(({ job, expectElements }) => {
      const input = '   -a-a-b-a-b-c-|';
      const expected = '-------p-q-r-|';
      const run = job(input, stream => stream.pipe(byLetter, third()), { store: countedStore() });
      expectElements(run).toBe(expected, { p: 'a2', q: 'b1', r: 'c0' });
    });
  });

  it('begin with the version that is stored', () => {
    const store = countedStore(2);
    marbles(({ job, expectElements }) => {
      const migrate = { ...steps, 2: (count: number, key: string): Third => ({ total: count * 10, key }) };
      const run = job('-a-a-b-a-|', stream => stream.pipe(byLetter, third({ migrate })), { store });
      expectElements(run).toBe('       -------p-|', { p: 'a20' });
    });
  });

  it('are taken by reduce, for its results', () => {
    const store = memoryStore();
    marbles(({ job }) => {
      job('-a-a-S', stream => stream.pipe(reduce('n', (n: number) => n + 1, 0)), { store });
    });
    marbles(({ job, expectElements }) => {
      const later = reduce('n', (text: string) => `${text}!`, '', {
        version: 3,
        migrate: { 1: (n: number) => n * 2, 2: (n: number) => `was ${n}` },
      });
      expectElements(job('-a-a-a-|', stream => stream.pipe(later), { store })).toBe('-------(p|)', { p: 'was 4!' });
    });
  });

  it('of reduce get what its codec has stored', () => {
    const store = memoryStore();
    const codec = { encode: (n: number) => `#${n}`, decode: (stored: unknown) => Number((stored as string).slice(1)) };
    const of = (options: object) => reduce('n', (n: number) => n + 1, 0, { codec, ...options });
    marbles(({ job }) => {
      job('-a-a-S', stream => stream.pipe(of({})), { store });
    });
    marbles(({ job, expectElements }) => {
      const later = of({ version: 2, migrate: { 1: (stored: string) => stored.length } });
      expectElements(job('-a-a-a-|', stream => stream.pipe(later), { store })).toBe('-------(p|)', { p: 3 });
    });
  });

  it('that begin behind the stored version refuse the start, and lose nothing', () => {
    const store = countedStore();
    const late = third({ migrate: { 2: steps[2] as (state: unknown) => unknown } });
    expect(errorOf('-a-a-b-a-|', stream => stream.pipe(byLetter, late), { store })).toMatchObject({
      code: 'STATE_MISMATCH',
      message:
        'The stored state of the actor "n" has version 1, the job\'s is 3, and its "migrate" begins with step 2: add the step 1, run a ' +
        'version of the job between them, or start fresh.',
      context: { operator: 'n' },
    });
    const far = third({ version: 4, migrate: { 3: () => 0 } });
    expect(errorOf('-a-a-b-a-|', stream => stream.pipe(byLetter, far), { store })?.message).toMatch(
      /begins with step 3: add the steps 1 to 2/,
    );
    marbles(({ job, expectElements }) => {
      const run = job('-a-a-b-a-|', stream => stream.pipe(byLetter, third()), { store });
      expectElements(run).toBe('       -------p-|', { p: 'a2' });
    });
  });

  it('that throw name their version and the key', () => {
    const failing = third({
      migrate: {
        ...steps,
        2: (_, key) => {
          throw new RangeError(`not ${key}`);
        },
      },
    });
    const error = errorOf('-a-a-b-a-|', stream => stream.pipe(byLetter, failing), { store: countedStore() });
    expect(error).toMatchObject({ code: 'STATE_MISMATCH', cause: expect.any(RangeError) });
    expect(error?.message).toBe('migrate() of the actor "n" threw for key a at version 2: not a');
  });

  it('must be synchronous', () => {
    const failing = third({ migrate: { ...steps, 1: async count => count } });
    const error = errorOf('-a-a-b-a-|', stream => stream.pipe(byLetter, failing), { store: countedStore() });
    expect(error?.message).toMatch(
      /threw for key a at version 1: it returned a promise, and a migration is synchronous/,
    );
  });

  it.each<[migrate: unknown, message: RegExp]>([
    [
      { 1: () => 0 },
      /"n": migrate has no step 2, so nothing that is older comes to version 3: add the step from 2 to 3/,
    ],
    [{ 1: () => 0, 2: () => 0, 3: () => 0 }, /has a step "3", but the version is 3: .* from 1 to 2/],
    [{ 0: () => 0, 1: () => 0, 2: () => 0 }, /has a step "0"/],
    [[() => 0], /has a step "0"/],
    [{}, /migrate has no steps/],
    [{ 2: 'x' }, /step 2 of migrate is no function/],
    ['x', /migrate must be a function/],
  ])('are refused when no state could come to the version by them: %o', (migrate, message) => {
    expect(() => third({ migrate: migrate as never })).toThrow(message);
    const states = { last: valueState<string>({ migrate: migrate as never }) };
    expect(() => third({ states: states as never })).toThrow(/The valueState "last" of the actor "n": /);
  });
});

/** Keeps each letter in all kinds of state, as a number (version 1) or a text. */
const kinds = (version: number, options: StateOptions = {}, ttl: Pick<StateOptions, 'ttl'> = {}) => {
  const form = (value: string): unknown => (version === 1 ? value.charCodeAt(0) : value);
  const all = { ...options, ...ttl } as StateOptions<never>;
  const states = {
    map: mapState<string, unknown>(all),
    value: valueState<unknown>(all),
    list: listState<unknown>(all),
    all: aggregatingState({ init: () => form(''), add: (_, value: string) => form(value), result: a => a }, all),
  };
  return actor<string, undefined, string, undefined, typeof states>('kinds', {
    emits: type<string>(),
    update: 'return',
    version,
    states,
    initial: () => undefined,
    receive(_, value, { emit, states: { map, value: last, list, all: sum } }) {
      emit(`${[...map.keys()].map(entry => map.get(entry)).join('')} ${last.get()} ${[...list].join('')} ${sum.get()}`);
      map.set(value, form(value));
      last.set(form(value));
      list.append(form(value));
      sum.add(value);
    },
  });
};

describe('migrate of declared states', () => {
  const text = (code: unknown): unknown => String.fromCharCode(code as number);

  it.each([
    ['a function', { migrate: text }, {}],
    ['steps', { migrate: { 1: (code: number) => [code], 2: ([code]: [number]) => text(code) } }, {}],
    ['a function, where entries expire', { migrate: text }, { ttl: { after: '1h' } } as const],
  ])('brings every entry to the version of the actor, by %s', (_, options, ttl) => {
    const { store, counts, kinds: segments } = inspectedStore();
    marbles(({ job }) => {
      job('-a-b-S', stream => stream.pipe(kinds(1, {}, ttl)), { store });
    });
    marbles(({ job, expectElements }) => {
      const input = '   -a-b-c-B-X-d-|';
      const expected = '-----p-B---q-|';
      const run = job(input, stream => stream.pipe(kinds(3, options, ttl)), { store });
      expectElements(run).toBe(expected, { p: 'ab b ab b', q: 'abc c abc c' });
    });
    expect(segments('kinds')[1]).toEqual(['full']);
    expect(counts('kinds').held).toMatchObject({ state: 0, entry: 4 + 1 + 4 + 1 });
  });

  it('is told the stored version and the key; without it entries stay as they are', () => {
    const store = memoryStore();
    const seen: unknown[] = [];
    const of = (version: number, states: StateKinds, migrate?: () => undefined) =>
      actor<string, undefined, never, string, StateKinds>('n', {
        version,
        states,
        ...(migrate && { migrate }),
        initial: () => undefined,
        receive(_, value, ctx) {
          const { moved, kept } = ctx.states as Record<string, { set(value: string): void }>;
          moved?.set(value);
          kept?.set(value);
        },
      });
    marbles(({ job }) => {
      job('-a-b-S', stream => stream.pipe(byLetter, of(1, { moved: valueState(), kept: valueState() })), { store });
    });
    const moved = valueState<string>({
      migrate: (...given) => {
        seen.push(given);
        return `${given[0]}!`;
      },
    });
    const inspected = inspectedStore(store);
    marbles(({ job }) => {
      job('-a-b-c-S', stream => stream.pipe(byLetter, of(2, { moved, kept: valueState() })), { store });
    });
    expect(seen).toEqual([
      ['a', 1, 'a'],
      ['b', 1, 'b'],
    ]);
    expect(inspected.stored('n').entries.map(([state, key, , value]) => [state, key, value])).toEqual([
      ['moved', 'a', 'a!'],
      ['kept', 'a', 'a'],
      ['moved', 'b', 'b!'],
      ['kept', 'b', 'b'],
      ['moved', 'c', 'c'],
      ['kept', 'c', 'c'],
    ]);
  });

  it('that throws names the state, the key and the entry', () => {
    const store = memoryStore();
    marbles(({ job }) => {
      job('-a-b-S', stream => stream.pipe(kinds(1)), { store });
    });
    const migrate = (code: unknown): unknown => {
      if (code === 98) throw new Error('no b');
      return text(code);
    };
    const error = errorOf('-a-b-c-|', stream => stream.pipe(kinds(2, { migrate })), { store });
    expect(error).toMatchObject({ code: 'STATE_MISMATCH', context: { operator: 'kinds' } });
    expect(error?.message).toBe(
      'migrate() of the mapState "map" of the actor "kinds" threw for key undefined, entry b at version 1: no b',
    );
  });

  it('that begins behind the stored version refuses the start', () => {
    const store = memoryStore();
    marbles(({ job }) => {
      job('-a-b-S', stream => stream.pipe(kinds(1)), { store });
    });
    const late = kinds(3, { migrate: { 2: text } });
    expect(errorOf('-a-b-c-|', stream => stream.pipe(late), { store })?.message).toMatch(
      /^The stored state of the mapState "map" of the actor "kinds" has version 1, .* begins with step 2: add the step 1,/,
    );
  });

  it('does not stand in for that of the own state', () => {
    const states = { last: valueState<string>({ migrate: () => '' }) };
    const second = actor<string, number, never, string, typeof states>('n', {
      version: 2,
      states,
      initial: () => 0,
      receive: n => (n as number) + 1,
    });
    const store = countedStore();
    expect(errorOf('-a-a-b-a-|', stream => stream.pipe(byLetter, second), { store })?.message).toMatch(
      /actor "n" has version 1, the job's is 2: give the actor a "migrate"/,
    );
  });
});
