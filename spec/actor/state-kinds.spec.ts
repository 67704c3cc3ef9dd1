import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyedEntries } from '../../lib/actor/keyed-entries.ts';
import { CaptureReader } from '../../lib/actor/keyed-state.ts';
import { ListHandle } from '../../lib/actor/list-handle.ts';
import { StateEntries } from '../../lib/actor/state-entries.ts';
import {
  actor,
  aggregatingState,
  deadLetters,
  JobDefinitionError,
  listState,
  mapState,
  type StateKinds,
  StateLostError,
  type,
  valueState,
} from '../../lib/index.ts';
import { marbles } from '../../lib/testing/index.ts';
import { aggregates, keyBy } from '../../operators/index.ts';
import { inspectedStore } from './stored-entries.ts';

/** Commands on the three states of a key: `v7` sets the value, `l7` appends, `a7` adds; a dash takes back, `!` throws behind it. */
const kinds = actor('kinds', {
  emits: type<string>(),
  supervise: 'skip',
  states: {
    last: valueState<number>(),
    list: listState<number>(),
    mean: aggregatingState(aggregates.mean((n: number) => n)),
  },
  initial: () => undefined,
  receive(_, command: string, { states: { last, list, mean }, emit, forget }) {
    const number = Number(command.slice(1, 2));
    if (command === 'forget') {
      forget();
      return;
    }
    if (command.startsWith('v-')) last.clear();
    else if (command.startsWith('v')) last.set(number);
    else if (command.startsWith('l--')) list.clear();
    else if (command.startsWith('l-')) list.removeFirst();
    else if (command.startsWith('l')) list.append(number);
    else if (command.startsWith('a-')) mean.clear();
    else mean.add(number);
    if (command.endsWith('!')) throw new Error('bang');
    emit(`${last.get()} ${[...list].join('')}(${list.size}) ${mean.get()}`);
  },
});

const one = <T>() => keyBy((_: T) => 1);

/** What `kinds` tells of these commands, the first of which is `a` in the marbles, and the first answer `p`. */
function told(input: string, commands: readonly string[], expected: string, answers: readonly string[]): void {
  const named = (first: string, all: readonly string[]) =>
    Object.fromEntries(all.map((one, i) => [String.fromCharCode(first.charCodeAt(0) + i), one]));
  marbles(({ job, expectElements }) => {
    const run = job(
      input,
      stream => {
        const out = stream.pipe(one<string>(), kinds);
        return { out, dead: out.side(deadLetters) };
      },
      { values: named('a', commands) },
    );
    expectElements(run, 'out').toBe(expected, named('p', answers));
  });
}

describe('states of a key', () => {
  it('are a value, a list and an aggregate, each as it was left', () => {
    told('-a-b-c-d-e-f-g-|', ['v1', 'l2', 'l3', 'a4', 'a8', 'v5', 'l-'], '-p-q-r-s-t-u-v-|', [
      '1 (0) undefined',
      '1 2(1) undefined',
      '1 23(2) undefined',
      '1 23(2) 4',
      '1 23(2) 6',
      '5 23(2) 6',
      '5 3(1) 6',
    ]);
  });

  it('are as at the barrier after a crash', () => {
    told('-a-b-c-d-B-e-f-B-X-g-h-|', ['v1', 'l2', 'l3', 'a4', 'l-', 'v-', 'l7', 'a6'], '-p-q-r-s-B-t-u-B---v-w-|', [
      '1 (0) undefined',
      '1 2(1) undefined',
      '1 23(2) undefined',
      '1 23(2) 4',
      '1 3(1) 4',
      'undefined 3(1) 4',
      'undefined 37(2) 4',
      'undefined 37(2) 5',
    ]);
  });

  it('begin anew where they are cleared, or forgotten with their key', () => {
    told('-a-b-c-d-e-f-g-B-X-h-|', ['l1', 'a3', 'l--', 'l2', 'a-', 'v9', 'forget', 'l5'], '-p-q-r-s-t-u---B---v-|', [
      'undefined 1(1) undefined',
      'undefined 1(1) 3',
      'undefined (0) 3',
      'undefined 2(1) 3',
      'undefined 2(1) undefined',
      '9 2(1) undefined',
      'undefined 5(1) undefined',
    ]);
  });

  it('are as before the record when the handler threw', () => {
    told('-a-b-c-d-e-f-g-h-|', ['v1', 'l2', 'a3', 'v5!', 'l6!', 'l-!', 'a9!', 'l7'], '-p-q-r---------s-|', [
      '1 (0) undefined',
      '1 2(1) undefined',
      '1 2(1) 3',
      '1 27(2) 3',
    ]);
  });

  it('cost an entry of a delta for each element that was appended or taken out', () => {
    const { store, committed } = inspectedStore();
    const many = Array.from({ length: 500 }, (_, i) => i);
    const queue = actor('queue', {
      states: { waiting: listState<number>(), first: valueState<number>() },
      initial: () => undefined,
      receive(_, count: number, { states: { waiting, first } }) {
        if (count === 0) first.set(waiting.removeFirst() ?? -1);
        else for (const n of many.slice(0, count)) waiting.append(n);
      },
    });
    marbles(({ job }) => {
      job('-a-B-b-B-c-B-|', stream => stream.pipe(one<number>(), queue), { values: { a: 500, b: 2, c: 0 }, store });
    });
    const entries = committed().map(({ actors }) => actors.queue?.segments.map(segment => segment.entries));
    expect(entries.at(-1)).toEqual([500, 2, 2]);
  });
});

describe('names of entries', () => {
  it('say state, key, entry and, but for maps, the kind, in a form that stays as it is', () => {
    const names = (kind: 'map' | 'value' | 'list' | 'aggregating') => {
      const entries = new KeyedEntries(new Map([['it', kind]]));
      entries.set('it', 'k', 0, true);
      const found: unknown[] = [];
      new CaptureReader(entries.capture()).next(9, name => found.push(name));
      return found;
    };
    expect(names('map')).toEqual(['\u0000ts2:its1:kd0;']);
    expect(names('value')).toEqual(['\u0000ts2:its1:kd0;s1:v']);
    expect(names('list')).toEqual(['\u0000ts2:its1:kd0;s1:l']);
    expect(names('aggregating')).toEqual(['\u0000ts2:its1:kd0;s1:a']);
  });

  it('that cannot be read are refused', () => {
    const entries = new KeyedEntries(new Map());
    for (const name of ['it', '\u0000ts2:its1:k', '\u0000ts2:its1:kd0;s1:z', '\u0000td1;s1:kd0;']) {
      expect(() => entries.restore(name, 1)).toThrow(StateLostError);
    }
  });
});

describe('a state whose kind has changed', () => {
  const declaring = (states: StateKinds) =>
    actor('changing', {
      emits: type<number>(),
      states,
      initial: () => undefined,
      receive(_, n: number, ctx) {
        const { it } = ctx.states as unknown as { it?: { set(entry: number, value: number): void } };
        it?.set(n, n);
        ctx.emit(n);
      },
    });

  it('is refused at restore by name, with both kinds', () => {
    let builds = 0;
    marbles(({ job, expectElements }) => {
      const run = job(
        '-a-B-X-b-|',
        stream =>
          stream.pipe(
            one<number>(),
            declaring({ it: builds++ === 0 ? mapState<number, number>() : listState<number>() }),
          ),
        { values: { a: 1, b: 2 } },
      );
      expectElements(run).toBe(
        '-a-B-#',
        { a: 1 },
        /states of the actor "changing" .*"it" is stored as mapState and declared as listState/,
      );
    });
  });

  it('is dropped under its old name where that is allowed, while the new one begins empty', () => {
    let builds = 0;
    marbles(({ job, expectElements }) => {
      const run = job(
        '-a-B-X-b-B-X-c-|',
        stream => {
          builds++;
          return stream.pipe(
            one<number>(),
            builds === 1 ? declaring({ it: mapState<number, number>() }) : declaring({ other: listState<number>() }),
          );
        },
        { values: { a: 1, b: 2, c: 3 }, settings: { allowDroppedState: true } },
      );
      expectElements(run).toBe('-a-B---b-B---c-|', { a: 1, b: 2, c: 3 });
    });
  });
});

describe('declarations', () => {
  it('of something that is no state, or no aggregate, are refused', () => {
    expect(() => actor('wrong', { states: { it: 7 }, initial: () => 0, receive() {} })).toThrow(
      /"wrong" declares the state "it"/,
    );
    const partial = { init: () => 0, result: () => 0 } as never;
    expect(() => aggregatingState(partial)).toThrow(JobDefinitionError);
    expect(() => aggregatingState(partial)).toThrow(/add is no function/);
  });
});

// What handlers do to the list of a key, and what becomes of it, against plain arrays.
describe('lists and their captures', () => {
  const write = fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant('append' as const), value: fc.integer({ min: 0, max: 99 }) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('removeFirst' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const) }) },
  );
  const key = fc.constantFrom<string | number>('k', 3);
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('handle' as const),
        key,
        writes: fc.array(write, { maxLength: 6 }),
        throws: fc.boolean(),
      }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('capture' as const, 'commit' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('abandon' as const, 'crash' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const), key }) },
  );
  type Model = Map<string | number, number[]>;

  it('are what plain arrays are, after every handler, commit, abandoned checkpoint and crash', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 60, size: 'max' }), steps => {
        const owner = { currentKey: 'k' as string | number, freezesState: true, drafts: false };
        const begun = () => {
          const entries = new KeyedEntries(new Map([['l', 'list' as const]]));
          return { entries, handle: new ListHandle(new StateEntries('l', entries, owner)) };
        };
        let { entries, handle } = begun();
        let model: Model = new Map();
        let chain: { name: Parameters<KeyedEntries['restore']>[0]; value: unknown; isDeleted: boolean }[] = [];
        let open: { capture: ReturnType<KeyedEntries['capture']>; model: Model } | undefined;
        let committed: Model = new Map();
        for (const one of steps) {
          if (one.do === 'handle') {
            owner.currentKey = one.key;
            const of = [...(model.get(one.key) ?? [])];
            for (const what of one.writes) {
              if (what.do === 'append') {
                handle.append(what.value);
                of.push(what.value);
              } else if (what.do === 'removeFirst') {
                expect(handle.removeFirst()).toBe(of.shift());
              } else {
                handle.clear();
                of.length = 0;
              }
              expect(handle.size).toBe(of.length);
              expect([...handle]).toEqual(of);
            }
            if (one.throws) handle.discard();
            else {
              handle.apply();
              model.set(one.key, of);
            }
          } else if (one.do === 'forget') {
            entries.forget(one.key);
            model.delete(one.key);
          } else if (one.do === 'capture' && !open) {
            open = { capture: entries.capture(), model: structuredClone(model) };
          } else if (one.do === 'commit' && open) {
            const reader = new CaptureReader(open.capture);
            const written: typeof chain = [];
            while (reader.next(2, (name, value, isDeleted) => written.push({ name, value, isDeleted })));
            chain = open.capture.isFull ? written : [...chain, ...written];
            committed = open.model;
            entries.commit(open.capture);
            open = undefined;
          } else if (one.do === 'abandon' && open) {
            entries.abandon(open.capture);
            open = undefined;
          } else if (one.do === 'crash') {
            ({ entries, handle } = begun());
            for (const { name, value, isDeleted } of chain) {
              if (isDeleted) entries.restoreDeletion(name);
              else entries.restore(name, value);
            }
            open = undefined;
            model = structuredClone(committed);
          }
          for (const [of, elements] of model) {
            owner.currentKey = of;
            expect([...handle]).toEqual(elements);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
