import { describe, expect, it } from 'vitest';
import { JobDefinitionError } from '../../lib/index.ts';
import { type MarbleInput, marbles } from '../../lib/testing/index.ts';
import { keyBy, take } from '../../operators/index.ts';
import { itEnds } from './ends.ts';

const taking = (input: MarbleInput) => input.pipe(take('t', 2));

// What it has in common with the native one is in namesakes.spec.ts.
describe('take', () => {
  it('goes on counting behind a barrier and a crash, and commits each record once', () => {
    marbles(({ job, expectElements, expectCommitted }) => {
      const input = '    -a-B-b-X-c-|';
      const expected = ' -a-B-b-b---|';
      const committed = '---a-------b';
      const run = job(input, taking);
      expectElements(run).toBe(expected);
      expectCommitted(run).toBe(committed);
    });
  });

  it('passes nothing more after a crash when it had passed all', () => {
    marbles(({ job, expectElements }) => {
      const input = '   -a-b-B-c-X-d-|';
      const expected = '-a-b-B-------|';
      expectElements(job(input, taking)).toBe(expected);
    });
  });

  it('reads on when it has passed all: barriers and watermarks come through, and the job ends with its input', () => {
    marbles(({ job, expectElements, watermark, scheduler }) => {
      const values = { W: watermark(5) };
      const input = '   -a-b-c-B-W-c-|';
      const expected = '-a-b---B-W---|';
      const run = job(input, taking, { values });
      expectElements(run).toBe(expected, values);
      scheduler.schedule(
        () => expect(run.handle?.status).toMatchObject({ phase: 'running', records: { in: 3, out: 2 } }),
        6,
      );
    });
  });

  it('counts per key: one that has all its records stops no other', () => {
    marbles(({ job, expectElements, record }) => {
      const input = '   -a-a-a-b-a-b-b-|';
      const expected = '-p-p---q---q---|';
      const run = job(input, input =>
        input.pipe(
          keyBy(v => v as string),
          take('t', 2),
        ),
      );
      expectElements(run).toBe(expected, { p: record('a', NaN, 'a'), q: record('b', NaN, 'b') });
    });
  });

  it('passes nothing more when a job is started again with a lower count', () => {
    marbles(({ job, expectElements, scheduler }) => {
      let count = 3;
      scheduler.schedule(() => {
        count = 1;
      }, 6);
      const input = '   -a-b-B-X-c-|';
      const expected = '-a-b-B-----|';
      expectElements(job(input, input => input.pipe(take('t', count)))).toBe(expected);
    });
  });

  it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '2' as never])('refuses to count to %s', count => {
    expect(() => take('t', count)).toThrow(JobDefinitionError);
    expect(() => take('t', count)).toThrow(/take\("t"\): its count is .*: give it a whole number from 0/);
  });

  itEnds(taking);
});
