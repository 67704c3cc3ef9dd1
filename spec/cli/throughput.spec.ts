import { describe, expect, it } from 'vitest';
import { Throughput } from '../../cli/throughput.ts';

function rateOf(windowMs: number, samples: readonly (readonly [at: number, total: number])[]): number | undefined {
  const throughput = new Throughput(windowMs);
  for (const [at, total] of samples) throughput.add(at, total);
  return throughput.perSecond;
}

describe('Throughput', () => {
  it('knows nothing from less than two moments', () => {
    expect(rateOf(1_000, [])).toBeUndefined();
    expect(rateOf(1_000, [[5, 10]])).toBeUndefined();
    expect(
      rateOf(1_000, [
        [5, 10],
        [5, 20],
      ]),
    ).toBeUndefined();
  });

  it('looks at the last seconds only', () => {
    const samples = [0, 250, 500, 750, 1_000].map(at => [at, at * 2] as const);
    expect(rateOf(1_000, samples)).toBe(2_000);
    const slower = [1_250, 1_500, 1_750, 2_000, 2_250].map(at => [at, 2_000] as const);
    expect(rateOf(1_000, [...samples, ...slower])).toBe(0);
  });

  it('begins anew with an incarnation whose total is lower', () => {
    expect(
      rateOf(1_000, [
        [0, 500],
        [100, 600],
        [200, 10],
        [300, 20],
      ]),
    ).toBe(100);
  });
});
