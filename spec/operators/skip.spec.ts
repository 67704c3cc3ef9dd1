import { describe, expect, it } from 'vitest';
import { JobDefinitionError } from '../../lib/index.ts';
import { type MarbleInput, marbles } from '../../lib/testing/index.ts';
import { keyBy, skip } from '../../operators/index.ts';
import { itEnds } from './ends.ts';

const skipping = (input: MarbleInput) => input.pipe(skip('s', 2));

// What it has in common with the native one is in namesakes.spec.ts.
describe('skip', () => {
  it('goes on counting behind a barrier and a crash, and commits each record once', () => {
    marbles(({ job, expectElements, expectCommitted }) => {
      const input = '    -a-B-b-c-X-d-|';
      const expected = ' ---B---c-c-d-|';
      const committed = '-------------(cd)';
      const run = job(input, skipping);
      expectElements(run).toBe(expected);
      expectCommitted(run).toBe(committed);
    });
  });

  it('drops nothing again after a crash when it had dropped all', () => {
    marbles(({ job, expectElements }) => {
      const input = '   -a-b-B-X-c-|';
      const expected = '-----B---c-|';
      expectElements(job(input, skipping)).toBe(expected);
    });
  });

  it('counts per key', () => {
    marbles(({ job, expectElements, record }) => {
      const input = '   -a-b-a-a-b-b-|';
      const expected = '-------p---q-|';
      const run = job(input, input =>
        input.pipe(
          keyBy(v => v as string),
          skip('s', 2),
        ),
      );
      expectElements(run).toBe(expected, { p: record('a', NaN, 'a'), q: record('b', NaN, 'b') });
    });
  });

  it('passes barriers and watermarks while it drops', () => {
    marbles(({ job, expectElements, watermark }) => {
      const values = { W: watermark(5) };
      expectElements(job('-a-B-W-|', skipping, { values })).toBe('---B-W-|', values);
    });
  });

  it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '2' as never])('refuses to count to %s', count => {
    expect(() => skip('s', count)).toThrow(JobDefinitionError);
    expect(() => skip('s', count)).toThrow(/skip\("s"\): its count is .*: give it a whole number from 0/);
  });

  it('asks for its name', () => {
    expect(() => skip('', 1)).toThrow(/takes its name first/);
  });

  itEnds(skipping);
});
