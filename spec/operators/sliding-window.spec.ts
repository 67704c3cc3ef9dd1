import { describe, expect, it } from 'vitest';
import { type MarbleInput, marbles } from '../../lib/testing/index.ts';
import { aggregates, keyBy, slidingWindow } from '../../operators/index.ts';
import { itEnds } from './ends.ts';

const window = (start: number, end: number, value: unknown, key?: unknown) => ({ key, start, end, value });
const counted = (input: MarbleInput) => input.pipe(slidingWindow('w', 10, 5, aggregates.count()));

describe('slidingWindow', () => {
  it('gives the result of each window when the watermark has reached its last moment, with the time of that', () => {
    marbles(({ job, record, watermark, expectElements }) => {
      const values = { a: record('a', 3), b: record('b', 7), W: watermark(9) };
      const input = '   -a-b-W-----|';
      const expected = '-----(rsW)-(t|)';
      expectElements(job(input, counted, { values })).toBe(expected, {
        W: values.W,
        r: record(window(-5, 5, 1), 4),
        s: record(window(0, 10, 2), 9),
        t: record(window(5, 15, 1), 14),
      });
    });
  });

  it('keeps the windows of one key apart from those of others', () => {
    marbles(({ job, record, expectElements }) => {
      const values = { a: record('a', 3), b: record('b', 4) };
      const run = job(
        '-a-b|',
        input =>
          input.pipe(
            keyBy(v => v as string),
            slidingWindow('w', 10, 5, aggregates.count()),
          ),
        {
          values,
        },
      );
      expectElements(run).toBe('----(pqrs|)', {
        p: record(window(-5, 5, 1, 'a'), 4, 'a'),
        q: record(window(0, 10, 1, 'a'), 9, 'a'),
        r: record(window(-5, 5, 1, 'b'), 4, 'b'),
        s: record(window(0, 10, 1, 'b'), 9, 'b'),
      });
    });
  });

  it('goes on from its checkpointed panes after a crash, and shows each result once', () => {
    marbles(({ job, record, expectElements, expectCommitted }) => {
      const values = { a: record('a', 6), b: record('b', 7), c: record('c', 8) };
      const results = { s: window(0, 10, 3), t: window(5, 15, 3) };
      const input = '    -a-b-B-X-c-|';
      const expected = ' -----B-----(st|)';
      const committed = '-----------(st)';
      const run = job(input, counted, { values });
      expectElements(run).toBe(expected, results);
      expectCommitted(run).toBe(committed, results);
    });
  });

  it('puts panes together in the order of their times', () => {
    marbles(({ job, record, expectElements }) => {
      const values = { a: record('a', 7), b: record('b', 3) };
      const run = job('-a-b|', input => input.pipe(slidingWindow('w', 10, 5, aggregates.all<string>())), { values });
      expectElements(run).toBe('----(rst|)', {
        r: window(-5, 5, ['b']),
        s: window(0, 10, ['b', 'a']),
        t: window(5, 15, ['a']),
      });
    });
  });

  it('counts by the clock when that is asked for', () => {
    marbles(({ job, expectElements }) => {
      const run = job('-a-----b---|', input =>
        input.pipe(slidingWindow('w', 10, 5, aggregates.count(), { time: 'processing' })),
      );
      expectElements(run).toBe('-----r----s(t|)', {
        r: window(-5, 5, 1),
        s: window(0, 10, 2),
        t: window(5, 15, 1),
      });
    });
  });

  it('gives nothing for no records, and passes an error on', () => {
    marbles(({ job, expectElements }) => {
      expectElements(job('---|', counted)).toBe('---|');
      expectElements(job('---#', counted)).toBe('---#', {}, expect.anything());
    });
  });

  it('refuses windows that lie apart, by name', () => {
    expect(() => slidingWindow('w', '5s', '10s', aggregates.count())).toThrow(
      /slidingWindow\("w"\): its windows are 5000 ms long/,
    );
  });

  itEnds(stream => stream.pipe(slidingWindow('w', 10, 5, aggregates.count(), { time: 'processing' })));
});
