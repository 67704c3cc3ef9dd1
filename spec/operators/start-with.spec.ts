import { asyncScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { JobDefinitionError } from '../../lib/index.ts';
import { type MarbleInput, marbles } from '../../lib/testing/index.ts';
import { keyBy, startWith } from '../../operators/index.ts';
import { itEnds } from './ends.ts';

const started = (input: MarbleInput) => input.pipe(startWith('s', 's'));

// What it has in common with the native one is in namesakes.spec.ts.
describe('startWith', () => {
  it('does not repeat its values after a crash, and commits them once', () => {
    marbles(({ job, expectElements, expectCommitted }) => {
      const input = '    -a---B-b-X-c-|';
      const expected = ' -(sa)B-b-b-c-|';
      const committed = '-----(sa)----(bc)';
      const run = job(input, started);
      expectElements(run).toBe(expected);
      expectCommitted(run).toBe(committed);
    });
  });

  it('emits them behind a crash when there was no record before it', () => {
    marbles(({ job, expectElements, expectCommitted }) => {
      const input = '    -B-X-a---|';
      const expected = ' -B---(sa)|';
      const committed = '---------(sa)';
      const run = job(input, started);
      expectElements(run).toBe(expected);
      expectCommitted(run).toBe(committed);
    });
  });

  it('emits them with the time and key of the first record, for each key', () => {
    marbles(({ job, expectElements, record }) => {
      const values = { a: record('a', 1), b: record('b', 2), c: record('a', 3) };
      const input = '   -a----b----c-|';
      const expected = '-(pa)-(qb)-c-|';
      const run = job(
        input,
        input =>
          input.pipe(
            keyBy(v => v as string),
            startWith('s', 0),
          ),
        { values },
      );
      expectElements(run).toBe(expected, {
        p: record(0, 1, 'a'),
        a: record('a', 1, 'a'),
        q: record(0, 2, 'b'),
        b: record('b', 2, 'b'),
        c: record('a', 3, 'a'),
      });
      expectElements(
        job('--|', input =>
          input.pipe(
            keyBy(v => v as string),
            startWith('s', 0),
          ),
        ),
      ).toBe('--|');
    });
  });

  it('emits them at the end of time when there was no record, once', () => {
    marbles(({ job, expectElements, expectCommitted, record }) => {
      const run = job('-B-|X', started);
      expectElements(run).toBe('-B-(s|)', { s: record('s', Infinity) });
      expectCommitted(run).toBe('---s');
    });
  });

  it('emits nothing when the job is stopped before the first record', () => {
    marbles(({ job, expectElements, expectCommitted }) => {
      const run = job('---S', started);
      expectElements(run).toBe('---B');
      expectCommitted(run).toBe('----');
    });
  });

  it('refuses to have no values, as when the name was left out', () => {
    expect(() => startWith('loading')).toThrow(JobDefinitionError);
    expect(() => startWith('loading')).toThrow(/name comes first, as in startWith\("start", "loading"\)/);
  });

  it('refuses a scheduler', () => {
    expect(() => startWith('s', 1, asyncScheduler)).toThrow(JobDefinitionError);
    expect(() => startWith('s', 1, asyncScheduler)).toThrow(/startWith\("s", …\) takes no scheduler/);
  });

  itEnds(started, { empty: '-B-(s|)' });
});
