import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JobDefinitionError } from '../../../lib/index.ts';
import { marbles } from '../../../lib/testing/index.ts';
import { type Aggregate, aggregates, tumblingWindow } from '../../../operators/index.ts';

const n = (value: number) => value;
const span = { key: undefined, start: 0, end: 1 };
const folded = <A>(aggregate: Aggregate<number, A, unknown>, values: readonly number[]): A =>
  values.reduce((so, value) => aggregate.add(so, value), aggregate.init());

const cases: [string, Aggregate<number, never, unknown>, (values: readonly number[]) => unknown][] = [
  ['count', aggregates.count<number>(), (values: readonly number[]) => values.length],
  ['sum', aggregates.sum(n), (values: readonly number[]) => values.reduce((a, b) => a + b, 0)],
  ['min', aggregates.min(n), (values: readonly number[]) => Math.min(...values)],
  ['max', aggregates.max(n), (values: readonly number[]) => Math.max(...values)],
  ['mean', aggregates.mean(n), (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length],
  [
    'reduced',
    aggregates.reduced((a: number, b: number) => a * 7 + b),
    (values: readonly number[]) => values.reduce((a, b) => a * 7 + b),
  ],
  ['all', aggregates.all<number>(), (values: readonly number[]) => values],
  [
    'whole',
    aggregates.whole((values: readonly number[]) => values.join()),
    (values: readonly number[]) => values.join(),
  ],
  ['latest', aggregates.latest<number>(3), (values: readonly number[]) => values.slice(-3)],
  ['topN', aggregates.topN<number>(3, n), (values: readonly number[]) => [...values].sort((a, b) => b - a).slice(0, 3)],
] as never;

describe.each(cases)('aggregates.%s', (name, aggregate, reference) => {
  it('gives the same however the records are put together', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1 }), fc.nat(), (values, cut) => {
        // Of `reduced` only what is associative may be cut.
        const at = name === 'reduced' ? 1 : cut % (values.length + 1);
        const merged = aggregate.merge(folded(aggregate, values.slice(0, at)), folded(aggregate, values.slice(at)));
        expect(aggregate.result(folded(aggregate, values), span)).toEqual(reference(values));
        if (name !== 'reduced') expect(aggregate.result(merged, span)).toEqual(reference(values));
      }),
    );
  });
});

describe('aggregates.whole', () => {
  it('is told the window, and keeps its records through a crash', () => {
    marbles(({ job, record, expectCommitted }) => {
      const values = { a: record(1, 3), b: record(2, 4), c: record(3, 5), d: record(4, 12) };
      const run = job(
        '-a-b-B-c-X-d-|',
        input =>
          input.pipe(
            tumblingWindow(
              'w',
              10,
              aggregates.whole((records: readonly unknown[], { start, end }) => `${start}-${end}: ${records}`),
            ),
          ),
        { values },
      );
      expectCommitted(run).toBe('-------------(st)', {
        s: { key: undefined, start: 0, end: 10, value: '0-10: 1,2,3' },
        t: { key: undefined, start: 10, end: 20, value: '10-20: 4' },
      });
    });
  });
});

it('aggregates.latest refuses a number of records that is none', () => {
  expect(() => aggregates.latest(0)).toThrow(JobDefinitionError);
});
