import { describe, expect, it } from 'vitest';
import { marbles } from '../../lib/testing/index.ts';
import { keyBy, timeout } from '../../operators/index.ts';
import { itEnds } from './ends.ts';

const byLetter = keyBy((value: string) => value.slice(0, 1));

// What it has in common with the native operator is in timed-namesakes.spec.ts.
describe('timeout', () => {
  it('answers a silence, across a barrier', () => {
    marbles(({ job, expectElements }) => {
      const input = '   -a-b-B---c-|';
      const expected = '-a-b-B-z-c-|';
      expectElements(job(input, stream => stream.pipe(timeout('alive', 4, { with: 'z' })))).toBe(expected);
    });
  });

  it('fails the job for the key that is silent, and names it', () => {
    marbles(({ job, scheduler, expectElements }) => {
      const values = { a: 'a1', b: 'b1', c: 'a2' };
      const input = '   -ab-c-----|';
      const expected = '-ab-c-#';
      const run = job(input, stream => stream.pipe(byLetter, timeout('alive', '4ms')), { values });
      expectElements(run).toBe(expected, values, /^timeout\("alive"\): nothing came for key "b" for 4 ms/);
      scheduler.schedule(
        () => expect(run.handle?.status.error).toMatchObject({ code: 'TIMEOUT', context: { operator: 'alive' } }),
        9,
      );
    });
    expect.assertions(1);
  });

  it('tells a function the key and its last record', () => {
    marbles(({ job, record, expectElements }) => {
      const values = { a: record('a1', 10), b: record('b1', 20), c: record('a2', 30) };
      const input = '   -abc--------|';
      const expected = '-abc--zy----|';
      const run = job(
        input,
        stream =>
          stream.pipe(byLetter, timeout('alive', 4, { with: ({ key, lastValue }) => `${String(key)}<${lastValue}` })),
        { values },
      );
      expectElements(run).toBe(expected, {
        a: 'a1',
        b: 'b1',
        c: 'a2',
        z: record('b<b1', 6, 'b'),
        y: record('a<a2', 7, 'a'),
      });
    });
  });

  it('remembers through a crash that a key waits, and gives it a whole wait after that', () => {
    marbles(({ job, expectElements, expectCommitted }) => {
      const input = '    -aB-X---------b-|';
      const expected = ' -aB--------z--b-|';
      const committed = '--a-------------(zb)';
      const run = job(input, stream => stream.pipe(timeout('alive', 5, { with: 'z' })));
      // It was due at 6, which is the first that the actor sees behind the restart.
      expectElements(run).toBe(expected);
      expectCommitted(run).toBe(committed);
    });
  });

  it('does not fail for the time for which the job was down', () => {
    marbles(({ job, scheduler, expectElements }) => {
      const input = '   -aB---------X--b-----c|';
      const expected = '-aB------------b---#';
      const run = job(input, stream => stream.pipe(timeout('alive', 4)));
      scheduler.schedule(() => void run.handle?.cancel(), 4);
      expectElements(run).toBe(expected, {}, /nothing came for 4 ms/);
    });
  });

  it('counts by the times of records, as far as those of the key or the watermark tell; not to the end of time', () => {
    marbles(({ job, record, watermark, expectElements }) => {
      const values = {
        a: record('a', 10),
        b: record('b', 15),
        c: record('c', 21),
        W: watermark(25),
        V: watermark(26),
        d: record('d', 27),
      };
      const input = '   -a-b-c---W-V---d-|';
      const expected = '-a-b-(zc)W-(yV)d-|';
      const run = job(input, stream => stream.pipe(timeout('alive', 5, { time: 'event', with: 'z' })), { values });
      expectElements(run).toBe(expected, {
        a: record('a', 10),
        b: record('b', 15),
        z: record('z', 20),
        c: record('c', 21),
        y: record('z', 26),
        d: record('d', 27),
        W: values.W,
        V: values.V,
      });
    });
  });

  it('waits no shorter for a record that is older than the one before', () => {
    marbles(({ job, record, expectElements }) => {
      const values = { a: record('a', 10), b: record('b', 3), c: record('c', 14) };
      const input = '   -a-b-c-|';
      const expected = '-a-b-c-|';
      const run = job(input, stream => stream.pipe(timeout('alive', 5, { time: 'event' })), { values });
      expectElements(run).toBe(expected, values);
    });
  });

  it('refuses what is no duration, by name', () => {
    expect(() => timeout('alive', { each: 5 } as unknown as number)).toThrow(/timeout\("alive"\): each is {"each":5}/);
  });

  itEnds(stream => stream.pipe(timeout('t', 5)));
});
