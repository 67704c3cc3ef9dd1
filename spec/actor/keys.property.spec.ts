import fc from 'fast-check';
import { mergeMap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { actor, type Key, memoryStore, type SnapshotStore, type } from '../../lib/index.ts';
import { type MarbleInput, type MarbleJob, marbles } from '../../lib/testing/index.ts';
import { keyBy } from '../../operators/index.ts';
import { FailingStore, storeOf } from '../checkpoint/failing-store.ts';
import { keys, sameKey } from './keys.ts';

interface Visit {
  readonly key: Key;
  readonly what: 'count' | 'look' | 'forget';
}
type Counted = readonly [key: Key, count: number];

/** Counts the visits of a key in a draft; a look leaves the state alone. */
const counting = actor<Visit, { n: number }, Counted, Key>('counting', {
  emits: type<Counted>(),
  initial: () => ({ n: 0 }),
  receive(state, { what }, ctx) {
    if (what === 'forget') ctx.forget();
    else if (what === 'count') state.n++;
    ctx.emit([ctx.key, state.n]);
  },
});

/** The same over a plain list. */
function reference(visits: readonly Visit[]): Counted[] {
  const counts: [Key, number][] = [];
  return visits.map(({ key, what }) => {
    let entry = counts.find(([known]) => sameKey(known, key));
    if (!entry) {
      entry = [key, 0];
      counts.push(entry);
    }
    if (what === 'count') entry[1]++;
    const seen = entry[1];
    if (what === 'forget') entry[1] = 0;
    return [key, seen];
  });
}

/** Everything that came out committed, and live, of visits with barriers and crashes among them. */
function run(events: readonly (Visit | 'B' | 'X')[], store: SnapshotStore) {
  const values: Record<string, unknown> = {};
  const letters = events.map((event, i) => {
    if (typeof event === 'string') return event;
    const letter = String.fromCodePoint(0x4e00 + i);
    values[letter] = event;
    return letter;
  });
  let ran: MarbleJob | undefined;
  marbles(({ job }) => {
    const build = (stream: MarbleInput) =>
      stream.pipe(
        keyBy((visit: Visit) => visit.key),
        counting,
      );
    ran = job(`${letters.join('')}|`, build, {
      values,
      store,
      settings: { checkpoint: { tolerableFailures: 10 } },
    });
  });
  const committed = ran?.output().committed.map(({ element }) => (element as { value: unknown }).value);
  return { committed, outcome: ran?.handle?.status.phase };
}

describe('keyed state', () => {
  it('is that of a list compared by content, whatever the keys are and whenever barriers and crashes come', () => {
    // Few keys in one history, so that each is met again, before and behind barriers and crashes.
    const odd = fc.constantFrom<Key>(
      '__proto__',
      'constructor',
      '',
      '\u0000',
      '\ud800',
      1,
      '1',
      1n,
      true,
      [],
      [1],
      ['1'],
    );
    const pools = fc.array(fc.oneof(odd, keys), { minLength: 1, maxLength: 4 });
    const histories = pools.chain(pool => {
      const visit = fc.record({
        key: fc.constantFrom(...pool),
        what: fc.constantFrom('count', 'count', 'count', 'look', 'forget', 'forget') as fc.Arbitrary<Visit['what']>,
      });
      const mark = fc.constantFrom<'B' | 'X'>('B', 'B', 'B', 'X');
      return fc.record({
        events: fc.array(fc.oneof({ weight: 3, arbitrary: visit }, { weight: 2, arbitrary: mark }), {
          maxLength: 60,
          size: 'max',
        }),
        refusals: fc.array(
          fc.nat({ max: 2 }).map(n => n === 0),
          { maxLength: 10 },
        ),
      });
    });
    fc.assert(
      fc.property(histories, ({ events, refusals }) => {
        const store = new FailingStore(memoryStore().task({ job: 'marbles', task: 'main' }));
        store.plan('prepare', ...refusals.map(isRefused => (isRefused ? ('refuses' as const) : undefined)));
        const { committed, outcome } = run(events, storeOf(store));
        expect(outcome).toBe('finished');
        expect(committed).toEqual(reference(events.filter(event => typeof event === 'object')));
      }),
      { numRuns: 300 },
    );
  });

  it('of thousands of keys of every kind comes back from full segments and deltas', () => {
    const all: Key[] = [];
    fc.assert(
      fc.property(fc.array(keys, { minLength: 50, maxLength: 100 }), found => {
        all.push(...found);
      }),
      { numRuns: 40 },
    );
    const visits = (some: readonly Key[]): Visit[] => some.map(key => ({ key, what: 'count' }));
    const third = Math.floor(all.length / 3);
    const [a, b, c] = [visits(all), visits(all.slice(third)), visits(all.slice(0, 2 * third))];
    let ran: MarbleJob | undefined;
    marbles(({ job }) => {
      const build = (stream: MarbleInput) =>
        stream.pipe(
          mergeMap((list: Visit[]) => list),
          keyBy((visit: Visit) => visit.key),
          counting,
        );
      ran = job('-a-B-b-B-X-c-X-|', build, { values: { a, b, c } });
    });
    const committed = ran?.output().committed.map(({ element }) => (element as { value: unknown }).value);
    expect(committed).toEqual(reference([...a, ...b, ...c]));
    expect(all.length).toBeGreaterThan(2_000);
  });
});
