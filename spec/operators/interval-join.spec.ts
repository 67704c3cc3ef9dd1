import { describe, expect, it } from 'vitest';
import { from, JobDefinitionError, side as sideTag } from '../../lib/index.ts';
import { type MarbleInput, marbles } from '../../lib/testing/index.ts';
import { assignTimestamps, intervalJoin, keyBy, side, watermarks } from '../../operators/index.ts';
import { itEnds } from './ends.ts';

const near = { lower: 0, upper: 5 } as const;
const byLetter = (input: MarbleInput) => input.pipe(keyBy(value => (value as string).slice(0, 1)));

describe('intervalJoin', () => {
  it('joins what is near enough, bounds included, with the later time of both', () => {
    marbles(({ job, record, expectElements }) => {
      const values = {
        a: record('a', 10),
        b: record('b', 16),
        p: record('p', 10),
        q: record('q', 15),
        r: record('r', 16),
      };
      const left = '    -a-------b-|';
      const right = '   ---p-q-r---|';
      const expected = '---s-t---u-|';
      const run = job({ left, right }, ({ left, right }) => intervalJoin('join', left, right, near), { values });
      expectElements(run).toBe(expected, {
        s: record(['a', 'p'], 10),
        t: record(['a', 'q'], 15),
        u: record(['b', 'r'], 16),
      });
    });
  });

  it('joins within a key, on either side of a record, and makes the result', () => {
    marbles(({ job, record, expectElements }) => {
      const values = { a: record('x1', 10), b: record('y2', 10), p: record('x3', 12), q: record('y4', 9) };
      const left = '    -a-b-----|';
      const right = '   -----p-q-|';
      const expected = '-----s-t-|';
      const run = job(
        { left, right },
        ({ left, right }) =>
          intervalJoin('join', byLetter(left), byLetter(right), {
            lower: '-1ms',
            upper: '5ms',
            result: (left, right) => `${left}+${right}`,
          }),
        { values },
      );
      expectElements(run).toBe(expected, { s: record('x1+x3', 12, 'x'), t: record('y2+y4', 10, 'y') });
    });
  });

  it('gives what has no partner when the watermark rules one out, or at the end of the input', () => {
    marbles(({ job, record, watermark, expectElements }) => {
      const marks = { V: watermark(14), W: watermark(15) };
      const values = { a: record('a', 10), b: record('b', 11), p: record('p', 13), q: record('q', 30), ...marks };
      const left = '    -a-b-----V-W---|';
      const right = '   -----p---V-W-q-|';
      const options = { lower: 1, upper: 5, type: 'full' } as const;
      const full = ({ left, right }: Record<'left' | 'right', MarbleInput>) =>
        intervalJoin('join', left, right, options);
      const expected = '-----(st)V-W---(q|)';
      expectElements(job({ left, right }, full, { values })).toBe(expected, {
        ...marks,
        s: record(['a', 'p'], 13),
        t: record(['b', 'p'], 13),
        q: record([undefined, 'q'], 30),
      });
      const alone = job({ left, right: '-------V-W-|' }, full, { values });
      expectElements(alone).toBe('---------V-(sW)(t|)', {
        ...marks,
        s: record(['a', undefined], 15),
        t: record(['b', undefined], 16),
      });
    });
  });

  it('goes on from its checkpointed records after a crash, and shows each pair once', () => {
    marbles(({ job, record, watermark, expectElements, expectCommitted }) => {
      const values = { a: record('a', 10), b: record('b', 11), p: record('p', 12), W: watermark(99) };
      const left = '     -a-B-b------------W|';
      const right = '    -----p-----X------W|';
      const expected = ' ---B-(st)--(st)---W|';
      const committed = '-------------------(st)';
      const run = job(
        { left, right },
        ({ left, right }) => intervalJoin('join', left, right, { ...near, type: 'full' }),
        { values },
      );
      const results = { s: ['a', 'p'], t: ['b', 'p'], W: values.W };
      // After the crash what came behind the barrier is read again, and meets a, which the checkpoint held.
      expectElements(run).toBe(expected, results);
      expectCommitted(run).toBe(committed, results);
    });
  });

  it('sends records that come too late to the side, and joins those within its lateness', () => {
    const lateLeft = sideTag<unknown>('late-left');
    const lateRight = sideTag<unknown>('late-right');
    marbles(({ job, record, watermark, expectElements }) => {
      const W = watermark(20);
      const values = { a: record('a', 18), b: record('b', 17), p: record('p', 19), q: record('q', 10), W };
      const left = '    -W-a---b-----|';
      const right = '   -W---p---q---|';
      const joined = '  -W---s-------|';
      const onLeft = '  -W-----b-----|';
      const onRight = ' -W-------q---|';
      const run = job(
        { left, right },
        ({ left, right }) => {
          const pairs = intervalJoin('join', left, right, { ...near, allowedLateness: 3, lateLeft, lateRight });
          return { pairs, left: pairs.pipe(side(lateLeft)), right: pairs.pipe(side(lateRight)) };
        },
        { values },
      );
      expectElements(run, 'pairs').toBe(joined, { s: record(['a', 'p'], 19), W });
      expectElements(run, 'left').toBe(onLeft, { W });
      expectElements(run, 'right').toBe(onRight, { W });
    });
  });

  it('completes when both inputs have, and passes the error of one', () => {
    marbles(({ job, expectElements }) => {
      const joined = ({ left, right }: Record<'left' | 'right', MarbleInput>) =>
        intervalJoin('join', left, right, near);
      expectElements(job({ left: '|', right: '---|' }, joined)).toBe('---|');
      expectElements(job({ left: '-----|', right: '--#' }, joined)).toBe('--#', {}, expect.anything());
    });
  });

  it('fails when result throws, or a record has no time', () => {
    marbles(({ job, record, expectElements }) => {
      const values = { a: record('a', 10), p: record('p', 10) };
      const failing = {
        ...near,
        result: () => {
          throw new Error('no result');
        },
      };
      const run = job(
        { left: '-a----|', right: '---p--|' },
        ({ left, right }) => intervalJoin('join', left, right, failing),
        { values },
      );
      expectElements(run).toBe('---#', {}, expect.objectContaining({ message: expect.stringContaining('no result') }));
      const timeless = job({ left: '-t-|', right: '---|' }, ({ left, right }) =>
        intervalJoin('join', left, right, near),
      );
      const message = expect.stringContaining('intervalJoin("join") needs the time of each record');
      expectElements(timeless).toBe('-#', {}, expect.objectContaining({ message }));
    });
  });

  it('refuses what cannot be meant', () => {
    const stream = () => from<string>((async function* () {})(), { name: 'texts' });
    const joined = (options: object) => () =>
      intervalJoin('join', stream(), stream(), { ...near, ...options } as unknown as typeof near);
    expect(joined({ lower: 6 })).toThrow(/lower is 6 ms, above upper, 5 ms/);
    expect(joined({ upper: 'soon' })).toThrow(/upper is "soon", which is no duration/);
    expect(joined({ lower: undefined })).toThrow(JobDefinitionError);
    expect(joined({ allowedLateness: -1 })).toThrow(/allowedLateness is -1/);
    expect(joined({ type: 'right' })).toThrow(/"inner", "left" or "full"/);
    expect(joined({ result: 1 })).toThrow(/result is no function/);
  });

  itEnds(stream => {
    const timed = stream.pipe(assignTimestamps({ timestamp: () => 1, watermarks: watermarks.monotonous() }));
    return intervalJoin('join', timed, timed, near);
  });
});
