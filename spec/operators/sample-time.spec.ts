import { describe, expect, it } from 'vitest';
import { marbles } from '../../lib/testing/index.ts';
import { delay, keyBy, sampleTime, union } from '../../operators/index.ts';
import { itEnds } from './ends.ts';

const byLetter = keyBy((value: string) => value.slice(0, 1));

// What it has in common with the native operator is in timed-namesakes.spec.ts.
describe('sampleTime', () => {
  it('emits the last record at each tick, across a barrier', () => {
    marbles(({ job, expectElements }) => {
      const input = '   -a-b---cB---d-|';
      const expected = '-----b--B-c---|';
      expectElements(job(input, stream => stream.pipe(sampleTime('ticks', 5)))).toBe(expected);
    });
  });

  it('remembers what it holds through a crash, and emits it at the same tick', () => {
    marbles(({ job, expectElements, expectCommitted }) => {
      const input = '    -a-B--X-----|';
      const expected = ' ---B------a-|';
      const committed = '------------a';
      const run = job(input, stream => stream.pipe(sampleTime('ticks', 10)));
      expectElements(run).toBe(expected);
      expectCommitted(run).toBe(committed);
    });
  });

  it('samples each key by itself, and keeps time and key of a record', () => {
    marbles(({ job, record, expectElements }) => {
      const values = { a: record('a1', 10), b: record('b1', 20), c: record('a2', 30) };
      const input = '   -abc--------|';
      const expected = '-----(cb)---|';
      const run = job(input, stream => stream.pipe(byLetter, sampleTime('ticks', 5)), { values });
      expectElements(run).toBe(expected, { b: record('b1', 20, 'b'), c: record('a2', 30, 'a') });
    });
  });

  it('emits once at a tick: what comes in the same moment behind it belongs to the next one', () => {
    marbles(({ job, expectElements }) => {
      const input = '   -a---------|';
      const expected = '-----a----a|';
      const run = job(input, stream => union(stream, stream.pipe(delay('later', 4))).pipe(sampleTime('ticks', 5)));
      expectElements(run).toBe(expected);
    });
  });

  it('counts by the times of records, and emits with the time of the tick, also at the end', () => {
    marbles(({ job, record, watermark, expectElements }) => {
      const values = {
        a: record('a', 11),
        b: record('b', 15),
        c: record('c', 16),
        d: record('d', 31),
        W: watermark(34),
        V: watermark(35),
        e: record('e', 36),
      };
      const input = '   -a-b-c-d-W-V---e-|';
      const expected = '-----b-c-W-(dV)--(e|)';
      const run = job(input, stream => stream.pipe(sampleTime('ticks', 5, { time: 'event' })), { values });
      expectElements(run).toBe(expected, {
        b: record('b', 15),
        c: record('c', 20),
        d: record('d', 35),
        e: record('e', 40),
        W: values.W,
        V: values.V,
      });
    });
  });

  it('refuses what is no duration, by name', () => {
    expect(() => sampleTime('ticks', 0)).toThrow(/sampleTime\("ticks"\): period is 0/);
  });

  itEnds(stream => stream.pipe(sampleTime('s', 5)));
});
