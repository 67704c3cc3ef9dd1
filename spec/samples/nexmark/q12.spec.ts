import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MarbleJob, marbles } from '../../../lib/testing/index.ts';
import type { Bid } from '../../../samples/nexmark/events.ts';
import { queries } from '../../../samples/nexmark/queries/index.ts';
import { type Arrival, expectedQ12 } from '../../../samples/nexmark/reference.ts';
import { linesOf } from './query-run.ts';

const bidOf = (bidder: number): Bid => ({
  type: 'bid',
  auction: 7,
  bidder,
  price: 1,
  channel: '',
  url: '',
  dateTime: 0,
  extra: '',
});

type Step = { readonly after: number } & ({ readonly bidder: number } | { readonly what: 'B' | 'X' });

/** What q12 makes visible of bids on a clock that begins at 0, and when it was given which. */
function run(steps: readonly Step[]): { readonly rows: readonly object[]; readonly arrivals: readonly Arrival[] } {
  const values: Record<string, unknown> = {};
  const arrivals: Arrival[] = [];
  let now = 0;
  const letters = steps.map((step, i) => {
    now += step.after;
    const at = now;
    now++; // a letter takes a millisecond
    if ('what' in step) return `${step.after}ms ${step.what}`;
    const letter = String.fromCodePoint(0x4e00 + i);
    values[letter] = bidOf(step.bidder);
    arrivals.push({ bidder: step.bidder, at });
    return `${step.after}ms ${letter}`;
  });
  let ran: MarbleJob | undefined;
  marbles(({ job }) => {
    ran = job(`${letters.join(' ')} |`, stream => queries.q12(stream as Parameters<typeof queries.q12>[0]), { values });
  });
  const committed = ran?.output().committed ?? [];
  const rows = committed.map(({ element }) => (element as { readonly value: object }).value);
  return { rows, arrivals };
}

const gap = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1_000, max: 12_000 }));
const bidStep: fc.Arbitrary<Step> = fc.record({ after: gap, bidder: fc.integer({ min: 2_000, max: 2_003 }) });
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: bidStep },
  { weight: 1, arbitrary: fc.record({ after: gap, what: fc.constantFrom('B' as const, 'X' as const) }) },
);

describe('q12', () => {
  it('counts the bids of everybody in each ten seconds of the clock', () => {
    const { rows } = run([
      { after: 9_000, bidder: 2_001 },
      { after: 10, bidder: 2_001 },
      { after: 10, bidder: 2_002 },
      { after: 5_000, bidder: 2_001 },
    ]);
    expect(rows).toEqual([
      { bidder: 2_001, bidCount: 2, windowStart: 0, windowEnd: 10_000 },
      { bidder: 2_002, bidCount: 1, windowStart: 0, windowEnd: 10_000 },
      { bidder: 2_001, bidCount: 1, windowStart: 10_000, windowEnd: 20_000 },
    ]);
  });

  it('counts a bid at the very end of a window in the next one, and gives each once', () => {
    const { rows } = run([
      { after: 9_000, bidder: 2_001 },
      { after: 999, bidder: 2_001 },
      { after: 499, bidder: 2_001 },
    ]);
    expect(rows).toEqual([
      { bidder: 2_001, bidCount: 1, windowStart: 0, windowEnd: 10_000 },
      { bidder: 2_001, bidCount: 2, windowStart: 10_000, windowEnd: 20_000 },
    ]);
  });

  it('gives what plain loops give, at any times', () => {
    fc.assert(
      fc.property(fc.array(bidStep, { maxLength: 40 }), steps => {
        const { rows, arrivals } = run(steps);
        expect(linesOf('q12', rows)).toEqual(linesOf('q12', expectedQ12(arrivals)));
      }),
      { numRuns: 60 },
    );
  });

  it('counts every bid once through crashes, in windows that are aligned', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 40 }), steps => {
        const { rows, arrivals } = run(steps);
        const counted = new Map<number, number>();
        for (const row of rows as { bidder: number; bidCount: number; windowStart: number; windowEnd: number }[]) {
          counted.set(row.bidder, (counted.get(row.bidder) ?? 0) + row.bidCount);
          expect(row.windowStart % 10_000).toBe(0);
          expect(row.windowEnd - row.windowStart).toBe(10_000);
        }
        const bids = Map.groupBy(arrivals, ({ bidder }) => bidder);
        expect(counted).toEqual(new Map([...counted.keys()].map(bidder => [bidder, bids.get(bidder)?.length])));
        expect(counted.size).toBe(bids.size);
      }),
      { numRuns: 60 },
    );
  });
});
