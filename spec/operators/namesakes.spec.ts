import * as native from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import type { Op } from '../../lib/index.ts';
import { marbles } from '../../lib/testing/index.ts';
import * as ours from '../../operators/index.ts';

type Values = Readonly<Record<string, unknown>>;

const { EmptyError } = native;

/** One case of an un-keyed stream: what the native operator makes of the input, and ours. */
interface Case {
  readonly native: Op<unknown, unknown>;
  readonly ours: Op<unknown, unknown>;
  readonly in: string;
  /** What comes out of both. */
  readonly out?: string;
  /** Where they differ, and it is meant so: what comes out of each. */
  readonly differs?: { readonly native: string; readonly ours: string; readonly because: string };
  readonly values?: Values;
  readonly results?: Values;
  /** `EmptyError` where that is what both fail with; else the error of the input. */
  readonly fails?: 'empty';
}

/** What the operators that end early have in common. */
const readsOn = 'ours reads on, so that other keys and checkpoints do, and completes with its input';
const startsLater = 'the native one emits at its subscription, which a job would repeat at each restart';

const numbers: Values = { 1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 7 };
const broken = new Error('the input broke');

const small = (value: unknown): boolean => (value as number) < 3;
const large = (value: unknown): boolean => (value as number) > 2;
const everySecond = (_: unknown, index: number): boolean => index % 2 === 1;
const before2 = (_: unknown, index: number): boolean => index < 2;
const throwing = (value: unknown): boolean => {
  if (value === 'c') throw broken;
  return false;
};

const tables: Readonly<Record<string, Readonly<Record<string, Case>>>> = {
  distinctUntilChanged: {
    'drops what equals the record before it, and passes a repeat that comes later': {
      native: native.distinctUntilChanged(),
      ours: ours.distinctUntilChanged('o'),
      in: ' -a-a-b-b-a-|',
      out: '-a---b---a-|',
    },
    'compares the first with nothing, also when it is undefined or null': {
      native: native.distinctUntilChanged(),
      ours: ours.distinctUntilChanged('o'),
      values: { u: undefined, n: null },
      in: ' -u-u-n-n-u-|',
      out: '-u---n---u-|',
      results: { u: undefined, n: null },
    },
    'compares by ===: types are apart, NaN never equals, 0 and -0 do': {
      native: native.distinctUntilChanged(),
      ours: ours.distinctUntilChanged('o'),
      values: { a: 1, b: '1', c: NaN, d: NaN, e: 0, f: -0, g: true, h: 1n, i: 1n },
      in: ' -a-b-c-d-e-f-g-h-i-|',
      out: '-a-b-c-d-e---g-h---|',
      results: { a: 1, b: '1', c: NaN, d: NaN, e: 0, g: true, h: 1n },
    },
    'asks the comparator about the last one that passed': {
      native: native.distinctUntilChanged<unknown>((previous, current) => (current as number) <= (previous as number)),
      ours: ours.distinctUntilChanged<unknown>('o', (previous, current) => (current as number) <= (previous as number)),
      values: numbers,
      in: ' -3-1-2-4-4-5-|',
      out: '-3-----4---5-|',
      results: numbers,
    },
    'compares what the selector gives, by the comparator': {
      native: native.distinctUntilChanged(
        (previous: number, current: number) => previous === current,
        value => (value as string).length,
      ),
      ours: ours.distinctUntilChanged(
        'o',
        (previous: number, current: number) => previous === current,
        (value: unknown) => (value as string).length,
      ),
      values: { a: 'a', b: 'b', c: 'cc', d: 'd' },
      in: ' -a-b-c-d-|',
      out: '-a---c-d-|',
      results: { a: 'a', c: 'cc', d: 'd' },
    },
    'passes nothing of an empty input': {
      native: native.distinctUntilChanged(),
      ours: ours.distinctUntilChanged('o'),
      in: ' ---|',
      out: '---|',
    },
    'fails with its input': {
      native: native.distinctUntilChanged(),
      ours: ours.distinctUntilChanged('o'),
      in: ' -a-a-#',
      out: '-a---#',
    },
    'fails when the comparator throws': {
      native: native.distinctUntilChanged<unknown>((_, current) => throwing(current)),
      ours: ours.distinctUntilChanged<unknown>('o', (_, current) => throwing(current)),
      in: ' -a-b-c-d-|',
      out: '-a-b-#',
    },
  },

  pairwise: {
    'emits each record with the one before it': {
      native: native.pairwise(),
      ours: ours.pairwise('o'),
      in: ' -a-b-c---d-|',
      out: '---p-q---r-|',
      results: { p: ['a', 'b'], q: ['b', 'c'], r: ['c', 'd'] },
    },
    'emits nothing of one record': {
      native: native.pairwise(),
      ours: ours.pairwise('o'),
      in: ' -a---|',
      out: '-----|',
    },
    'takes undefined for a record': {
      native: native.pairwise(),
      ours: ours.pairwise('o'),
      values: { u: undefined },
      in: ' -u-a-u-u-|',
      out: '---p-q-r-|',
      results: { p: [undefined, 'a'], q: ['a', undefined], r: [undefined, undefined] },
    },
    'handles records that come at once': {
      native: native.pairwise(),
      ours: ours.pairwise('o'),
      in: ' (abc)--|',
      out: '(pq)---|',
      results: { p: ['a', 'b'], q: ['b', 'c'] },
    },
    'emits nothing of an empty input': {
      native: native.pairwise(),
      ours: ours.pairwise('o'),
      in: ' ---|',
      out: '---|',
    },
    'fails with its input': {
      native: native.pairwise(),
      ours: ours.pairwise('o'),
      in: ' -a-b-#',
      out: '---p-#',
      results: { p: ['a', 'b'] },
    },
  },

  bufferCount: {
    'emits an array when it is full, and the rest at completion': {
      native: native.bufferCount(2),
      ours: ours.bufferCount('o', 2),
      in: ' -a-b-c-d-e-|',
      out: '---p---q---(r|)',
      results: { p: ['a', 'b'], q: ['c', 'd'], r: ['e'] },
    },
    'emits no empty rest': {
      native: native.bufferCount(2),
      ours: ours.bufferCount('o', 2),
      in: ' -a-b-|',
      out: '---p-|',
      results: { p: ['a', 'b'] },
    },
    'emits arrays of one': {
      native: native.bufferCount(1),
      ours: ours.bufferCount('o', 1),
      in: ' -a-b-|',
      out: '-p-q-|',
      results: { p: ['a'], q: ['b'] },
    },
    'takes null for no startBufferEvery': {
      native: native.bufferCount(2, null),
      ours: ours.bufferCount('o', 2, null),
      in: ' -a-b-c-|',
      out: '---p---(q|)',
      results: { p: ['a', 'b'], q: ['c'] },
    },
    'begins an array with each record, and emits all that are open at completion, the oldest first': {
      native: native.bufferCount(3, 1),
      ours: ours.bufferCount('o', 3, 1),
      in: ' -a-b-c-d-|',
      out: '-----p-q-(rs|)',
      results: { p: ['a', 'b', 'c'], q: ['b', 'c', 'd'], r: ['c', 'd'], s: ['d'] },
    },
    'begins an array with every second record': {
      native: native.bufferCount(3, 2),
      ours: ours.bufferCount('o', 3, 2),
      in: ' -a-b-c-d-e-f-|',
      out: '-----p---q---(r|)',
      results: { p: ['a', 'b', 'c'], q: ['c', 'd', 'e'], r: ['e', 'f'] },
    },
    'emits several rests, when an array is far longer than the distance to the next': {
      native: native.bufferCount(5, 2),
      ours: ours.bufferCount('o', 5, 2),
      in: ' -a-b-c-d-|',
      out: '---------(pq|)',
      results: { p: ['a', 'b', 'c', 'd'], q: ['c', 'd'] },
    },
    'leaves out what comes between two arrays': {
      native: native.bufferCount(2, 3),
      ours: ours.bufferCount('o', 2, 3),
      in: ' -a-b-c-d-e-f-g-|',
      out: '---p-----q-----(r|)',
      results: { p: ['a', 'b'], q: ['d', 'e'], r: ['g'] },
    },
    'has no rest when the input ends between two arrays': {
      native: native.bufferCount(1, 3),
      ours: ours.bufferCount('o', 1, 3),
      in: ' -a-b-c-d-e-|',
      out: '-p-----q---|',
      results: { p: ['a'], q: ['d'] },
    },
    'keeps undefined': {
      native: native.bufferCount(2),
      ours: ours.bufferCount('o', 2),
      values: { u: undefined },
      in: ' -u-a-u-|',
      out: '---p---(q|)',
      results: { p: [undefined, 'a'], q: [undefined] },
    },
    'emits nothing of an empty input': {
      native: native.bufferCount(2),
      ours: ours.bufferCount('o', 2),
      in: ' ---|',
      out: '---|',
    },
    'drops what is open when its input fails': {
      native: native.bufferCount(2),
      ours: ours.bufferCount('o', 2),
      in: ' -a-b-c-#',
      out: '---p---#',
      results: { p: ['a', 'b'] },
    },
  },

  skip: {
    'drops the first ones': {
      native: native.skip(2),
      ours: ours.skip('o', 2),
      in: ' -a-b-c-d-|',
      out: '-----c-d-|',
    },
    'drops none': {
      native: native.skip(0),
      ours: ours.skip('o', 0),
      in: ' -a-b-|',
      out: '-a-b-|',
    },
    'drops all when there are fewer, or as many': {
      native: native.skip(2),
      ours: ours.skip('o', 2),
      in: ' -a-b-|',
      out: '-----|',
    },
    'emits nothing of an empty input': {
      native: native.skip(2),
      ours: ours.skip('o', 2),
      in: ' ---|',
      out: '---|',
    },
    'fails with its input, also while it drops': {
      native: native.skip(2),
      ours: ours.skip('o', 2),
      in: ' -a-#',
      out: '---#',
    },
  },

  take: {
    'passes the first ones': {
      native: native.take(2),
      ours: ours.take('o', 2),
      in: '                         -a-b-c-d-|',
      differs: { native: '-a-(b|)', ours: '-a-b-----|', because: readsOn },
    },
    'passes no more when they come at once': {
      native: native.take(2),
      ours: ours.take('o', 2),
      in: '                         (abcd)--|',
      differs: { native: '(ab|)', ours: '(ab)----|', because: readsOn },
    },
    'passes all when there are fewer': {
      native: native.take(3),
      ours: ours.take('o', 3),
      in: ' -a-b-|',
      out: '-a-b-|',
    },
    'passes none': {
      native: native.take(0),
      ours: ours.take('o', 0),
      in: '                         -a-b-|',
      differs: { native: '|', ours: '-----|', because: readsOn },
    },
    'emits nothing of an empty input': {
      native: native.take(2),
      ours: ours.take('o', 2),
      in: ' ---|',
      out: '---|',
    },
    'fails with its input before it has all': {
      native: native.take(2),
      ours: ours.take('o', 2),
      in: ' -a-#',
      out: '-a-#',
    },
    'fails with its input when it has all': {
      native: native.take(1),
      ours: ours.take('o', 1),
      in: '                         -a---#',
      differs: { native: '-(a|)', ours: '-a---#', because: readsOn },
    },
  },

  takeWhile: {
    'passes records until one does not fit, and none behind it': {
      native: native.takeWhile(small),
      ours: ours.takeWhile('o', small),
      values: numbers,
      in: '                         -1-2-3-1-|',
      differs: { native: '-1-2-|', ours: '-1-2-----|', because: readsOn },
      results: numbers,
    },
    'passes that one, too, when it is inclusive': {
      native: native.takeWhile(small, true),
      ours: ours.takeWhile('o', small, true),
      values: numbers,
      in: '                         -1-2-3-1-3-|',
      differs: { native: '-1-2-(3|)', ours: '-1-2-3-----|', because: readsOn },
      results: numbers,
    },
    'passes all while they fit': {
      native: native.takeWhile(small),
      ours: ours.takeWhile('o', small),
      values: numbers,
      in: ' -1-2-1-|',
      out: '-1-2-1-|',
      results: numbers,
    },
    'passes none when the first does not fit': {
      native: native.takeWhile(small),
      ours: ours.takeWhile('o', small),
      values: numbers,
      in: '                         -3-1-|',
      differs: { native: '-|', ours: '-----|', because: readsOn },
      results: numbers,
    },
    'tells the predicate the index': {
      native: native.takeWhile(before2),
      ours: ours.takeWhile('o', before2),
      in: '                         -a-b-c-|',
      differs: { native: '-a-b-|', ours: '-a-b---|', because: readsOn },
    },
    'emits nothing of an empty input': {
      native: native.takeWhile(small),
      ours: ours.takeWhile('o', small),
      in: ' ---|',
      out: '---|',
    },
    'fails with its input': {
      native: native.takeWhile(small),
      ours: ours.takeWhile('o', small),
      values: numbers,
      in: ' -1-#',
      out: '-1-#',
      results: numbers,
    },
    'fails when the predicate throws': {
      native: native.takeWhile(value => !throwing(value)),
      ours: ours.takeWhile('o', value => !throwing(value)),
      in: ' -a-b-c-d-|',
      out: '-a-b-#',
    },
  },

  first: {
    'passes the first record': {
      native: native.first(),
      ours: ours.first('o'),
      in: '                         -a-b-|',
      differs: { native: '-(a|)', ours: '-a---|', because: readsOn },
    },
    'passes the first that fits': {
      native: native.first(large),
      ours: ours.first('o', large),
      values: numbers,
      in: '                         -1-3-2-4-|',
      differs: { native: '---(3|)', ours: '---3-----|', because: readsOn },
      results: numbers,
    },
    'tells the predicate the index': {
      native: native.first(everySecond),
      ours: ours.first('o', everySecond),
      in: '                         -a-b-c-d-|',
      differs: { native: '---(b|)', ours: '---b-----|', because: readsOn },
    },
    'needs no default value when it has found one': {
      native: native.first(large, 0),
      ours: ours.first('o', large, 0),
      values: numbers,
      in: '                         -3-1-|',
      differs: { native: '-(3|)', ours: '-3---|', because: readsOn },
      results: numbers,
    },
    'emits the default value when none fits': {
      native: native.first(large, 0),
      ours: ours.first('o', large, 0),
      values: numbers,
      in: ' -1-2-|',
      out: '-----(d|)',
      results: { d: 0 },
    },
    'emits the default value when there is no record': {
      native: native.first(null, 'none'),
      ours: ours.first('o', null, 'none'),
      in: ' ---|',
      out: '---(d|)',
      results: { d: 'none' },
    },
    'takes undefined for a default value when it is given': {
      native: native.first(null, undefined),
      ours: ours.first('o', null, undefined),
      in: ' ---|',
      out: '---(d|)',
      results: { d: undefined },
    },
    'fails without a record': {
      native: native.first(),
      ours: ours.first('o'),
      in: ' ---|',
      out: '---#',
      fails: 'empty',
    },
    'fails when none fits': {
      native: native.first(large),
      ours: ours.first('o', large),
      values: numbers,
      in: ' -1-2-|',
      out: '-----#',
      fails: 'empty',
    },
    'fails with its input, default value or not': {
      native: native.first(large, 0),
      ours: ours.first('o', large, 0),
      values: numbers,
      in: ' -1-#',
      out: '---#',
    },
    'fails when the predicate throws': {
      native: native.first(throwing),
      ours: ours.first('o', throwing),
      in: ' -a-b-c-d-|',
      out: '-----#',
    },
  },

  startWith: {
    'emits the values before the first record': {
      native: native.startWith('s', 't'),
      ours: ours.startWith('o', 's', 't'),
      in: '                          -----a----b-|',
      differs: { native: '(st)-a----b-|', ours: '-----(sta)b-|', because: startsLater },
    },
    'emits them at once when the first record comes at once': {
      native: native.startWith('s'),
      ours: ours.startWith('o', 's'),
      in: ' a----b-|',
      out: '(sa)-b-|',
    },
    'emits them when there is no record': {
      native: native.startWith('s', 't'),
      ours: ours.startWith('o', 's', 't'),
      in: '                          -----|',
      differs: { native: '(st)-|', ours: '-----(st|)', because: startsLater },
    },
    'emits them when there is no record and the input is over at once': {
      native: native.startWith('s', 't'),
      ours: ours.startWith('o', 's', 't'),
      in: ' |',
      out: '(st|)',
    },
    'takes undefined and null for values': {
      native: native.startWith<unknown>(undefined),
      ours: ours.startWith<unknown>('o', undefined),
      in: ' a----b-|',
      out: '(ua)-b-|',
      results: { u: undefined },
    },
    'fails with its input': {
      native: native.startWith('s'),
      ours: ours.startWith('o', 's'),
      in: '                          ---#',
      differs: { native: 's--#', ours: '---#', because: startsLater },
    },
    'has emitted them when its input fails behind a record': {
      native: native.startWith('s'),
      ours: ours.startWith('o', 's'),
      in: ' a----#',
      out: '(sa)-#',
    },
  },
};

/** RxJS wants to be told that a letter stands for itself. */
const letters: Values = Object.fromEntries([...'abcdefghijklmnopqrstuvwxyz'].map(letter => [letter, letter]));
const noRecord = expect.objectContaining({
  code: 'USER_CODE',
  message: expect.stringMatching(/first\("o"\) had no record/),
});

describe.each(Object.entries(tables))('%s', (_, table) => {
  it.each(Object.entries(table))('%s', (_, row) => {
    const { in: input, out, differs, fails } = row;
    const expected = differs ?? { native: out as string, ours: out as string };
    // A row that says that they differ, and shows no difference, is a mistake of the table.
    if (differs) expect(differs.ours).not.toBe(differs.native);
    const values = { ...letters, ...row.values };
    const results = { ...values, ...row.results };

    new TestScheduler((actual, wanted) => expect(actual).toEqual(wanted)).run(({ cold, expectObservable }) => {
      const error = fails === 'empty' ? expect.any(EmptyError) : broken;
      expectObservable(cold(input, values, broken).pipe(row.native)).toBe(expected.native, results, error);
    });

    marbles(({ job, expectElements }) => {
      const run = job(input, stream => stream.pipe(row.ours), { values, error: broken });
      expectElements(run).toBe(expected.ours, results, fails === 'empty' ? noRecord : broken);
    });
  });
});
