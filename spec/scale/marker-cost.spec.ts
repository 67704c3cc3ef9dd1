import { describe, expect, it } from 'vitest';
import { markersPerSecond, verifyMarkerCost } from '../../lib/scale/marker-cost.ts';

describe('the markers of transactions', () => {
  it.each([
    [{ tasks: 1, channels: 0, interval: 10_000 }, 0.2],
    [{ tasks: 64, channels: 0, interval: 10_000 }, 12.8],
    [{ tasks: 64, channels: 1, interval: 10_000 }, 422.4],
    [{ tasks: 64, channels: 3, interval: 1_000 }, 12_416],
    [{ tasks: 1_000, channels: 1, interval: 'off' }, 0],
  ] as const)('of %o are %d a second', (request, markers) => {
    expect(markersPerSecond(request)).toBeCloseTo(markers, 6);
  });

  it('are refused past the limit, with the numbers and the ways out', () => {
    const request = { tasks: 64, channels: 3, interval: 1_000 };
    expect(() => verifyMarkerCost('sold', request, 12_416)).not.toThrow();
    expect(() => verifyMarkerCost('sold', request, 12_415)).toThrow(
      /"sold".*\n.*64 tasks.*12416 markers a second.*maxTasks/,
    );
  });

  it('are nobody’s concern where nothing is repartitioned', () => {
    expect(() => verifyMarkerCost('sold', { tasks: 1_000, channels: 0, interval: 10 }, 1)).not.toThrow();
  });
});
