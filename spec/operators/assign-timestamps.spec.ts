import { map, of, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { from, JobDefinitionError } from '../../lib/index.ts';
import { marbles } from '../../lib/testing/index.ts';
import { aggregates, assignTimestamps, keyBy, tumblingWindow, watermarks } from '../../operators/index.ts';
import { itEnds } from './ends.ts';

interface Reading {
  readonly at: number;
}
const readings: Record<string, Reading> = { a: { at: 3 }, b: { at: 9 }, c: { at: 5 }, d: { at: 20 } };
const byOwnTime = { timestamp: ({ at }: Reading) => at, watermarks: watermarks.boundedOutOfOrderness(2) };

describe('assignTimestamps', () => {
  it('gives records their times, and a watermark behind each that raises it', () => {
    marbles(({ job, expectElements, record, watermark }) => {
      const input = '   -a---b---c-|';
      const expected = '-(ax)(by)c-|';
      const run = job(input, stream => stream.pipe(assignTimestamps(byOwnTime)), { values: readings });
      const { a, b, c } = readings;
      expectElements(run).toBe(expected, {
        a: record(a, 3),
        b: record(b, 9),
        c: record(c, 5),
        x: watermark(0),
        y: watermark(6),
      });
    });
  });

  it('goes on behind a barrier and a crash where the watermark was', () => {
    marbles(({ job, expectElements, record, watermark }) => {
      const input = '   -a---b---B-X-c-|';
      const expected = '-(ax)(by)B-y-c-|';
      const run = job(input, stream => stream.pipe(assignTimestamps(byOwnTime)), { values: readings });
      const { a, b, c } = readings;
      expectElements(run).toBe(expected, {
        a: record(a, 3),
        b: record(b, 9),
        c: record(c, 5),
        x: watermark(0),
        y: watermark(6),
      });
    });
  });

  it('closes windows on what it says, and keeps the times of the source where it is given no function', () => {
    marbles(({ job, expectElements, record, watermark }) => {
      const values = { a: record('k', 3), b: record('k', 9), c: record('k', 12), d: record('l', 99) };
      const run = job(
        '-a-b-c----d----|',
        stream =>
          stream.pipe(
            assignTimestamps({ watermarks: watermarks.monotonous() }),
            keyBy(key => key as string),
            tumblingWindow('tens', 10, aggregates.count()),
          ),
        { values },
      );
      const result = (key: string, start: number, value: number) => ({ key, start, end: start + 10, value });
      expectElements(run).toBe('-t-u-(xv)-(yw)-(z|)', {
        ...{ t: watermark(2), u: watermark(8), v: watermark(11), w: watermark(98) },
        x: result('k', 0, 2),
        y: result('k', 10, 1),
        z: result('l', 90, 1),
      });
    });
  });

  it('lets values without a time pass, which say nothing', () => {
    marbles(({ job, expectElements, record }) => {
      const run = job(
        '-a-|',
        stream => stream.pipe(assignTimestamps({ timestamp: () => undefined, watermarks: watermarks.monotonous() })),
        { values: readings },
      );
      expectElements(run).toBe('-a-|', { a: record(readings.a, Number.NaN) });
    });
  });

  it('passes completion, and nothing of an empty input', () => {
    marbles(({ job, expectElements }) => {
      expectElements(job('-B-|', stream => stream.pipe(assignTimestamps(byOwnTime)))).toBe('-B-|');
    });
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no such field');
      },
      /"timestamp" of the source "input" threw: no such field/,
    ],
    ['answers no number', () => 'noon' as never, /answered a string.*milliseconds/],
    ['answers infinity', () => Number.POSITIVE_INFINITY, /answered Infinity/],
  ])('fails the job when the function %s', (_what, timestamp, message) => {
    marbles(({ job, expectElements, scheduler }) => {
      const run = job(
        '-a-|',
        stream => stream.pipe(assignTimestamps({ timestamp, watermarks: watermarks.monotonous() })),
        { values: readings },
      );
      expectElements(run).toBe('-#');
      scheduler.schedule(() => expect(run.handle?.status.error?.message).toMatch(message), 50);
    });
  });

  it('stands directly behind a source, once', () => {
    const one = assignTimestamps<number>({ watermarks: watermarks.monotonous() });
    const numbers = from(of(1));
    expect(() => numbers.pipe(map(n => n + 1)).pipe(one)).toThrow(/must stand directly behind from\(source\)/);
    expect(() => numbers.pipe(one).pipe(one)).toThrow(/behind another assignTimestamps\(\)/);
  });

  it.each([
    [{}, /"watermarks" is missing/],
    [{ watermarks: watermarks.monotonous(), timestamp: 'at' }, /"timestamp" is no function/],
    [{ watermarks: watermarks.monotonous(), idleAfter: 'soon' }, /idleAfter is "soon"/],
    [{ watermarks: watermarks.monotonous(), alignment: {} }, /needs "maxDrift"/],
  ])('refuses %j', (options, message) => {
    expect(() => assignTimestamps(options as never)).toThrow(JobDefinitionError);
    expect(() => assignTimestamps(options as never)).toThrow(message);
  });

  it('refuses a bound that is no duration, and a strategy without its functions', () => {
    expect(() => watermarks.boundedOutOfOrderness('late' as never)).toThrow(/the bound is "late"/);
    expect(() => watermarks.custom({ init: () => 0, next: () => 0 } as never)).toThrow(/"watermark" is missing/);
  });

  it('passes an error of its input', () => {
    expect.assertions(1);
    throwError(() => new Error('gone'))
      .pipe(assignTimestamps({ watermarks: watermarks.monotonous() }))
      .subscribe({ error: error => expect(String(error)).toMatch(/gone/) });
  });

  itEnds(stream => stream.pipe(assignTimestamps({ timestamp: () => 1, watermarks: watermarks.monotonous() })));
});
