import { describe, expect, it } from 'vitest';
import { from, JobDefinitionError, side as sideTag } from '../../lib/index.ts';
import { type MarbleInput, marbles } from '../../lib/testing/index.ts';
import { assignTimestamps, type JoinType, keyBy, side, watermarks, windowJoin } from '../../operators/index.ts';
import { itEnds } from './ends.ts';

type Inputs = Record<'left' | 'right', MarbleInput>;
const join =
  (type: JoinType = 'inner') =>
  ({ left, right }: Inputs) =>
    windowJoin('join', left, right, { size: 10, type });

describe('windowJoin', () => {
  it('joins what is in the same window, when the watermark has reached its last moment', () => {
    marbles(({ job, record, watermark, expectElements }) => {
      const W = watermark(9);
      const values = { a: record('a', 3), b: record('b', 0), p: record('p', 9), q: record('q', 10), W };
      const left = '    -a-b-----W----|';
      const right = '   -----p-q-W----|';
      const expected = '---------(stW)|';
      const pairs = { W, s: record(['a', 'p'], 9), t: record(['b', 'p'], 9) };
      expectElements(job({ left, right }, join(), { values })).toBe(expected, pairs);
      expectElements(job({ left, right }, join('full'), { values })).toBe('---------(stW)(u|)', {
        ...pairs,
        u: record([undefined, 'q'], 19),
      });
      expectElements(job({ left: right, right: left }, join('left'), { values })).toBe('---------(stW)(u|)', {
        W,
        s: record(['p', 'a'], 9),
        t: record(['p', 'b'], 9),
        u: record(['q', undefined], 19),
      });
    });
  });

  it('joins within a key, in each window that holds both, and makes the result', () => {
    marbles(({ job, record, expectElements }) => {
      const values = { a: record('x1', 3), b: record('y2', 3), p: record('x3', 4) };
      const keyed = (input: MarbleInput) => input.pipe(keyBy(value => (value as string).slice(0, 1)));
      const run = job(
        { left: '-a-b-|', right: '-p---|' },
        ({ left, right }) =>
          windowJoin('join', keyed(left), keyed(right), {
            size: '10ms',
            slide: '5ms',
            result: (left, right) => `${left}+${right}`,
          }),
        { values },
      );
      expectElements(run).toBe('-----(st|)', { s: record('x1+x3', 4, 'x'), t: record('x1+x3', 9, 'x') });
    });
  });

  it('goes on from its checkpointed records after a crash, and shows each pair once', () => {
    marbles(({ job, record, watermark, expectElements, expectCommitted }) => {
      const W = watermark(12);
      const values = { a: record('a', 3), p: record('p', 5), W };
      const left = '    -a-B-----X-W---|';
      const right = '   -----p-----W---|';
      const expected = '---B-------(sW)|';
      const run = job({ left, right }, join(), { values });
      expectElements(run).toBe(expected, { W, s: ['a', 'p'] });
      expectCommitted(run).toBe('---------------s', { s: ['a', 'p'] });
    });
  });

  it('sends records to the side when all their windows are complete', () => {
    const lateLeft = sideTag<unknown>('late-left');
    const lateRight = sideTag<unknown>('late-right');
    marbles(({ job, record, watermark, expectElements }) => {
      const W = watermark(12);
      const values = { a: record('a', 9), b: record('b', 10), p: record('p', 3), q: record('q', 19), W };
      const run = job(
        { left: '-W-a-b---|', right: '-W---q-p-|' },
        ({ left, right }) => {
          const pairs = windowJoin('join', left, right, { size: 10, lateLeft, lateRight });
          return { pairs, left: pairs.pipe(side(lateLeft)), right: pairs.pipe(side(lateRight)) };
        },
        { values },
      );
      expectElements(run, 'pairs').toBe('-W-------(s|)', { W, s: ['b', 'q'] });
      expectElements(run, 'left').toBe('-W-a-----|', { W });
      expectElements(run, 'right').toBe('-W-----p-|', { W });
    });
  });

  it('completes when both inputs have, and passes the error of one', () => {
    marbles(({ job, expectElements }) => {
      expectElements(job({ left: '|', right: '---|' }, join())).toBe('---|');
      expectElements(job({ left: '-----|', right: '--#' }, join())).toBe('--#', {}, expect.anything());
    });
  });

  it('fails when result throws', () => {
    marbles(({ job, record, expectElements }) => {
      const failing = () => {
        throw new Error('no result');
      };
      const run = job(
        { left: '-a-|', right: '---|' },
        ({ left, right }) => windowJoin('join', left, right, { size: 10, type: 'left', result: failing }),
        { values: { a: record('a', 3) } },
      );
      expectElements(run).toBe('---#', {}, expect.objectContaining({ message: expect.stringContaining('no result') }));
    });
  });

  it('refuses what cannot be meant', () => {
    const stream = () => from<string>((async function* () {})(), { name: 'texts' });
    const joined = (options: object) => () =>
      windowJoin('join', stream(), stream(), { size: 10, ...options } as { size: 10 });
    expect(joined({ size: 'long' })).toThrow(/windowJoin\("join"\): size is "long"/);
    expect(joined({ type: 'outer' })).toThrow(/"inner", "left" or "full"/);
    expect(joined({ slide: 20 })).toThrow(JobDefinitionError);
  });

  itEnds(stream => {
    const timed = stream.pipe(assignTimestamps({ timestamp: () => 1, watermarks: watermarks.monotonous() }));
    return join()({ left: timed, right: timed });
  });
});
