import { describe, expect, it } from 'vitest';
import { marbles } from '../../lib/testing/index.ts';
import { keyBy, scan, union } from '../../operators/index.ts';
import { itEnds } from './ends.ts';

const count = (n: number): number => n + 1;

describe('union', () => {
  it('passes the records of all inputs as they come', () => {
    marbles(({ job, expectElements }) => {
      const a = '       -a---c-|';
      const b = '       ---b-----d-|';
      const expected = '-a-b-c---d-|';
      expectElements(job({ a, b }, inputs => union(inputs.a, inputs.b))).toBe(expected);
    });
  });

  it('passes one barrier for those of all inputs, and the lowest watermark', () => {
    marbles(({ job, expectElements, watermark }) => {
      const a = '       -V---B---|';
      const b = '       ---W-----X-|';
      const expected = '---W-B---X-|';
      const values = { V: watermark(50), W: watermark(20), X: watermark(60) };
      expectElements(job({ a, b }, inputs => union(inputs.a, inputs.b), { values })).toBe(expected, values);
    });
  });

  it('does not wait for an input that has ended', () => {
    marbles(({ job, expectElements }) => {
      const a = '       -a|';
      const b = '       ---b-B-c|';
      const expected = '-a-b-B-c|';
      expectElements(job({ a, b }, inputs => union(inputs.a, inputs.b))).toBe(expected);
    });
  });

  it('restores an input that had ended as ended', () => {
    marbles(({ job, expectElements, expectCommitted }) => {
      const a = '        -a|';
      const b = '        ---b-B-c-X-d-|';
      const expected = ' -1-2-B-3-3-4-|';
      const committed = '-----(12)----(34)';
      const run = job({ a, b }, inputs => union(inputs.a, inputs.b).pipe(scan('count', count, 0)));
      const numbers = { 1: 1, 2: 2, 3: 3, 4: 4 };
      expectElements(run).toBe(expected, numbers);
      expectCommitted(run).toBe(committed, numbers);
    });
  });

  it('keeps the time and key of each record', () => {
    marbles(({ job, expectElements, record }) => {
      const values = { a: record('a', 1_000), b: record('b', 2_000) };
      const keyed = { a: record('a', 1_000, 'a!'), b: record('b', 2_000, 'b?') };
      const run = job(
        { a: '-a---|', b: '---b-|' },
        inputs => union(inputs.a.pipe(keyBy(v => `${v}!`)), inputs.b.pipe(keyBy(v => `${v}?`))),
        { values },
      );
      expectElements(run).toBe('-a-b-|', keyed);
    });
  });

  it('joins a stream with itself', () => {
    marbles(({ job, expectElements }) => {
      const input = '   -a---B-|';
      const expected = '-(aa)B-|';
      expectElements(job(input, stream => union(stream, stream))).toBe(expected);
    });
  });

  it('completes at once when every input is empty', () => {
    marbles(({ job, expectElements }) => {
      expectElements(job({ a: '-|', b: '--|' }, inputs => union(inputs.a, inputs.b))).toBe('--|');
    });
  });

  it('fails when one input does, before anything more of the others', () => {
    marbles(({ job, expectElements }) => {
      expectElements(job({ a: '-a-#', b: '----b' }, inputs => union(inputs.a, inputs.b))).toBe('-a-#');
    });
  });

  it('refuses no input, and a plain Observable', () => {
    expect(() => union()).toThrow(/at least one/);
    expect(() => union({} as never)).toThrow(/from\(observable\)/);
  });

  itEnds(stream => union(stream, stream.pipe(keyBy(() => 1))));
});
