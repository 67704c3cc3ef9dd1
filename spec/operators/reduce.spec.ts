import { describe, it } from 'vitest';
import { marbles } from '../../lib/testing/index.ts';
import { keyBy, reduce } from '../../operators/index.ts';
import { itEnds } from './ends.ts';

const sum = (total: number, value: number): number => total + value;

describe('reduce', () => {
  it('emits one result when the input completes, at the end of time and without repeating it', () => {
    marbles(({ job, expectElements, record }) => {
      const input = '   -1-2-3----|';
      const expected = '----------(r|)';
      const run = job(input, stream => stream.pipe(reduce('sum', sum, 0)), { values: { 1: 1, 2: 2, 3: 3 } });
      expectElements(run).toBe(expected, { r: record(6, Infinity) });
    });
  });

  it('emits one result a key, in order of the keys', () => {
    marbles(({ job, expectElements, record }) => {
      const values = { 1: ['b', 1], 2: ['a', 2], 3: ['b', 3] };
      const run = job(
        '-1-2-3-|',
        stream =>
          stream.pipe(
            keyBy(v => v[0] as string),
            reduce('sum', (total, v) => total + v[1], 0),
          ),
        { values },
      );
      expectElements(run).toBe('-------(ab|)', { a: record(2, Infinity, 'a'), b: record(4, Infinity, 'b') });
    });
  });

  it('remembers a key whose accumulator never changed', () => {
    marbles(({ job, expectElements }) => {
      const max = (highest: { value: number }, value: number): void => {
        if (value > highest.value) highest.value = value;
      };
      const run = job('-a-|', stream => stream.pipe(reduce('max', max, { value: 9 })), { values: { a: 1 } });
      expectElements(run).toBe('---(r|)', { r: { value: 9 } });
    });
  });

  it('goes on from its checkpointed state after a crash', () => {
    marbles(({ job, expectElements, expectCommitted }) => {
      const input = '    -1-2-B-3-X-4-|';
      const expected = ' -----B-------(r|)';
      const committed = '-------------r';
      const values = { 1: 1, 2: 2, 3: 3, 4: 4 };
      const run = job(input, stream => stream.pipe(reduce('sum', sum, 0)), { values });
      expectElements(run).toBe(expected, { r: 10 });
      expectCommitted(run).toBe(committed, { r: 10 });
    });
  });

  it('emits nothing of an empty input', () => {
    marbles(({ job, expectElements }) => {
      expectElements(job('--|', stream => stream.pipe(reduce('sum', sum, 0)))).toBe('--|');
    });
  });

  it('emits nothing again when the finished job is started again', () => {
    marbles(({ job, expectElements, expectCommitted }) => {
      const input = '    -1-2-|X';
      const run = job(input, stream => stream.pipe(reduce('sum', sum, 0)), { values: { 1: 1, 2: 2 } });
      expectElements(run).toBe('-----(r|)', { r: 3 });
      expectCommitted(run).toBe('-----r', { r: 3 });
    });
  });

  it('fails the job when the accumulator throws', () => {
    marbles(({ job, expectElements }) => {
      const run = job('-1-2-|', stream =>
        stream.pipe(
          reduce(
            'sum',
            () => {
              throw new Error('no');
            },
            0,
          ),
        ),
      );
      expectElements(run).toBe('-#');
    });
  });

  itEnds(stream => stream.pipe(reduce('sum', sum, 0)));
});
