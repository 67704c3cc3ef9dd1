import * as rxjs from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import type { Op } from '../../lib/index.ts';
import { marbles } from '../../lib/testing/index.ts';
import {
  auditTime,
  bufferTime,
  debounceTime,
  delay,
  sampleTime,
  throttleTime,
  timeout,
} from '../../operators/index.ts';

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
  {
    call: 'throttleTime(4)',
    native: rxjs.throttleTime(4),
    ours: throttleTime('t', 4),
    cases: [
      empty,
      { title: 'passes an error on', input: '-a-b-#', native: '-a---#' },
      { title: 'emits a record, then none for that long', input: '-abcd-e-f--g-|', native: '-a----e----g-|' },
      { title: 'drops a record of the last moment of a pause', input: '-a---bc--|', native: '-a----c--|' },
      { title: 'completes at once, and drops what came in a pause', input: '-a-b|', native: '-a--|' },
    ],
  },
  {
    call: 'throttleTime(4, { trailing: true })',
    native: rxjs.throttleTime(4, undefined, { leading: true, trailing: true }),
    ours: throttleTime('t', 4, { trailing: true }),
    cases: [
      empty,
      { title: 'drops what it holds at an error', input: '-a-b-#', native: '-a---#' },
      {
        title: 'also emits the last record of a pause at its end, which begins the next pause',
        input: ' -a-bc---d-----e-|',
        native: '-a---c---d----e-|',
      },
      { title: 'begins no pause behind one without records', input: '-a-----b-c-----|', native: '-a-----b---c---|' },
      {
        title: 'emits what it holds at completion; the native one when the pause is over',
        input: '-a-b|',
        native: '-a---(b|)',
        ours: '-a--(b|)',
      },
      { title: 'completes at once when it holds nothing', input: '-a-|', native: '-a-|' },
    ],
  },
  {
    call: 'throttleTime(4, { leading: false, trailing: true })',
    native: rxjs.throttleTime(4, undefined, { leading: false, trailing: true }),
    ours: throttleTime('t', 4, { leading: false, trailing: true }),
    cases: [
      empty,
      {
        title: 'emits the last record of each pause only, at its end',
        input: '-ab----c-d-------e-----|',
        native: '-----b---d-----------e-|',
      },
      {
        title: 'emits what it holds at completion; the native one when the pause is over',
        input: '-ab|',
        native: '-----(b|)',
        ours: '---(b|)',
      },
    ],
  },
  {
    call: 'auditTime(4)',
    native: rxjs.auditTime(4),
    ours: auditTime('t', 4),
    cases: [
      empty,
      failing,
      {
        title: 'emits the last record of each stretch that a record begins, at its end',
        input: '-ab-c----d-------|',
        native: '-----c-------d---|',
      },
      { title: 'takes a record of the last moment', input: '-a---b------|', native: '-----b------|' },
      {
        title: 'emits what it holds at completion; the native one when the stretch is over',
        input: '-a-b|',
        native: '-----(b|)',
        ours: '----(b|)',
      },
    ],
  },
  {
    call: 'sampleTime(5)',
    native: rxjs.sampleTime(5),
    ours: sampleTime('t', 5),
    cases: [
      empty,
      failing,
      {
        title: 'emits the last record since the last tick, at each tick that has one',
        input: '-ab---c---------d----|',
        native: '-----b----c---------d|',
      },
      { title: 'takes a record of the moment of a tick', input: '-----a----(bc)-|', native: '-----a----c----|' },
      { title: 'drops what it holds at completion', input: '-a-----b-|', native: '-----a---|' },
    ],
  },
  {
    call: 'delay(4)',
    native: rxjs.delay(4),
    ours: delay('t', 4),
    cases: [
      empty,
      failing,
      { title: 'emits each record so much later', input: '-ab--(cd)------|', native: '-----ab--(cd)--|' },
      {
        title: 'emits what waits at completion; the native one when it is due',
        input: '-a--b-|',
        native: '-----a--(b|)',
        ours: '-----a(b|)',
      },
      { title: 'passes an error on at once', input: '-a---b-#', native: '-----a-#' },
    ],
  },
  {
    call: 'delay(0)',
    native: rxjs.delay(0),
    ours: delay('t', 0),
    cases: [{ title: 'emits each record at once', input: '-a-(bc)-|', native: '-a-(bc)-|' }],
  },
  {
    call: 'delay(new Date(6))',
    native: rxjs.delay(new Date(6)),
    ours: delay('t', new Date(6)),
    cases: [
      { title: 'holds everything until that date, then nothing', input: '-ab---------c-|', native: '------(ab)--c-|' },
    ],
  },
  {
    call: 'bufferTime(5)',
    native: rxjs.bufferTime(5),
    ours: bufferTime('t', 5),
    cases: [
      {
        title: 'gives nothing of nothing; the native one an empty buffer',
        input: '---|',
        native: '---(o|)',
        ours: '---|',
        values: { o: [] },
      },
      { title: 'passes an error on, and not what it holds', input: '-a-#', native: '---#' },
      {
        title: 'emits the records of each span at its end, and the rest at completion',
        input: '-ab---c-----d|',
        native: '-----x----y--(z|)',
        values: { x: ['a', 'b'], y: ['c'], z: ['d'] },
      },
      {
        title: 'takes a record of the last moment',
        input: '-a---b-c|',
        native: '-----x--(y|)',
        values: { x: ['a', 'b'], y: ['c'] },
      },
      {
        title: 'gives nothing of a span without records; the native one an empty buffer',
        input: '-a---------b|',
        native: '-----x----o-(y|)',
        ours: '-----x------(y|)',
        values: { x: ['a'], o: [], y: ['b'] },
      },
    ],
  },
  {
    call: 'bufferTime(5, { maxBufferSize: 2 })',
    native: rxjs.bufferTime(5, null, 2),
    ours: bufferTime('t', 5, { maxBufferSize: 2 }),
    cases: [
      {
        title: 'emits a full buffer at once, and begins a span with that',
        input: '-abc----d-|',
        native: '--x----y--(z|)',
        values: { x: ['a', 'b'], y: ['c'], z: ['d'] },
      },
      {
        title: 'goes back to the ends that do not move after a span without records; the native one does not',
        input: '-ab-------c--------d|',
        native: '--x----o----y----o--(z|)',
        ours: '--x-------y---------(z|)',
        values: { x: ['a', 'b'], y: ['c'], o: [], z: ['d'] },
      },
    ],
  },
  {
    call: 'timeout(4)',
    native: rxjs.timeout(4),
    ours: timeout('t', 4),
    cases: [
      empty,
      { title: 'passes an error on', input: '-a-#', native: '-a-#' },
      { title: 'passes records that come within that long of each other', input: '-a---b-cd-|', native: '-a---b-cd-|' },
      {
        title: 'fails when none came for that long',
        input: '-a-b-------c|',
        native: '-a-b---#',
      },
      {
        title: 'waits for the first record from the start; ours waits from that record on',
        input: '------a|',
        native: '----#',
        ours: '------a|',
      },
      { title: 'does not fail for a completion that comes in time', input: '-a--|', native: '-a--|' },
    ],
  },
  {
    call: "timeout({ each: 4, with: () => of('z') })",
    native: rxjs.timeout({ each: 4, with: () => rxjs.of('z') }),
    ours: timeout('t', 4, { with: 'z' }),
    cases: [
      {
        title: 'emits that instead and goes on; the native one completes with what it is given',
        input: '-a------b-|',
        native: '-a---(z|)',
        ours: '-a---z--b-|',
      },
      { title: 'emits it once in a silence', input: '-a-----------|', native: '-a---(z|)', ours: '-a---z-------|' },
    ],
  },
];

describe.each(namesakes)('$call', ({ native, ours, cases }) => {
  const rows = cases.map(row => ({ ...row, expected: row.ours ?? row.native }));

  it.each(rows)('of RxJS: $title', ({ input, native: expected, values }) => {
    const scheduler = new TestScheduler((actual, wanted) => expect(actual).toEqual(wanted));
    scheduler.run(({ hot, expectObservable }) => {
      const anyError = rxjs.catchError(() => rxjs.throwError(() => 'error'));
      expectObservable(hot<string>(input).pipe(native, anyError)).toBe(expected, values);
    });
  });

  it.each(rows)('of ours: $title', ({ input, expected, values }) => {
    marbles(({ job, expectElements }) => {
      expectElements(job(input, stream => stream.pipe(ours))).toBe(expected, values);
    });
  });
});
