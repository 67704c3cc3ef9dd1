import { describe, expect, it } from 'vitest';
import { side as sideTag } from '../../lib/index.ts';
import { type MarbleInput, marbles } from '../../lib/testing/index.ts';
import { aggregates, keyBy, side, tumblingWindow } from '../../operators/index.ts';
import { itEnds } from './ends.ts';

const window = (start: number, end: number, value: unknown, key?: unknown) => ({ key, start, end, value });
const counted = (input: MarbleInput) => input.pipe(tumblingWindow('w', 10, aggregates.count()));

describe('tumblingWindow', () => {
  it('gives the result of a window when the watermark has reached its last moment, with the time of that', () => {
    marbles(({ job, record, watermark, expectElements }) => {
      const values = { a: record('a', 3), b: record('b', 9), c: record('c', 10), V: watermark(8), W: watermark(9) };
      const input = '   -a-b-c-V-W---|';
      const expected = '-------V-(sW)(t|)';
      expectElements(job(input, counted, { values })).toBe(expected, {
        V: values.V,
        W: values.W,
        s: record(window(0, 10, 2), 9),
        t: record(window(10, 20, 1), 19),
      });
    });
  });

  it('keeps one window a key', () => {
    marbles(({ job, record, expectElements }) => {
      const values = { a: record('a', 3), b: record('b', 4), c: record('a', 5) };
      const run = job(
        '-a-b-c-|',
        input =>
          input.pipe(
            keyBy(v => v as string),
            tumblingWindow('w', 10, aggregates.count()),
          ),
        { values },
      );
      expectElements(run).toBe('-------(st|)', {
        s: record(window(0, 10, 2, 'a'), 9, 'a'),
        t: record(window(0, 10, 1, 'b'), 9, 'b'),
      });
    });
  });

  it('goes on from its checkpointed windows after a crash, and shows each result once', () => {
    marbles(({ job, record, watermark, expectElements, expectCommitted }) => {
      const values = { a: record('a', 3), b: record('b', 4), c: record('c', 15), W: watermark(12) };
      const input = '   -a-b-B-c-X-W---|';
      const expected = '-----B-----(sW)(t|)';
      const run = job(input, counted, { values });
      // c is read again; then the first window ends with the watermark, the second one with the input.
      expectElements(run).toBe(expected, {
        W: values.W,
        s: window(0, 10, 2),
        t: window(10, 20, 1),
      });
      expectCommitted(run).toBe('---------------(st)', { s: window(0, 10, 2), t: window(10, 20, 1) });
    });
  });

  it('sends records that come too late to the side, and gives a window again for those within its lateness', () => {
    const late = sideTag<string>('late');
    marbles(({ job, record, watermark, expectElements }) => {
      const values = {
        a: record('a', 3),
        b: record('b', 4),
        c: record('c', 5),
        V: watermark(9),
        W: watermark(12),
      };
      const input = '   -a-V---b-W-c-|';
      const expected = '---(sV)t-W---|';
      const tooLate = ' ---V-----W-c-|';
      const run = job(
        input,
        input => {
          const windows = input.pipe(tumblingWindow('w', 10, aggregates.all<string>(), { late, lateness: 3 }));
          return { windows, late: windows.pipe(side(late)) };
        },
        { values },
      );
      const marks = { V: values.V, W: values.W };
      const [s, t] = [window(0, 10, ['a']), window(0, 10, ['a', 'b'])];
      expectElements(run, 'windows').toBe(expected, { ...marks, s, t });
      expectElements(run, 'late').toBe(tooLate, { ...marks, c: 'c' });
    });
  });

  it('begins its windows at an offset', () => {
    marbles(({ job, record, expectElements }) => {
      const values = { a: record('a', 3), b: record('b', 7) };
      const run = job('-a-b|', input => input.pipe(tumblingWindow('w', 10, aggregates.count(), { offset: 5 })), {
        values,
      });
      expectElements(run).toBe('----(st|)', { s: window(-5, 5, 1), t: window(5, 15, 1) });
    });
  });

  it('counts by the clock when that is asked for, and gives what is open at the end', () => {
    marbles(({ job, expectElements }) => {
      const run = job('-a-b------c-|', input => {
        return input.pipe(tumblingWindow('w', 10, aggregates.count(), { time: 'processing' }));
      });
      expectElements(run).toBe('----------s-(t|)', {
        s: window(0, 10, 2),
        t: window(10, 20, 1),
      });
    });
  });

  it('gives nothing for no records, and passes an error on', () => {
    marbles(({ job, expectElements }) => {
      expectElements(job('---|', counted)).toBe('---|');
      expectElements(job('---#', counted)).toBe('---#', {}, expect.anything());
    });
  });

  it('fails for a record without a time, naming what to do', () => {
    marbles(({ job, expectElements }) => {
      expectElements(job('-a-|', counted)).toBe('-#', {}, /need the time of each record/);
    });
  });

  it('refuses a size that is no duration, by name', () => {
    expect(() => tumblingWindow('w', '0s', aggregates.count())).toThrow(/tumblingWindow\("w"\): size is "0s"/);
    expect(() => tumblingWindow('w', '1s', aggregates.count(), { lateness: -1 })).toThrow(/lateness is -1/);
  });

  itEnds(stream => stream.pipe(tumblingWindow('w', 10, aggregates.count(), { time: 'processing' })));
});
