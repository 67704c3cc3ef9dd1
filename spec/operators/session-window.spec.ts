import { describe, expect, it } from 'vitest';
import { JobDefinitionError, side as sideTag } from '../../lib/index.ts';
import { type MarbleInput, marbles } from '../../lib/testing/index.ts';
import { aggregates, keyBy, sessionWindow, side } from '../../operators/index.ts';
import { inspectedStore } from '../actor/stored-entries.ts';
import { itEnds } from './ends.ts';

const session = (start: number, end: number, value: unknown, key?: unknown) => ({ key, start, end, value });
const counted = (input: MarbleInput) => input.pipe(sessionWindow('s', 5, aggregates.count()));

describe('sessionWindow', () => {
  it('joins records that are a gap apart at most, and gives their result when the watermark reaches its end', () => {
    marbles(({ job, record, watermark, expectElements }) => {
      const values = { a: record('a', 3), b: record('b', 8), c: record('c', 14), V: watermark(12), W: watermark(13) };
      const input = '   -a-b-c-V-W---|';
      const expected = '-------V-(sW)(t|)';
      expectElements(job(input, counted, { values })).toBe(expected, {
        V: values.V,
        W: values.W,
        s: record(session(3, 13, 2), 13),
        t: record(session(14, 19, 1), 19),
      });
    });
  });

  it('keeps a record that is exactly the gap behind the last one, however near the watermark is', () => {
    marbles(({ job, record, watermark, expectElements }) => {
      const values = { a: record('a', 3), b: record('b', 8), V: watermark(7), W: watermark(13) };
      expectElements(job('-a-V-b-W---|', counted, { values })).toBe('---V---(sW)|', {
        V: values.V,
        W: values.W,
        s: record(session(3, 13, 2), 13),
      });
    });
  });

  it('goes on from its checkpointed sessions after a crash, and shows each result once', () => {
    marbles(({ job, record, watermark, expectCommitted }) => {
      const values = { a: record('a', 3), b: record('b', 6), c: record('c', 30), W: watermark(20) };
      const input = '    -a-b-B-c-X-W---|';
      const run = job(input, counted, { values });
      expectCommitted(run).toBe('---------------(st)', { s: session(3, 11, 2), t: session(30, 35, 1) });
    });
  });

  it('makes one session of two by a record between them, per key', () => {
    marbles(({ job, record, expectElements }) => {
      const values = { a: record('k', 0), b: record('k', 9), c: record('l', 5), d: record('k', 5) };
      const run = job(
        '-a-b-c-d-|',
        input =>
          input.pipe(
            keyBy(v => v as string),
            sessionWindow('s', 5, aggregates.count()),
          ),
        { values },
      );
      expectElements(run).toBe('---------(st|)', {
        s: record(session(0, 14, 3, 'k'), 14, 'k'),
        t: record(session(5, 10, 1, 'l'), 10, 'l'),
      });
    });
  });

  it('sends what comes too late to the side, and gives a session again that grows within its lateness', () => {
    const late = sideTag<string>('late');
    marbles(({ job, record, watermark, expectElements }) => {
      const values = { a: record('a', 3), b: record('b', 4), c: record('c', 1), V: watermark(9), W: watermark(12) };
      const run = job(
        '-a-V---b-W-c-|',
        input => {
          const sessions = input.pipe(sessionWindow('s', 5, aggregates.all<string>(), { late, lateness: 3 }));
          return { sessions, late: sessions.pipe(side(late)) };
        },
        { values },
      );
      const marks = { V: values.V, W: values.W };
      expectElements(run, 'sessions').toBe('---(sV)t-W---|', {
        ...marks,
        s: session(3, 8, ['a']),
        t: session(3, 9, ['a', 'b']),
      });
      expectElements(run, 'late').toBe('---V-----W-c-|', { ...marks, c: 'c' });
    });
  });

  it.each([
    ['accumulators', aggregates.count(), 3],
    ['all records', aggregates.all(), 5],
  ])('stores of many open sessions those that have changed, with %s', (_what, aggregate, entries) => {
    const { store, counts } = inspectedStore();
    marbles(({ job, record, scheduler }) => {
      const letters = [...'abcdefgh'];
      const values = Object.fromEntries(letters.map((letter, i) => [letter, record(letter, i * 10)]));
      // One session goes on; two become one, which is an entry less. A record more may be an entry more.
      const more = { x: record('x', 22), y: record('y', 45) };
      job('-(abcdefgh)B-xyB-----', input => input.pipe(sessionWindow('s', 5, aggregate as never)), {
        values: { ...values, ...more },
        store,
      });
      scheduler.schedule(() => {
        expect(counts('s').held.state).toBe(1);
        expect(counts('s').written).toMatchObject({ state: 0 });
        expect(counts('s').written.entry).toBe(entries);
      }, 16);
    });
    expect.assertions(3);
  });

  it('counts by the clock, when asked to, and gives what is open at the end of the input', () => {
    marbles(({ job, expectElements }) => {
      const run = job('-a--b--------c--|', input =>
        input.pipe(sessionWindow('s', 5, aggregates.count(), { time: 'processing' })),
      );
      expectElements(run).toBe('---------s------(t|)', { s: session(1, 9, 2), t: session(13, 18, 1) });
    });
  });

  it('gives each record the gap that a function selects', () => {
    marbles(({ job, record, expectElements }) => {
      const values = { a: record(2, 0), b: record(9, 2), c: record(1, 11) };
      const run = job('-a-b-c-|', input => input.pipe(sessionWindow('s', n => Number(n), aggregates.count())), {
        values,
      });
      expectElements(run).toBe('-------(s|)', { s: session(0, 12, 3) });
    });
  });

  it('gives nothing of an empty input, and passes a barrier', () => {
    marbles(({ job, expectElements }) => {
      expectElements(job('-B-|', counted)).toBe('-B-|');
    });
  });

  it.each([
    ['a record has no timestamp', counted, /put assignTimestamps\(\) behind its source/],
    [
      'the gap is none',
      (input: MarbleInput) => input.pipe(sessionWindow('s', () => 0, aggregates.count(), { time: 'processing' })),
      /"gap" of sessionWindow\("s"\) answered 0/,
    ],
  ])('fails the job when %s', (_what, build, message) => {
    marbles(({ job, expectElements, scheduler }) => {
      const run = job('-a-|', build);
      expectElements(run).toBe('-#');
      scheduler.schedule(() => expect(run.handle?.status.error?.message).toMatch(message), 50);
    });
  });

  it('refuses a gap that is no duration', () => {
    expect(() => sessionWindow('s', '0s', aggregates.count())).toThrow(JobDefinitionError);
    expect(() => sessionWindow('s', 'soon' as never, aggregates.count())).toThrow(
      /sessionWindow\("s"\): gap is "soon"/,
    );
  });

  it('ends with its input when that fails', () => {
    marbles(({ job, expectElements }) => {
      expectElements(job('-#', counted)).toBe('-#');
    });
  });

  itEnds(stream => stream.pipe(sessionWindow('s', 5, aggregates.count(), { time: 'processing', early: { every: 2 } })));
});
