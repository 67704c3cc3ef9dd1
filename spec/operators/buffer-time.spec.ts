import { describe, expect, it } from 'vitest';
import { marbles } from '../../lib/testing/index.ts';
import { bufferTime, delay, keyBy, union } from '../../operators/index.ts';
import { itEnds } from './ends.ts';

const byLetter = keyBy((value: string) => value.slice(0, 1));

// What it has in common with the native operator is in timed-namesakes.spec.ts.
describe('bufferTime', () => {
  it('emits the records of each span, across a barrier, and the rest at the end', () => {
    marbles(({ job, expectElements }) => {
      const input = '   -a-b---cB---d-|';
      const expected = '-----x--B-y---(z|)';
      const run = job(input, stream => stream.pipe(bufferTime('spans', 5)));
      expectElements(run).toBe(expected, { x: ['a', 'b'], y: ['c'], z: ['d'] });
    });
  });

  it('remembers a buffer through a crash, and emits it once', () => {
    marbles(({ job, expectElements, expectCommitted }) => {
      const input = '    -ab-B-cX--d|';
      const expected = ' ----B-----x|';
      const committed = '-----------x';
      const run = job(input, stream => stream.pipe(bufferTime('spans', 10)));
      const values = { x: ['a', 'b', 'c', 'd'] };
      expectElements(run).toBe(expected, values);
      expectCommitted(run).toBe(committed, values);
    });
  });

  it('has a buffer for each key, with the latest time of its records', () => {
    marbles(({ job, record, expectElements }) => {
      const values = { a: record('a1', 30), b: record('b1', 20), c: record('a2', 10), d: 'b2' };
      const input = '   -abcd----|';
      const expected = '-----(xy)|';
      const run = job(input, stream => stream.pipe(byLetter, bufferTime('spans', 5)), { values });
      expectElements(run).toBe(expected, {
        x: record(['a1', 'a2'], 30, 'a'),
        y: record(['b1', 'b2'], 20, 'b'),
      });
    });
  });

  it('emits one buffer at the end of a span: what comes in the same moment behind it belongs to the next one', () => {
    marbles(({ job, expectElements }) => {
      const input = '   -a---------|';
      const expected = '-----x----x|';
      const run = job(input, stream => union(stream, stream.pipe(delay('later', 4))).pipe(bufferTime('spans', 5)));
      expectElements(run).toBe(expected, { x: ['a'] });
    });
  });

  it('counts by the times of records, and emits with the time at which the span ends', () => {
    marbles(({ job, record, watermark, expectElements }) => {
      const values = {
        a: record('a', 11),
        b: record('b', 15),
        c: record('c', 16),
        W: watermark(19),
        V: watermark(20),
        d: record('d', 22),
      };
      const input = '   -a-b-c-W-V---d-|';
      const expected = '-----x-W-(yV)--(z|)';
      const run = job(input, stream => stream.pipe(bufferTime('spans', 5, { time: 'event' })), { values });
      expectElements(run).toBe(expected, {
        x: record(['a', 'b'], 15),
        y: record(['c'], 20),
        z: record(['d'], 25),
        W: values.W,
        V: values.V,
      });
    });
  });

  it('refuses what is no duration or size, by name', () => {
    expect(() => bufferTime('spans', 0)).toThrow(/bufferTime\("spans"\): span is 0/);
    expect(() => bufferTime('spans', 5, { maxBufferSize: 0.5 })).toThrow(/bufferTime\("spans"\): maxBufferSize is 0.5/);
  });

  itEnds(stream => stream.pipe(bufferTime('b', 5)));
});
