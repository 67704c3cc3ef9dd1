import { afterEach, describe, expect, it, vi } from 'vitest';
import { InPlaceWatch } from '../../lib/actor/in-place.ts';
import { actor, type Behaviour, type } from '../../lib/index.ts';
import { marbles } from '../../lib/testing/index.ts';
import { keyBy, scan } from '../../operators/index.ts';
import { errorOf } from './error-of.ts';

interface State {
  at: Date;
  nested: { bytes: Uint8Array; dates: Map<string, Date> };
}

const make = (): State => ({
  at: new Date(0),
  nested: { bytes: new Uint8Array(4), dates: new Map([['first', new Date(1)]]) },
});

type Change = (state: State) => State | void;

/** An actor whose state is changed by what it is told. */
const told = (over: Partial<Behaviour<Change, State, number, string>> = {}) =>
  actor<Change, State, number, string>('told', {
    emits: type<number>(),
    initial: make,
    receive(state, change, ctx) {
      const next = change(state as State);
      ctx.emit(((next ?? state) as State).at.getTime());
      return next as State;
    },
    ...over,
  });
const byKey = keyBy((_: Change) => 'k');

const inPlace: [string, (state: State) => void, string][] = [
  ['a date', ({ at }) => void at.setTime(5), 'a Date in place, at .at of its state'],
  ['an invalid date', ({ at }) => void at.setTime(Number.NaN), 'a Date in place, at .at of its state'],
  ['a typed array', ({ nested }) => void nested.bytes.fill(9), 'a Uint8Array in place, at .nested.bytes of its state'],
  [
    'a date in a Map',
    ({ nested }) => void nested.dates.get('first')?.setTime(7),
    'a Date in place, at .nested.dates.get(first) of its state',
  ],
];

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('a date or typed array in a state', () => {
  describe.each(['draft', 'return'] as const)('with update %s', update => {
    it.each(inPlace)('is an error when it is changed in place: %s', (_, change, message) => {
      const error = errorOf('-a-|', stream => stream.pipe(byKey, told({ update })), { values: { a: change } });
      expect(error).toMatchObject({ code: 'USER_CODE', context: { operator: 'told' } });
      expect(error?.message).toContain(message);
    });

    it('may be replaced', () => {
      const values = {
        a: (state: State) => ({ ...state, at: new Date(5) }),
        b: (state: State) => ({ ...state, nested: { ...state.nested, bytes: state.nested.bytes.slice().fill(9) } }),
      };
      marbles(({ job, expectElements }) => {
        const input = '   -a-b-|';
        const expected = '-5-5-|';
        expectElements(job(input, stream => stream.pipe(byKey, told({ update })), { values })).toBe(expected, { 5: 5 });
      });
    });
  });

  it('is an error also where the supervision would go on: the state before it is gone', () => {
    const values = {
      a: ({ at }: State) => {
        at.setTime(5);
        throw new Error('and throws');
      },
    };
    const error = errorOf('-a-b-|', stream => stream.pipe(byKey, told({ supervise: 'reset' })), { values });
    expect(error?.message).toContain('a Date in place');
  });

  it('is noticed in timers and at completion, and when it is the state itself', () => {
    const late = told({
      receive: (_, __, ctx) => ctx.timers.atEventTime(1),
      onTimer: ({ at }) => void (at as Date).setTime(3),
    });
    expect(errorOf('-a-|', stream => stream.pipe(byKey, late), { values: { a: 1 } })?.message).toContain('at .at');
    const last = scan('at', (at: Date) => void at.setTime(at.getTime() + 1), new Date(0), { update: 'return' });
    expect(errorOf('-a-|', stream => stream.pipe(last))?.message).toContain('a Date in place, which is its state');
  });

  it('is noticed after a restore', () => {
    const values = { a: () => ({ ...make(), at: new Date(4) }), b: ({ at }: State) => void at.setTime(5) };
    const input = '-a-B-X-b-|';
    expect(errorOf(input, stream => stream.pipe(byKey, told()), { values })?.message).toContain('a Date in place');
  });

  it('is not looked after in production', () => {
    vi.stubEnv('NODE_ENV', 'production');
    marbles(({ job, expectElements }) => {
      const values = { a: ({ at }: State) => void at.setTime(5) };
      expectElements(job('-a-|', stream => stream.pipe(byKey, told()), { values })).toBe('-5-|', { 5: 5 });
    });
  });
});

describe('InPlaceWatch', () => {
  const changedBy = (watch: InPlaceWatch, state: object, change: () => void) => {
    const asks = watch.before(state);
    change();
    return asks ? watch.changed() : 'not asked';
  };

  it('asks only about states that hold such a value, and about all of them once it has met one', () => {
    const watch = new InPlaceWatch();
    for (let i = 0; i < 100; i++) expect(watch.before({ n: i })).toBe(false);
    const late = { at: new Date(0) };
    for (let i = 0; i < 2_000; i++) if (watch.before(late)) break;
    expect(changedBy(watch, late, () => late.at.setTime(1))).toEqual({ what: 'Date', path: '.at' });
    expect(watch.before({ n: 1 })).toBe(false);
    expect(changedBy(watch, late, () => {})).toBeUndefined();
  });

  it('looks at a bounded part of large states', () => {
    const watch = new InPlaceWatch();
    let looked = 0;
    const large = Array.from({ length: 100_000 }, () => ({
      get part() {
        looked++;
        return 1;
      },
    }));
    watch.before(large);
    watch.before(new Map(large.map((part, i) => [i, part])));
    expect(looked).toBeLessThanOrEqual(200);
  });

  it('notices any change of a small array, and sooner or later one of a large array', () => {
    const watch = new InPlaceWatch();
    const small = new Float64Array(100);
    for (let i = 0; i < small.length; i++) {
      expect(changedBy(watch, small, () => (small[i] = (small[i] as number) + 0.1))).toMatchObject({ path: '' });
    }
    const large = { bytes: new Uint8Array(1_000_000) };
    const noticed = Array.from({ length: 2_000 }, () =>
      changedBy(watch, large, () => (large.bytes[123_456] = (large.bytes[123_456] as number) + 1)),
    );
    expect(noticed.filter(Boolean).length).toBeGreaterThan(0);
  });

  it('looks into typed arrays of every kind, and into what they are a part of', () => {
    const buffer = new ArrayBuffer(16);
    const kinds = [new DataView(buffer), new BigInt64Array(buffer), Buffer.from(buffer), buffer];
    for (const [i, kind] of kinds.entries()) {
      const part = { kind };
      expect(changedBy(new InPlaceWatch(), part, () => new Uint8Array(buffer).fill(i + 1))).toEqual({
        what: kind.constructor.name,
        path: '.kind',
      });
    }
  });
});
