import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AggregatingState,
  aggregatingState,
  type ListState,
  listState,
  type MapState,
  mapState,
  type Ttl,
  type ValueState,
  valueState,
} from '../../lib/index.ts';
import { DrivenActor } from './driven-actor.ts';

const after = 10;

interface Timed<V> {
  readonly value: V;
  time: number;
}

/** What a key has: each value with the time by which it expires. */
interface KeyModel {
  own: Timed<number> | undefined;
  map: Map<string, Timed<number>>;
  list: Timed<number>[];
  value: Timed<number> | undefined;
  total: Timed<number> | undefined;
}

type Action =
  | { readonly do: 'own' | 'put' | 'append' | 'value' | 'add'; readonly entry: string; readonly n: number }
  | { readonly do: 'get' | 'has' | 'delete'; readonly entry: string }
  | { readonly do: 'size' | 'keys' | 'list' | 'length' | 'first' | 'getValue' | 'total' | 'clear' | 'empty' };

const entry = fc.constantFrom('a', 'b', 'c');
const n = fc.integer({ min: 1, max: 9 });
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ do: fc.constantFrom('own' as const, 'put', 'append', 'value', 'add'), entry, n }),
  fc.record({ do: fc.constantFrom('get' as const, 'has', 'delete'), entry }),
  fc.record({
    do: fc.constantFrom('size' as const, 'keys', 'list', 'length', 'first', 'getValue', 'total', 'clear', 'empty'),
  }),
);
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('record' as const),
      key: fc.constantFrom<string | number>('k', 3),
      actions: fc.array(action, { maxLength: 4 }),
      throws: fc.integer({ min: 0, max: 5 }).map(one => one === 0),
      ahead: fc.integer({ min: -6, max: 9 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('time' as const), ms: fc.integer({ min: 1, max: 8 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('commit' as const, 'abandon' as const, 'crash' as const) }) },
);

/** The state of each kind, which does what its record says and tells what it saw. */
function behaviour(ttl: Ttl, seen: unknown[]) {
  const options = { ttl };
  return {
    ttl,
    update: 'return',
    supervise: 'skip',
    states: {
      map: mapState<string, number>(options),
      list: listState<number>(options),
      value: valueState<number>(options),
      total: aggregatingState(
        { init: () => 0, add: (total: number, more: number) => total + more, result: (total: number) => total },
        options,
      ),
    },
    initial: () => 0,
    receive(own: number, { actions, throws }: { actions: readonly Action[]; throws: boolean }, ctx: never) {
      const { map, list, value, total } = (ctx as { states: Record<string, never> }).states as unknown as {
        map: MapState<string, number>;
        list: ListState<number>;
        value: ValueState<number>;
        total: AggregatingState<number, number>;
      };
      let next = own;
      seen.push(own);
      for (const one of actions) {
        if (one.do === 'own') next = own * 10 + one.n;
        else if (one.do === 'put') map.set(one.entry, one.n);
        else if (one.do === 'append') list.append(one.n);
        else if (one.do === 'value') value.set(one.n);
        else if (one.do === 'add') total.add(one.n);
        else if (one.do === 'get') seen.push(map.get(one.entry));
        else if (one.do === 'has') seen.push(map.has(one.entry));
        else if (one.do === 'delete') map.delete(one.entry);
        else if (one.do === 'size') seen.push(map.size);
        else if (one.do === 'keys') seen.push([...map.keys()].sort());
        else if (one.do === 'list') seen.push([...list]);
        else if (one.do === 'length') seen.push(list.size);
        else if (one.do === 'first') seen.push(list.removeFirst());
        else if (one.do === 'getValue') seen.push(value.get());
        else if (one.do === 'total') seen.push(total.get());
        else if (one.do === 'clear') map.clear();
        else list.clear();
      }
      if (throws) throw new Error('bang');
      return next;
    },
  };
}

describe('state that expires', () => {
  const since = fc.constantFrom('created' as const, 'written' as const, 'read' as const);
  const on = fc.constantFrom('processing' as const, 'event' as const);

  it('is what a map with times is, after every handler, checkpoint and crash, on either clock', () => {
    fc.assert(
      fc.property(since, on, fc.array(step, { minLength: 5, maxLength: 60, size: 'max' }), (from, clock, steps) => {
        const seen: unknown[] = [];
        const actor = new DrivenActor(behaviour({ after, since: from, on: clock }, seen));
        let model = new Map<string | number, KeyModel>();
        let committed = { model: structuredClone(model), watermark: Number.NEGATIVE_INFINITY };
        let watermark = Number.NEGATIVE_INFINITY;
        const now = () => (clock === 'event' ? watermark : actor.now);

        for (const one of steps) {
          if (one.do === 'time') {
            actor.now += one.ms;
            watermark = actor.now - 1_000;
            actor.watermark(watermark);
          } else if (one.do === 'record') {
            const timestamp = actor.now - 1_000 + one.ahead;
            const stamp = clock === 'event' ? Math.max(watermark, timestamp) : actor.now;
            const expected: unknown[] = [];
            const before = model.get(one.key) ?? emptyModel();
            const { next, reads } = handled(before, one.actions, { from, now: now(), stamp, expected });
            seen.length = 0;
            actor.record(one.key, one, timestamp);
            expect(seen).toEqual(expected);
            if (!one.throws) {
              if (from === 'read') for (const read of reads) read.time = Math.max(read.time, stamp);
              model.set(one.key, next);
            }
          } else if (one.do === 'commit') {
            actor.checkpoint();
            committed = { model: structuredClone(model), watermark };
          } else if (one.do === 'abandon') {
            actor.checkpoint(false);
          } else {
            actor.crash();
            model = structuredClone(committed.model);
            watermark = committed.watermark;
          }
          expect(actor.error).toBeUndefined();
        }

        // All of it goes, from memory and from what is stored.
        actor.now += 100;
        actor.watermark(actor.now);
        actor.checkpoint();
        expect(actor.held).toBe(0);
        actor.crash();
        expect(actor.held).toBe(0);
      }),
      {
        numRuns: 400,
        // A pass over the entries that is not over when those which it has seen expire.
        examples: [
          [
            'created',
            'event',
            [
              { do: 'record', key: 'k', actions: [{ do: 'put', entry: 'a', n: 1 }], throws: false, ahead: 1 },
              { do: 'record', key: 'k', actions: [{ do: 'put', entry: 'b', n: 1 }], throws: false, ahead: 0 },
              {
                do: 'record',
                key: 3,
                actions: [
                  { do: 'put', entry: 'a', n: 1 },
                  { do: 'put', entry: 'b', n: 1 },
                ],
                throws: false,
                ahead: 0,
              },
              { do: 'time', ms: 7 },
              { do: 'record', key: 'k', actions: [], throws: true, ahead: 0 },
              { do: 'time', ms: 3 },
              { do: 'record', key: 'k', actions: [], throws: false, ahead: 0 },
              { do: 'record', key: 'k', actions: [], throws: true, ahead: 0 },
            ],
          ],
        ],
      },
    );
  });
});

const emptyModel = (): KeyModel => ({ own: undefined, map: new Map(), list: [], value: undefined, total: undefined });

interface Moment {
  readonly from: 'created' | 'written' | 'read';
  readonly now: number;
  readonly stamp: number;
  readonly expected: unknown[];
}

/** What becomes of a key, and what it reads: the definition of expiry, without any of its bookkeeping. */
function handled(before: KeyModel, actions: readonly Action[], { from, now, stamp, expected }: Moment) {
  const isAlive = (timed: Timed<number> | undefined) => timed !== undefined && now < timed.time + after;
  const alive = (timed: Timed<number> | undefined) => (isAlive(timed) ? timed : undefined);
  const next: KeyModel = {
    own: alive(structuredClone(before.own)),
    map: new Map([...structuredClone(before.map)].filter(([, timed]) => isAlive(timed))),
    list: structuredClone(before.list).filter(isAlive),
    value: alive(structuredClone(before.value)),
    total: alive(structuredClone(before.total)),
  };
  const old = { ...next, map: new Map(next.map) };
  const written = (was: Timed<number> | undefined, value: number): Timed<number> => ({
    value,
    time: was === undefined ? stamp : from === 'created' ? was.time : Math.max(was.time, stamp),
  });
  const reads = new Set<Timed<number>>();
  const read = (timed: Timed<number> | undefined) => {
    if (timed) reads.add(timed);
    return timed?.value;
  };
  expected.push(read(next.own) ?? 0);
  const own = next.own?.value ?? 0;
  for (const one of actions) {
    if (one.do === 'own') next.own = written(old.own, own * 10 + one.n);
    else if (one.do === 'put') next.map.set(one.entry, written(old.map.get(one.entry), one.n));
    else if (one.do === 'append') next.list.push(written(undefined, one.n));
    else if (one.do === 'value') next.value = written(old.value, one.n);
    else if (one.do === 'add') next.total = written(old.total, (read(next.total) ?? 0) + one.n);
    else if (one.do === 'get') expected.push(read(next.map.get(one.entry)));
    else if (one.do === 'has') {
      read(next.map.get(one.entry));
      expected.push(next.map.has(one.entry));
    } else if (one.do === 'delete') next.map.delete(one.entry);
    else if (one.do === 'size') expected.push(next.map.size);
    else if (one.do === 'keys') expected.push([...next.map.keys()].sort());
    else if (one.do === 'list') expected.push(next.list.map(read));
    else if (one.do === 'length') expected.push(next.list.length);
    else if (one.do === 'first') expected.push(next.list.shift()?.value);
    else if (one.do === 'getValue') expected.push(read(next.value));
    else if (one.do === 'total') expected.push(read(next.total));
    else if (one.do === 'clear') next.map.clear();
    else next.list.length = 0;
  }
  return { next, reads };
}
