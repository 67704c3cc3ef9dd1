import { describe, it } from 'vitest';
import { marbles } from '../../lib/testing/index.ts';
import { auditTime } from '../../operators/index.ts';
import { itEnds } from './ends.ts';

// What it has in common with the native operator is in timed-namesakes.spec.ts, with others on time in timed/.
describe('auditTime', () => {
  it('emits the last record of a stretch, across a barrier', () => {
    marbles(({ job, expectElements }) => {
      const input = '   -a-b-B-----c-|';
      const expected = '-----B-b-----(c|)';
      expectElements(job(input, stream => stream.pipe(auditTime('last', 6)))).toBe(expected);
    });
  });

  it('remembers what it holds through a crash, and since when', () => {
    marbles(({ job, expectElements, expectCommitted }) => {
      const input = '    -ab-B-c-X-d--|';
      const expected = ' ----B------d-|';
      const committed = '-------------d';
      const run = job(input, stream => stream.pipe(auditTime('last', 10)));
      expectElements(run).toBe(expected);
      expectCommitted(run).toBe(committed);
    });
  });

  it('counts by the times of records, and emits with the time at which it was due', () => {
    marbles(({ job, record, watermark, expectElements }) => {
      const values = { a: record('a', 10), b: record('b', 12), c: record('c', 30), W: watermark(34), V: watermark(35) };
      const input = '   -a-b-c-W-V----|';
      const expected = '-----b-W-(cV)-|';
      const run = job(input, stream => stream.pipe(auditTime('last', 5, { time: 'event' })), { values });
      expectElements(run).toBe(expected, { b: record('b', 15), c: record('c', 35), W: values.W, V: values.V });
    });
  });

  itEnds(stream => stream.pipe(auditTime('last', 6)));
});
