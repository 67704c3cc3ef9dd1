import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compactionPlan } from '../../lib/checkpoint/compaction-plan.ts';
import type { SegmentRef } from '../../lib/checkpoint/manifest.ts';
import { segmentName } from '../../lib/checkpoint/snapshot-store.ts';

let id = 0;
function ref(kind: 'full' | 'delta', bytes: number, checkpoint = ++id): SegmentRef {
  return { name: segmentName(checkpoint, 1, 'ff'), kind, bytes, entries: 1, checksum: '' };
}
const chain = (full: number, ...deltas: number[]): SegmentRef[] => [
  ref('full', full),
  ...deltas.map(bytes => ref('delta', bytes)),
];
const policy = { maxDeltas: 4, minBytes: 100 };

describe('compactionPlan', () => {
  it('leaves a short chain alone', () => {
    for (const refs of [[], chain(0), chain(1_000), chain(1_000, 10, 10, 10, 10), chain(10, 40, 40)]) {
      expect(compactionPlan(refs, policy)).toBeUndefined();
    }
  });

  it('compacts all of it when the deltas outweigh the full segment', () => {
    expect(compactionPlan(chain(1_000, 600, 401), policy)).toEqual({ from: 0 });
    expect(compactionPlan(chain(1_000, 600, 400), policy)).toBeUndefined();
    expect(compactionPlan(chain(10, 4, 4, 4, 4, 4), policy)).toEqual({ from: 0 });
  });

  it('compacts a chain that has no full segment once it is long or large', () => {
    expect(compactionPlan([ref('delta', 50), ref('delta', 51)], policy)).toEqual({ from: 0 });
    expect(compactionPlan([ref('delta', 500)], policy)).toBeUndefined();
  });

  it('merges the newest deltas of a long chain, as far as they are small', () => {
    expect(compactionPlan(chain(1_000, 300, 8, 4, 4, 8), policy)).toEqual({ from: 2 });
    expect(compactionPlan(chain(1_000, 5, 5, 5, 5, 5), policy)).toEqual({ from: 1 });
    expect(compactionPlan(chain(1_000, 160, 80, 40, 20, 5), policy)).toBeUndefined();
  });

  it('takes the segments of one checkpoint as one delta', () => {
    const parts = Array.from({ length: 20 }, () => ref('delta', 10, 7_000));
    expect(compactionPlan([ref('full', 1_000), ...parts], policy)).toBeUndefined();
    const after = [5, 5, 5, 5].map(bytes => ref('delta', bytes));
    expect(compactionPlan([ref('full', 1_000), ...parts, ...after], policy)).toEqual({ from: 21 });
  });

  it('keeps chains short, and writes an entry again only a few times, whatever the sizes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.array(fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 20_000 })), {
          maxLength: 400,
          size: 'max',
        }),
        (full, deltas) => {
          let refs = chain(full);
          let written = 0;
          let rewritten = 0;
          for (const bytes of deltas) {
            refs.push(ref('delta', bytes));
            written += bytes;
            const plan = compactionPlan(refs, policy);
            if (!plan) continue;
            const merged = refs.slice(plan.from).reduce((sum, { bytes }) => sum + bytes, 0);
            rewritten += merged;
            refs = [...refs.slice(0, plan.from), ref(plan.from === 0 ? 'full' : 'delta', merged)];
          }
          expect(refs.length).toBeLessThanOrEqual(policy.maxDeltas + Math.log2(1 + full + written));
          expect(rewritten).toBeLessThanOrEqual(2 * full + written * (2 + Math.log2(1 + written)));
        },
      ),
      { numRuns: 300 },
    );
  });
});
