import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MapKey } from '../../lib/actor/key.ts';
import { type Capture, CaptureReader, KeyedState } from '../../lib/actor/keyed-state.ts';
import { InternalError } from '../../lib/errors.ts';

type Entry = [MapKey, number] | [MapKey];

/** The entries of a capture, read in slices of `slice`. */
function entriesOf(capture: Capture<number>, slice = 3, isFull = capture.isFull): Entry[] {
  const entries: Entry[] = [];
  const reader = new CaptureReader(capture, isFull);
  while (reader.next(slice, (key, value, isDeleted) => entries.push(isDeleted ? [key] : [key, value])));
  return entries;
}

/** What a store holds: the entries of every committed capture since the last full one. */
function restored(chain: readonly Entry[]): KeyedState<number> {
  const state = new KeyedState<number>();
  for (const [key, value] of chain) {
    if (value === undefined) state.restoreDeletion(key);
    else state.restore(key, value);
  }
  return state;
}

const contents = (state: KeyedState<number>): [MapKey, number][] =>
  Array.from(state.cells(), cell => [cell.key, cell.value]);

describe('KeyedState', () => {
  it('captures what changed since the last commit, deletions included', () => {
    const state = restored([
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ]);
    state.set('a', 10);
    state.delete('b');
    state.set('d', 4);
    const capture = state.capture();
    expect(capture).toMatchObject({ isFull: false, keys: 3, size: 3 });
    expect(entriesOf(capture)).toEqual([['a', 10], ['b'], ['d', 4]]);
  });

  it('takes the first capture, and the one after markAllChanged, in full', () => {
    const state = new KeyedState<number>();
    state.set('a', 1);
    const first = state.capture();
    expect(first.isFull).toBe(true);
    state.commit(first);
    state.set('b', 2);
    state.markAllChanged();
    state.delete('a');
    const all = state.capture();
    expect(all.isFull).toBe(true);
    expect(entriesOf(all)).toEqual([['b', 2]]);
    state.abandon(all);
    const again = state.capture();
    expect(again.isFull).toBe(true);
    state.commit(again);
    expect(state.capture().isFull).toBe(false);
  });

  it('can take a capture in full, in the order of the keys, when all of a small state has changed', () => {
    const state = restored([
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ]);
    state.set('c', 30);
    state.delete('b');
    const some = state.capture();
    expect(some.canBeFull).toBe(false);
    state.abandon(some);
    state.set('a', 10);
    const all = state.capture();
    expect(all).toMatchObject({ isFull: false, canBeFull: true });
    expect(entriesOf(all)).toEqual([['c', 30], ['b'], ['a', 10]]);
    expect(entriesOf(all, 3, true)).toEqual([
      ['a', 10],
      ['c', 30],
    ]);
    state.abandon(all);
    state.delete('c');
    expect(entriesOf(state.capture())).toEqual([['c'], ['b'], ['a', 10]]);
  });

  it('never takes a large state in full because all of it has changed, which would hold up the stream', () => {
    const state = restored(Array.from({ length: 10_000 }, (_, i) => [i, i]));
    for (let i = 0; i < 10_000; i++) state.set(i, -i);
    expect(state.capture().canBeFull).toBe(false);
  });

  it('never changes a capture, whatever is written or deleted after it', () => {
    const state = restored([
      ['a', 1],
      ['b', 2],
    ]);
    state.set('a', 10);
    state.set('b', 20);
    state.set('c', 30);
    const capture = state.capture();
    const cell = state.cell('a');
    if (cell) state.write(cell, 11);
    state.delete('b');
    state.set('c', 31);
    state.delete('c');
    expect(entriesOf(capture)).toEqual([
      ['a', 10],
      ['b', 20],
      ['c', 30],
    ]);
  });

  it('keeps a capture that was abandoned for the next one, the newer value winning', () => {
    const state = restored([
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ]);
    state.set('a', 10);
    state.set('b', 20);
    state.delete('c');
    const abandoned = state.capture();
    state.set('b', 21);
    state.set('d', 4);
    state.abandon(abandoned);
    expect(entriesOf(state.capture())).toEqual([['a', 10], ['b', 21], ['c'], ['d', 4]]);
  });

  it('records nothing for a key that came and went between two captures', () => {
    const state = restored([['a', 1]]);
    for (let i = 0; i < 10_000; i++) {
      state.set(i, i);
      state.delete(i);
    }
    expect(state.isChanged).toBe(false);
    state.set('b', 2);
    expect(state.capture().cells().length).toBeLessThan(3_000);
  });

  it('does not grow with the number of abandoned captures', () => {
    const state = new KeyedState<number>();
    for (let round = 0; round < 100; round++) {
      for (let key = 0; key < 100; key++) state.set(key, round);
      const capture = state.capture();
      for (let key = 0; key < 100; key++) state.set(key, -round);
      state.abandon(capture);
    }
    const capture = state.capture();
    expect(capture.size).toBe(100);
    expect(capture.cells().length).toBeLessThan(3_000);
  });

  it('knows whether there is anything to capture', () => {
    const state = restored([['a', 1]]);
    expect(state.isChanged).toBe(false);
    state.set('a', 2);
    expect(state.isChanged).toBe(true);
    const capture = state.capture();
    expect(state.isChanged).toBe(true);
    state.commit(capture);
    expect(state.isChanged).toBe(false);
    state.delete('a');
    expect(state.isChanged).toBe(true);
  });

  it('keeps undefined apart from no state', () => {
    const state = new KeyedState<undefined>();
    state.set('a', undefined);
    expect([state.has('a'), state.has('b'), state.cell('a')?.value]).toEqual([true, false, undefined]);
    const seen: unknown[] = [];
    new CaptureReader(state.capture()).next(9, (key, value, isDeleted) => seen.push([key, value, isDeleted]));
    expect(seen).toEqual([['a', undefined, false]]);
  });

  it('refuses a second open capture, a commit of one that is not open, and to read one that is over', () => {
    const state = new KeyedState<number>();
    const capture = state.capture();
    expect(() => state.capture()).toThrow(InternalError);
    state.abandon(capture);
    state.abandon(capture);
    expect(() => state.commit(capture)).toThrow(InternalError);
    expect(() => entriesOf(capture)).toThrow(InternalError);
  });

  it('restores, from any sequence of commits, abandoned captures and crashes, the state at the last committed barrier', () => {
    const key = fc.constantFrom<MapKey>('a', 1, '1', Number.NaN, '__proto__');
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ do: fc.constant('set' as const), key, value: fc.nat(99) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), key }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('capture' as const) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('commit' as const), prefersFull: fc.boolean() }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('abandon' as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), migrate: fc.boolean() }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), steps => {
        let state = new KeyedState<number>();
        let reference = new Map<MapKey, number>();
        let chain: Entry[] = [];
        let committed = new Map<MapKey, number>();
        let open: { capture: Capture<number>; barrier: Map<MapKey, number> } | undefined;
        for (const step of steps) {
          switch (step.do) {
            case 'set': {
              const cell = state.cell(step.key);
              if (cell && step.value % 2) state.write(cell, step.value);
              else state.set(step.key, step.value);
              reference.set(step.key, step.value);
              break;
            }
            case 'delete':
              expect(state.delete(step.key)).toBe(reference.delete(step.key));
              break;
            case 'capture':
              if (open) break;
              open = { capture: state.capture(), barrier: new Map(reference) };
              expect(open.capture.keys).toBe(reference.size);
              break;
            case 'commit': {
              if (!open) break;
              // An actor takes it in full only where its timers can be, too.
              const isFull = open.capture.isFull || (open.capture.canBeFull && step.prefersFull);
              const entries = entriesOf(open.capture, 3, isFull);
              expect(entries.length).toBeLessThanOrEqual(open.capture.size);
              chain = isFull ? entries : [...chain, ...entries];
              committed = open.barrier;
              state.commit(open.capture);
              open = undefined;
              // In the order of the keys, too: what is emitted at the end is the same with and without a crash.
              expect(contents(restored(chain))).toEqual([...committed]);
              break;
            }
            case 'abandon':
              if (!open) break;
              state.abandon(open.capture);
              open = undefined;
              break;
            case 'crash':
              state = restored(chain);
              reference = new Map(committed);
              open = undefined;
              if (step.migrate) state.markAllChanged();
          }
          expect(contents(state)).toEqual([...reference]);
        }
      }),
      { numRuns: 1_500 },
    );
  });
});
