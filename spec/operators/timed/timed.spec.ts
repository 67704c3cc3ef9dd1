import { take } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Op } from '../../../lib/index.ts';
import { type MarbleInput, marbles, type watermark } from '../../../lib/testing/index.ts';
import {
  auditTime,
  bufferTime,
  debounceTime,
  delay,
  keyBy,
  sampleTime,
  throttleTime,
  timeout,
} from '../../../operators/index.ts';
import { inspectedStore } from '../../actor/stored-entries.ts';

type Time = 'event' | 'processing';

const byLetter = keyBy((value: string) => value.slice(0, 1));
const operators: Record<string, (time: Time) => Op<string, unknown>> = {
  debounceTime: time => debounceTime('t', 4, { time }),
  'throttleTime, leading': time => throttleTime('t', 4, { time }),
  'throttleTime, both': time => throttleTime('t', 4, { time, trailing: true }),
  auditTime: time => auditTime('t', 4, { time }),
  sampleTime: time => sampleTime('t', 4, { time }),
  delay: time => delay('t', 4, { time }),
  timeout: time => timeout('t', 4, { time, with: 'z' }),
  bufferTime: time => bufferTime('t', 4, { time }),
};
const cases = Object.entries(operators).flatMap(([call, make]) =>
  (['processing', 'event'] as const).map(time => ({ call, time, operator: make(time) })),
);

/** What is held of the operator at the checkpoints of an input, whose letters are records of that time. */
function heldAt(
  input: string,
  operator: Op<string, unknown>,
  values: Record<string, unknown>,
): ReturnType<ReturnType<typeof inspectedStore>['counts']>[] {
  const { store, counts, committed } = inspectedStore();
  const seen: ReturnType<typeof counts>[] = [];
  marbles(({ job, scheduler }) => {
    job(input, stream => stream.pipe(byLetter, operator), { values, store });
    [...input].forEach((letter, frame) => {
      if (letter === 'B' || letter === '|') scheduler.schedule(() => seen.push(counts('t')), frame + 0.5);
    });
  });
  expect(committed().length).toBeGreaterThan(0);
  return seen;
}

function timesOf(record: (value: string, at: number) => unknown, mark: typeof watermark): Record<string, unknown> {
  return { a: record('a1', 1), b: record('b1', 2), c: record('a2', 3), W: mark(30) };
}

describe.each(cases)('$call by $time time', ({ operator, time }) => {
  let values: Record<string, unknown> = {};
  marbles(({ record, watermark }) => {
    values = timesOf(record, watermark);
  });

  it('has one timer a key, whatever comes', () => {
    const [first] = heldAt('-abcB--|', operator, values);
    const timers = time === 'event' ? { event: 2, processing: 0 } : { event: 0, processing: 2 };
    expect(first?.held).toMatchObject({ state: 2, ...timers });
  });

  it('leaves nothing behind when there is nothing to do any more', () => {
    const [, second] = heldAt('-abcB----W----B-|', operator, values);
    expect(second?.held).toEqual({ state: 0, event: 0, processing: 0, entry: 0, request: 0 });
  });
});

describe.each(cases.filter(({ call }) => !/leading|sample|timeout/.test(call)))(
  '$call by $time time',
  ({ operator }) => {
    it('leaves nothing behind at the end of the input', () => {
      let values: Record<string, unknown> = {};
      marbles(({ record, watermark }) => {
        values = timesOf(record, watermark);
      });
      const [last] = heldAt('-abc|', operator, values);
      expect(last?.held).toMatchObject({ event: 0, processing: 0, entry: 0 });
    });
  },
);

describe('what waits', () => {
  it.each([
    ['delay', delay<string>('t', 4), 1],
    ['bufferTime', bufferTime<string>('t', 4), 0],
  ] as const)('is gone from the state of %s when it was emitted', (_, operator, entries) => {
    // What came first is emitted before the checkpoint.
    const [first] = heldAt('-a-a--B--|', operator, { a: 'a1' });
    expect(first?.held).toMatchObject({ state: 1, entry: entries });
  });

  it('is gone with its timer where a later record of the key brought it', () => {
    let values: Record<string, unknown> = {};
    marbles(({ record }) => {
      values = { a: record('a1', 3), b: record('a2', 12) };
    });
    const [first] = heldAt('-abB--|', delay('t', new Date(10), { time: 'event' }), values);
    expect(first?.held).toEqual({ state: 0, event: 0, processing: 0, entry: 0, request: 0 });
  });

  it.each([
    ['delay', (name: string) => delay<string>(name, 100)],
    ['bufferTime', (name: string) => bufferTime<string>(name, 100)],
  ])('costs %s by the clock one entry of a snapshot for one more record, however many there are', (_, make) => {
    const [, second] = heldAt('-(aaaaaaaaaaaaaaaaaaaa)B-aB-|', make('t'), { a: 'a1' });
    expect(second?.held).toMatchObject({ state: 1, entry: 21 });
    expect(second?.written).toEqual({ state: 1, event: 0, processing: 0, entry: 1, request: 0 });
  });

  it('is given where the stream before it ends early, too', () => {
    const debounced = (input: MarbleInput) => input.pipe(take(2), debounceTime('t', 4));
    marbles(({ job, expectElements }) => {
      expectElements(job('-a-b--c-|', debounced)).toBe('---(b|)');
    });
  });
});
