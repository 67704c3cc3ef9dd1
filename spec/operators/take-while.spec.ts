import { describe, expect, it } from 'vitest';
import { type MarbleInput, marbles } from '../../lib/testing/index.ts';
import { keyBy, takeWhile } from '../../operators/index.ts';
import { itEnds } from './ends.ts';

const numbers = { 1: 1, 2: 2, 3: 3 };
const small = (value: number): boolean => value < 3;
const taking = (input: MarbleInput) => input.pipe(takeWhile('t', small));

// What it has in common with the native one is in namesakes.spec.ts.
describe('takeWhile', () => {
  it('goes on behind a barrier and a crash, and commits each record once', () => {
    marbles(({ job, expectElements, expectCommitted }) => {
      const input = '    -1-B-2-X-3-1-|';
      const expected = ' -1-B-2-2-----|';
      const committed = '---1---------2';
      const run = job(input, taking, { values: numbers });
      expectElements(run).toBe(expected, numbers);
      expectCommitted(run).toBe(committed, numbers);
    });
  });

  it('passes nothing more after a crash when a record did not fit, and asks no more', () => {
    const asked: number[] = [];
    marbles(({ job, expectElements }) => {
      const input = '   -1-3-B-1-X-2-|';
      const expected = '-1---B-------|';
      const run = job(
        input,
        input =>
          input.pipe(
            takeWhile('t', (value: number) => {
              asked.push(value);
              return small(value);
            }),
          ),
        { values: numbers },
      );
      expectElements(run).toBe(expected, numbers);
    });
    expect(asked).toEqual([1, 3]);
  });

  it('passes the record that did not fit once, when it is inclusive', () => {
    marbles(({ job, expectElements, expectCommitted }) => {
      const input = '    -1-B-3-X-3-1-|';
      const expected = ' -1-B-3-3-----|';
      const committed = '---1---------3';
      const run = job(input, input => input.pipe(takeWhile('t', small, true)), { values: numbers });
      expectElements(run).toBe(expected, numbers);
      expectCommitted(run).toBe(committed, numbers);
    });
  });

  it('tells the predicate the index of the key, which a crash does not begin anew', () => {
    const asked: [string, number][] = [];
    marbles(({ job, expectElements }) => {
      const input = '   -a-b-a-B-X-a-b-|';
      const expected = '-a-b-a-B---a-b-|';
      const run = job(input, input =>
        input.pipe(
          keyBy(v => v as string),
          takeWhile('t', (value: string, index) => asked.push([value, index]) > 0),
        ),
      );
      expectElements(run).toBe(expected);
    });
    expect(asked).toEqual([
      ['a', 0],
      ['b', 0],
      ['a', 1],
      ['a', 2],
      ['b', 1],
    ]);
  });

  it('ends per key: one whose record does not fit stops no other', () => {
    marbles(({ job, expectElements, record }) => {
      const values = { a: ['k', 1], b: ['k', 3], c: ['l', 1], d: ['k', 1], e: ['l', 2] };
      const input = '   -a-b-c-d-e-|';
      const expected = '-a---c---e-|';
      const run = job(
        input,
        input =>
          input.pipe(
            keyBy(v => v[0] as string),
            takeWhile('t', (v: [string, number]) => small(v[1])),
          ),
        { values },
      );
      expectElements(run).toBe(expected, {
        a: record(values.a, NaN, 'k'),
        c: record(values.c, NaN, 'l'),
        e: record(values.e, NaN, 'l'),
      });
    });
  });

  itEnds(stream => stream.pipe(takeWhile('t', value => value === 'a')));
});
