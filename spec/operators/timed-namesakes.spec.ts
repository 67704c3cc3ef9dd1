import * as rxjs from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import type { Op } from '../../lib/index.ts';
import { marbles } from '../../lib/testing/index.ts';
import { debounceTime } from '../../operators/index.ts';

/** What an operator gives for an input; `ours` where it is not what the native one gives. */
interface Case {
  readonly title: string;
  readonly input: string;
  readonly native: string;
  readonly ours?: string;
  readonly values?: Readonly<Record<string, unknown>>;
}

interface Namesake {
  readonly call: string;
  readonly native: rxjs.OperatorFunction<string, unknown>;
  readonly ours: Op<string, unknown>;
  readonly cases: readonly Case[];
}

const empty: Case = { title: 'gives nothing of nothing', input: '---|', native: '---|' };
const failing: Case = { title: 'passes an error on, and not what it holds', input: '-a-#', native: '---#' };

const namesakes: readonly Namesake[] = [
  {
    call: 'debounceTime(3)',
    native: rxjs.debounceTime(3),
    ours: debounceTime('t', 3),
    cases: [
      empty,
      failing,
      {
        title: 'emits a record when none came for that long',
        input: ' -a----b-----|',
        native: '----a----b--|',
      },
      {
        title: 'lets a record wait anew for each that comes meanwhile, and emits the last one',
        input: ' -a-b-cd-----|',
        native: '---------d--|',
      },
      {
        title: 'takes a record of the moment at which it would emit instead',
        input: ' -a--b-----|',
        native: '-------b--|',
      },
      {
        title: 'emits what it holds at completion, before that',
        input: ' -a-(bc|)',
        native: '---(c|)',
      },
    ],
  },
  {
    call: 'debounceTime(0)',
    native: rxjs.debounceTime(0),
    ours: debounceTime('t', '0ms'),
    cases: [{ title: 'emits the last record of each moment', input: '-(abc)-d-|', native: '-c-----d-|' }],
  },
];

describe.each(namesakes)('$call', ({ native, ours, cases }) => {
  const rows = cases.map(row => ({ ...row, expected: row.ours ?? row.native }));

  it.each(rows)('of RxJS: $title', ({ input, native: expected, values }) => {
    const scheduler = new TestScheduler((actual, wanted) => expect(actual).toEqual(wanted));
    scheduler.run(({ hot, expectObservable }) => {
      expectObservable(hot<string>(input).pipe(native)).toBe(expected, values);
    });
  });

  it.each(rows)('of ours: $title', ({ input, expected, values }) => {
    marbles(({ job, expectElements }) => {
      expectElements(job(input, stream => stream.pipe(ours))).toBe(expected, values);
    });
  });
});
