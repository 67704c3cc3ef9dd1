import { describe, expect, it } from 'vitest';
import { type MarbleInput, marbles } from '../../lib/testing/index.ts';
import { aggregates, debounceTime, keyBy, tumblingWindow } from '../../operators/index.ts';
import { itEnds } from './ends.ts';

const byLetter = keyBy((value: string) => value.slice(0, 1));

// What it has in common with the native operator is in timed-namesakes.spec.ts, with others on time in timed/.
describe('debounceTime', () => {
  it('emits the last record of a calm, across a barrier', () => {
    marbles(({ job, expectElements }) => {
      const input = '   -a-b-B----c-|';
      const expected = '-----B-b----(c|)';
      expectElements(job(input, stream => stream.pipe(debounceTime('calm', 4)))).toBe(expected);
    });
  });

  it('remembers what it holds through a crash, and emits it when it is due', () => {
    marbles(({ job, expectElements, expectCommitted }) => {
      const input = '    -a-B-X----|';
      const expected = ' ---B---a--|';
      const committed = '----------a';
      const run = job(input, stream => stream.pipe(debounceTime('calm', 6)));
      expectElements(run).toBe(expected);
      expectCommitted(run).toBe(committed);
    });
  });

  it('counts by the times of records, as far as those of the key or the watermark tell', () => {
    marbles(({ job, record, watermark, expectElements }) => {
      const values = {
        a: record('a1', 1),
        b: record('a2', 4),
        c: record('a3', 20),
        d: record('b1', 21),
        W: watermark(25),
        V: watermark(26),
      };
      const input = '   -a-b-c-d-W---V---|';
      const expected = '-----b---(cW)(dV)|';
      const run = job(input, stream => stream.pipe(byLetter, debounceTime('calm', '5ms', { time: 'event' })), {
        values,
      });
      expectElements(run).toBe(expected, {
        b: record('a2', 9, 'a'),
        c: record('a3', 25, 'a'),
        d: record('b1', 26, 'b'),
        W: values.W,
        V: values.V,
      });
    });
  });

  it('counts a record that is older than the last one of its key with that', () => {
    marbles(({ job, record, watermark, expectElements }) => {
      const values = { a: record('a', 10), b: record('b', 3), W: watermark(14), V: watermark(15) };
      const input = '   -a-b-W-V---|';
      const expected = '-----W-(bV)|';
      const run = job(input, stream => stream.pipe(debounceTime('calm', 5, { time: 'event' })), { values });
      expectElements(run).toBe(expected, { b: record('b', 15), W: values.W, V: values.V });
    });
  });

  it('emits everything at the end of the input, in time for a window behind', () => {
    const counted = (input: MarbleInput) => input.pipe(tumblingWindow('w', 100, aggregates.all()));
    marbles(({ job, record, expectElements }) => {
      const values = { a: record('a', 10), b: record('b', 20) };
      const s = { key: undefined, start: 0, end: 100, value: ['a', 'b'] };
      for (const time of ['event', 'processing'] as const) {
        const run = job('-a---b-|', stream => counted(stream.pipe(debounceTime('calm', 3, { time }))), { values });
        expectElements(run).toBe('-------(s|)', { s });
      }
    });
  });

  it('fails for a record without a time where that counts', () => {
    marbles(({ job, expectElements }) => {
      const run = job('-a-|', stream => stream.pipe(debounceTime('calm', 3, { time: 'event' })));
      expectElements(run).toBe('-#', {}, /"calm" counts by the times of records, and one has none/);
    });
  });

  it('refuses what is no time, by name', () => {
    expect(() => debounceTime('calm', 1, { time: 'clock' as 'event' })).toThrow(
      /debounceTime\("calm"\): time is "clock"/,
    );
  });

  itEnds(stream => stream.pipe(debounceTime('calm', 4)));
});
