import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyedEntries } from '../../lib/actor/keyed-entries.ts';
import { CaptureReader } from '../../lib/actor/keyed-state.ts';
import { MapHandle } from '../../lib/actor/map-handle.ts';
import { StateEntries } from '../../lib/actor/state-entries.ts';
import { actor, type KeyAtom, type MapState, mapState, type } from '../../lib/index.ts';
import { marbles } from '../../lib/testing/index.ts';
import { keyBy } from '../../operators/index.ts';

/** Counts words of a sentence by their first letter, and tells the counts of the letters so far in their order. */
const letters = actor('letters', {
  emits: type<string>(),
  update: 'return',
  states: { counts: mapState<string, number>() },
  initial: () => undefined,
  receive(_, word: string, { states: { counts }, emit, forget }) {
    if (word === 'stop') {
      forget();
      return;
    }
    const letter = word.charAt(0);
    if (word.endsWith('-')) counts.delete(letter);
    else counts.set(letter, (counts.get(letter) ?? 0) + 1);
    if (word === 'bang') throw new Error('bang');
    emit(
      counts
        .keys()
        .map(key => `${key}${counts.get(key)}`)
        .join(''),
    );
  },
});

const byLength = keyBy((word: string) => Math.min(word.length, 3));
const values = { a: 'at', b: 'be', c: 'as', d: 'ape', e: 'b-', f: 'by' };

describe('a map of a key', () => {
  it('has the entries of that key, in the order in which they came', () => {
    marbles(({ job, expectElements }) => {
      const input = '   -a-b-c-d-e-f-|';
      const expected = '-p-q-r-s-t-u-|';
      const run = job(input, stream => stream.pipe(byLength, letters), { values });
      expectElements(run).toBe(expected, { p: 'a1', q: 'a1b1', r: 'a2b1', s: 'a1', t: 'a2', u: 'a2b1' });
    });
  });

  it('is as it was at the barrier after a crash, deletions and order included', () => {
    marbles(({ job, expectElements, expectCommitted }) => {
      const input = '    -a-b-e-B-f-X-c-|';
      const expected = ' -p-q-r-B-s-s-t-|';
      const committed = '-------(pqr)---(st)';
      const run = job(input, stream => stream.pipe(byLength, letters), { values });
      expectElements(run).toBe(expected, { p: 'a1', q: 'a1b1', r: 'a1', s: 'a1b1', t: 'a2b1' });
      expectCommitted(run).toBe(committed, { p: 'a1', q: 'a1b1', r: 'a1', s: 'a1b1', t: 'a2b1' });
    });
  });

  it('is forgotten with its key', () => {
    marbles(({ job, expectElements }) => {
      const input = '   -a-b-x-B-X-y-|';
      const expected = '-p-q---B---r-|';
      const run = job(
        input,
        stream =>
          stream.pipe(
            keyBy(() => 1),
            letters,
          ),
        {
          values: { a: 'at', b: 'be', x: 'stop', y: 'cat' },
        },
      );
      expectElements(run).toBe(expected, { p: 'a1', q: 'a1b1', r: 'c1' });
    });
  });

  it('is as before the record when its handler threw', () => {
    marbles(({ job, expectElements }) => {
      const skipping = actor('letters', {
        emits: type<string>(),
        supervise: 'skip',
        states: { counts: mapState<string, number>() },
        initial: () => undefined,
        receive(_, word: string, { states: { counts }, emit }) {
          counts.clear();
          counts.set(word, 1);
          counts.delete('a');
          if (word === 'bang') throw new Error('bang');
          emit(`${counts.size}${counts.keys().join('')}`);
        },
      });
      const run = job(
        '-a-x-b-|',
        stream => {
          const out = stream.pipe(
            keyBy(() => 1),
            skipping,
          );
          return { out, letters: out.side({ name: 'dead-letters' }) };
        },
        { values: { a: 'q', x: 'bang', b: 'r' } },
      );
      expectElements(run, 'out').toBe('-p---q-|', { p: '1q', q: '1r' });
    });
  });

  it('that is no longer declared is refused at restore', () => {
    const bare = actor<string, number, string, number>('letters', {
      emits: type<string>(),
      initial: () => 0,
      receive: n => n + 1,
    });
    let builds = 0;
    marbles(({ job, expectElements }) => {
      const run = job('-a-B-X-b-|', stream => stream.pipe(byLength, builds++ === 0 ? letters : bare), { values });
      expectElements(run).toBe('-p-B-#', { p: 'a1' }, /stored state in "counts"/);
    });
  });
});

// What handlers do to one map, and what becomes of it, against a plain list of entries.
describe.each([
  ['of any entries', fc.constantFrom<KeyAtom>('', 'a', '\u0000t', 0, 1, '1', true, 7n, Number.NaN), false],
  ['of numbers, looked at in their order', fc.constantFrom<KeyAtom>(-5, 0, 1, 2.5, 10, 11, 1e12), true],
])('maps and their captures, %s', (_what, entry, isSorted) => {
  /** In ascending order, as a whole and from one entry to another. */
  const expectSorted = (handle: MapHandle, of: ReadonlyMap<KeyAtom, number>) => {
    if (!isSorted) return;
    const numbers = handle as unknown as MapState<number, number>;
    const sorted = [...of].sort(([a], [b]) => (a as number) - (b as number));
    expect(numbers.sortedKeys()).toEqual(sorted.map(([name]) => name));
    expect(numbers.valuesBetween(-1e15, 1e15)).toEqual(sorted.map(([, value]) => value));
    const within = sorted.filter(([name]) => (name as number) >= 1 && (name as number) < 11);
    expect(numbers.keysBetween(1, 11)).toEqual(within.map(([name]) => name));
    expect(numbers.valuesBetween(1, 11)).toEqual(within.map(([, value]) => value));
  };
  const write = fc.oneof(
    fc.record({ do: fc.constant('set' as const), entry, value: fc.integer({ min: 0, max: 99 }) }),
    fc.record({ do: fc.constant('delete' as const), entry }),
    fc.record({ do: fc.constant('clear' as const) }),
  );
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('handle' as const),
        key: fc.constantFrom('k', 'l', 3),
        writes: fc.array(write, { maxLength: 5 }),
        throws: fc.boolean(),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constantFrom('capture' as const, 'commit' as const, 'abandon' as const, 'crash' as const),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const), key: fc.constantFrom('k', 'l', 3) }) },
  );
  const kinds = new Map([['m', 'map' as const]]);
  type Model = Map<string | number, Map<KeyAtom, number>>;
  const copyOf = (model: Model): Model => new Map([...model].map(([key, entries]) => [key, new Map(entries)]));

  it('are what a plain map is, after every handler, commit, abandoned checkpoint and crash', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 60, size: 'max' }), steps => {
        let entries = new KeyedEntries(kinds);
        let model: Model = new Map();
        const owner = { currentKey: 'k' as string | number, freezesState: true, drafts: false };
        let handle = new MapHandle(new StateEntries('m', entries, owner));
        let chain: { name: Parameters<KeyedEntries['restore']>[0]; value: unknown; isDeleted: boolean }[] = [];
        let open: { capture: ReturnType<KeyedEntries['capture']>; entries: typeof chain; model: Model } | undefined;
        let committed: Model = new Map();
        for (const one of steps) {
          if (one.do === 'handle') {
            owner.currentKey = one.key;
            const of = new Map(model.get(one.key) ?? []);
            for (const what of one.writes) {
              if (what.do === 'set') {
                handle.set(what.entry, what.value);
                of.set(what.entry, what.value);
              } else if (what.do === 'delete') {
                handle.delete(what.entry);
                of.delete(what.entry);
              } else {
                handle.clear();
                of.clear();
              }
              expect(handle.size).toBe(of.size);
              expect(new Set(handle.keys())).toEqual(new Set(of.keys()));
              for (const [name, value] of of) expect(handle.get(name)).toBe(value);
              expect(handle.has('nobody')).toBe(false);
              expectSorted(handle, of);
            }
            if (one.throws) handle.discard();
            else {
              handle.apply();
              if (of.size > 0) model.set(one.key, of);
              else model.delete(one.key);
            }
          } else if (one.do === 'forget') {
            entries.forget(one.key);
            model.delete(one.key);
          } else if (one.do === 'capture' && !open) {
            const capture = entries.capture();
            open = { capture, entries: [], model: copyOf(model) };
          } else if (one.do === 'commit' && open) {
            const reader = new CaptureReader(open.capture);
            const written = open.entries;
            while (reader.next(2, (name, value, isDeleted) => written.push({ name, value, isDeleted })));
            chain = open.capture.isFull ? written : [...chain, ...written];
            committed = open.model;
            entries.commit(open.capture);
            open = undefined;
          } else if (one.do === 'abandon' && open) {
            entries.abandon(open.capture);
            open = undefined;
          } else if (one.do === 'crash') {
            entries = new KeyedEntries(kinds);
            for (const { name, value, isDeleted } of chain) {
              if (isDeleted) entries.restoreDeletion(name);
              else entries.restore(name, value);
            }
            open = undefined;
            model = copyOf(committed);
            handle = new MapHandle(new StateEntries('m', entries, owner));
          }
          expect(entries.keys()).toEqual(new Set(model.keys()));
          for (const [key, of] of model) {
            owner.currentKey = key;
            expect(new Map(handle.keys().map(name => [name, handle.get(name)]))).toEqual(of);
            expectSorted(handle, of);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
