import { describe, expect, it } from 'vitest';
import { from, JobDefinitionError, side as sideTag } from '../../lib/index.ts';
import { type MarbleInput, marbles } from '../../lib/testing/index.ts';
import { assignTimestamps, type CoGroupOptions, coGroup, keyBy, side, watermarks } from '../../operators/index.ts';
import { itEnds } from './ends.ts';

type Inputs = Record<'left' | 'right', MarbleInput>;
const show: CoGroupOptions<unknown, unknown, string, unknown>['result'] = (key, lefts, rights, { start, end }) =>
  `${String(key)} ${start}-${end}: ${lefts.join('')}/${rights.join('')}`;
const grouped = ({ left, right }: Inputs) => coGroup('group', left, right, { size: 10, result: show });

describe('coGroup', () => {
  it('gives the records of a window from both streams, when the watermark has reached its last moment', () => {
    marbles(({ job, record, watermark, expectElements }) => {
      const marks = { V: watermark(8), W: watermark(9) };
      const values = { a: record('a', 3), b: record('b', 0), p: record('p', 9), q: record('q', 10), ...marks };
      const left = '    -a-b-----V-W---|';
      const right = '   -----p-q-V-W---|';
      const expected = '---------V-(sW)(t|)';
      expectElements(job({ left, right }, grouped, { values })).toBe(expected, {
        ...marks,
        s: record('undefined 0-10: ab/p', 9),
        t: record('undefined 10-20: /q', 19),
      });
    });
  });

  it('groups per key, in windows that overlap, from an offset', () => {
    marbles(({ job, record, expectElements }) => {
      const values = { a: record('a', 3), b: record('b', 7), p: record('p', 7), q: record('a', 7) };
      const keyed = (input: MarbleInput) => input.pipe(keyBy(value => (value === 'b' || value === 'p' ? 2 : 'one')));
      const run = job(
        { left: '-a-b-----|', right: '-----p-q-|' },
        ({ left, right }) =>
          coGroup('group', keyed(left), keyed(right), { size: '10ms', slide: '5ms', offset: 1, result: show }),
        { values },
      );
      expectElements(run).toBe('---------(stuvw|)', {
        s: record('one -4-6: a/', 5, 'one'),
        t: record('one 1-11: a/a', 10, 'one'),
        u: record('one 6-16: /a', 15, 'one'),
        v: record('2 1-11: b/p', 10, 2),
        w: record('2 6-16: b/p', 15, 2),
      });
    });
  });

  it('makes several results of a window, one or none', () => {
    marbles(({ job, record, expectElements }) => {
      const values = { a: record('a', 3), b: record('b', 13), c: record('c', 23) };
      const run = job(
        { left: '-a-b-c-|', right: '-------|' },
        ({ left, right }) =>
          coGroup('group', left, right, {
            size: 10,
            result: (_key, [left], _rights, { start }) => {
              if (start === 0) return [`${left}1`, `${left}2`];
              return start === 10 ? [] : `${left}3`;
            },
          }),
        { values },
      );
      expectElements(run).toBe('-------(stu|)', { s: record('a1', 9), t: record('a2', 9), u: record('c3', 29) });
    });
  });

  it('goes on from its checkpointed records after a crash, and shows each result once', () => {
    marbles(({ job, record, watermark, expectElements, expectCommitted }) => {
      const values = { a: record('a', 3), b: record('b', 4), p: record('p', 5), W: watermark(12) };
      const left = '     -a-B---b-X-W---|';
      const right = '    -----p-----W---|';
      const expected = ' ---B-------(sW)|';
      const run = job({ left, right }, grouped, { values });
      expectElements(run).toBe(expected, { W: values.W, s: 'undefined 0-10: ab/p' });
      expectCommitted(run).toBe('---------------s', { s: 'undefined 0-10: ab/p' });
    });
  });

  it('sends records to the side when all their windows are complete', () => {
    const late = sideTag<unknown>('late');
    marbles(({ job, record, watermark, expectElements }) => {
      const W = watermark(12);
      const values = { a: record('a', 9), b: record('b', 10), p: record('p', 3), W };
      const left = '    -W-a-b---|';
      const right = '   -W-----p-|';
      const expected = '-W-------(s|)';
      const tooLate = ' -W-a---p-|';
      const run = job(
        { left, right },
        ({ left, right }) => {
          const groups = coGroup('group', left, right, { size: 10, lateLeft: late, lateRight: late, result: show });
          return { groups, late: groups.pipe(side(late)) };
        },
        { values },
      );
      expectElements(run, 'groups').toBe(expected, { W, s: 'undefined 10-20: b/' });
      expectElements(run, 'late').toBe(tooLate, { W });
    });
  });

  it('completes when both inputs have, and passes the error of one', () => {
    marbles(({ job, expectElements }) => {
      expectElements(job({ left: '|', right: '---|' }, grouped)).toBe('---|');
      expectElements(job({ left: '-----|', right: '--#' }, grouped)).toBe('--#', {}, expect.anything());
    });
  });

  it('fails when result throws, or a record has no time', () => {
    marbles(({ job, record, expectElements }) => {
      const failing = () => {
        throw new Error('no result');
      };
      const run = job(
        { left: '-a-|', right: '---|' },
        ({ left, right }) => coGroup('group', left, right, { size: 10, result: failing }),
        { values: { a: record('a', 3) } },
      );
      expectElements(run).toBe('---#', {}, expect.objectContaining({ message: expect.stringContaining('no result') }));
      const message = expect.stringContaining('coGroup("group") needs the time of each record');
      expectElements(job({ left: '-t-|', right: '---|' }, grouped)).toBe(
        '-#',
        {},
        expect.objectContaining({ message }),
      );
    });
  });

  it('refuses what cannot be meant', () => {
    const stream = () => from<string>((async function* () {})(), { name: 'texts' });
    const group = (options: object) => () =>
      coGroup('group', stream(), stream(), { size: 10, result: show, ...options } as never);
    expect(group({ size: undefined })).toThrow(/coGroup\("group"\) needs a size/);
    expect(group({ size: 0 })).toThrow(JobDefinitionError);
    expect(group({ slide: 11 })).toThrow(/10 ms long and begin every 11 ms/);
    expect(group({ result: undefined })).toThrow(/needs a result/);
  });

  itEnds(stream => {
    const timed = stream.pipe(assignTimestamps({ timestamp: () => 1, watermarks: watermarks.monotonous() }));
    return grouped({ left: timed, right: timed });
  });
});
