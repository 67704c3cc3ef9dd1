import { describe, expect, it } from 'vitest';
import { marbles } from '../../lib/testing/index.ts';
import { keyBy, throttleTime } from '../../operators/index.ts';
import { itEnds } from './ends.ts';

const byLetter = keyBy((value: string) => value.slice(0, 1));

// What it has in common with the native operator is in timed-namesakes.spec.ts.
describe('throttleTime', () => {
  it('emits a record, then none for a while, across a barrier', () => {
    marbles(({ job, expectElements }) => {
      const input = '   -a-b-B-c---d-|';
      const expected = '-a---B-c-----|';
      expectElements(job(input, stream => stream.pipe(throttleTime('calm', 5)))).toBe(expected);
    });
  });

  it('remembers its pause and what it holds through a crash', () => {
    marbles(({ job, expectElements, expectCommitted }) => {
      const input = '    -ab-BX-c---|';
      const expected = ' -a--B-b----(c|)';
      const committed = '----a------(bc)';
      const run = job(input, stream => stream.pipe(throttleTime('calm', 5, { trailing: true })));
      // The pause behind b ends at 11, where the input does.
      expectElements(run).toBe(expected);
      expectCommitted(run).toBe(committed);
    });
  });

  it('has a pause for each key, and keeps time and key of a record', () => {
    marbles(({ job, record, expectElements }) => {
      const values = { a: record('a1', 10), b: record('b1', 20), c: record('a2', 30), d: record('b2', 40) };
      const input = '   -abcd-----|';
      const expected = '-ab--cd---|';
      const run = job(input, stream => stream.pipe(byLetter, throttleTime('calm', 4, { trailing: true })), { values });
      expectElements(run).toBe(expected, {
        a: record('a1', 10, 'a'),
        b: record('b1', 20, 'b'),
        c: record('a2', 30, 'a'),
        d: record('b2', 40, 'b'),
      });
    });
  });

  it('counts by the times of records, as far as those of the key or the watermark tell', () => {
    marbles(({ job, record, watermark, expectElements }) => {
      const values = {
        a: record('a', 10),
        b: record('b', 12),
        c: record('c', 30),
        d: record('d', 31),
        W: watermark(34),
        V: watermark(35),
      };
      const input = '   -a-b---c----d-W-V---|';
      const expected = '-a-----(bc)---W-(dV)|';
      const throttled = throttleTime<string>('calm', 5, { trailing: true, time: 'event' });
      expectElements(job(input, stream => stream.pipe(throttled), { values })).toBe(expected, {
        a: record('a', 10),
        b: record('b', 15),
        c: record('c', 30),
        d: record('d', 35),
        W: values.W,
        V: values.V,
      });
    });
  });

  it('refuses to emit nothing', () => {
    expect(() => throttleTime('calm', 5, { leading: false })).toThrow(
      /throttleTime\("calm"\) has neither leading nor trailing/,
    );
    expect(() => throttleTime('calm', '5' as '5s')).toThrow(/throttleTime\("calm"\): duration is "5"/);
  });

  itEnds(stream => stream.pipe(throttleTime('t', 5, { trailing: true })));
});
