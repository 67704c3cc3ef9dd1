import { EmptyError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { type MarbleInput, marbles } from '../../lib/testing/index.ts';
import { first, keyBy } from '../../operators/index.ts';
import { itEnds } from './ends.ts';

const numbers = { 1: 1, 2: 2, 3: 3, 4: 4 };
const large = (value: number): boolean => value > 2;
const finding = (input: MarbleInput) => input.pipe(first('f', large));
const byParity = keyBy((value: number) => (value % 2 === 1 ? 'odd' : 'even'));

// What it has in common with the native one is in namesakes.spec.ts.
describe('first', () => {
  it('goes on looking behind a barrier and a crash, and commits its record once', () => {
    marbles(({ job, expectElements, expectCommitted }) => {
      const input = '    -1-B-3-X-4-|';
      const expected = ' ---B-3-3---|';
      const committed = '-----------3';
      const run = job(input, finding, { values: numbers });
      expectElements(run).toBe(expected, numbers);
      expectCommitted(run).toBe(committed, numbers);
    });
  });

  it('finds no second one after a crash', () => {
    marbles(({ job, expectElements }) => {
      const input = '   -1-3-B-4-X-4-|';
      const expected = '---3-B-------|';
      expectElements(job(input, finding, { values: numbers })).toBe(expected, numbers);
    });
  });

  it('tells the predicate the index, which a crash does not begin anew', () => {
    marbles(({ job, expectElements }) => {
      const input = '   -a-B-b-X-c-|';
      const expected = '---B-----c-|';
      expectElements(job(input, input => input.pipe(first('f', (_, index) => index === 2)))).toBe(expected);
    });
  });

  it('finds one for each key', () => {
    marbles(({ job, expectElements, record }) => {
      const input = '   -1-2-3-3-4-|';
      const expected = '-----p---q-|';
      expectElements(job(input, input => input.pipe(byParity, first('f', large)), { values: numbers })).toBe(expected, {
        p: record(3, NaN, 'odd'),
        q: record(4, NaN, 'even'),
      });
    });
  });

  it('emits the default value for each key that had records and found none, at the end of time', () => {
    marbles(({ job, expectElements, record }) => {
      const input = '   -1-2-3-|';
      const expected = '-----p-(d|)';
      expectElements(job(input, input => input.pipe(byParity, first('f', large, 0)), { values: numbers })).toBe(
        expected,
        { p: record(3, NaN, 'odd'), d: record(0, Infinity, 'even') },
      );
      expectElements(job('--|', input => input.pipe(byParity, first('f', large, 0)))).toBe('--|');
      expectElements(job('--|', input => input.pipe(byParity, first('f', large)))).toBe('--|');
    });
  });

  it('emits the default value of an empty input at the end of time, once', () => {
    marbles(({ job, expectElements, expectCommitted, record }) => {
      const run = job('--|X', input => input.pipe(first('f', null, 0)));
      expectElements(run).toBe('--(d|)', { d: record(0, Infinity) });
      expectCommitted(run).toBe('--d', { d: 0 });
    });
  });

  it('says which input had no record, of which key', () => {
    marbles(({ job, expectElements, scheduler }) => {
      const empty = job('--|', input => input.pipe(first('f')));
      const keyed = job('-1-2-3-|', input => input.pipe(byParity, first('f', large)), { values: numbers });
      expectElements(empty).toBe('--#', {}, /first\("f"\) had no record when its input ended: give it a default value/);
      expectElements(keyed).toBe(
        '-----3-#',
        numbers,
        /"f" threw in onComplete for key "even": first\("f"\) had no record that fits its predicate \(1 did not\)/,
      );
      scheduler.schedule(() => expect(rootOf(empty.handle?.status.error)).toBeInstanceOf(EmptyError), 5);
    });
  });

  it('says nothing of a record when the job is stopped', () => {
    marbles(({ job, expectElements, scheduler }) => {
      const run = job('-1-S', finding, { values: numbers });
      expectElements(run).toBe('---B');
      scheduler.schedule(() => expect(run.handle?.status.phase).toBe('stopped'), 4);
    });
  });

  it('passes barriers and watermarks, and ends with its input, when it has found its record', () => {
    marbles(({ job, expectElements, watermark }) => {
      const values = { ...numbers, W: watermark(5) };
      const input = '   -3-B-W-4-|';
      const expected = '-3-B-W---|';
      expectElements(job(input, finding, { values })).toBe(expected, values);
    });
  });

  itEnds(finding, { empty: '-B-#' });
});

function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? rootOf(error.cause) : error;
}
