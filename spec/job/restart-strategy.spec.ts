import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FencedError, StoreUnavailableError, UserCodeError } from '../../lib/errors.ts';
import { type RestartDecision, restartStrategy, shouldRestart } from '../../lib/job/restart-strategy.ts';
import { type JobSettings, type RestartSettings, resolveSettings } from '../../lib/job/settings.ts';

const settings = (restart: JobSettings['restart']): RestartSettings => resolveSettings({ restart }, 'a job').restart;
const middle = () => 0.5;

/** Restart delays for failures at these times; `null` where it gave up. */
function delays(restart: JobSettings['restart'], times: readonly number[], random = middle): (number | null)[] {
  const strategy = restartStrategy(settings(restart), random);
  return times.map(at => delayOf(strategy.next(at)));
}
const delayOf = (decision: RestartDecision): number | null => ('restartInMs' in decision ? decision.restartInMs : null);

describe('restart strategy none', () => {
  it('gives up at the first failure and says why', () => {
    expect(restartStrategy(settings({ strategy: 'none' })).next(0)).toEqual({
      giveUp: 'the restart strategy is "none"',
    });
  });
});

describe('restart strategy fixed-delay', () => {
  it('restarts as often as allowed, however long it ran in between', () => {
    expect(delays({ strategy: 'fixed-delay', attempts: 2, delay: '3s' }, [0, 1e9, 2e9, 3e9])).toEqual([
      3_000,
      3_000,
      null,
      null,
    ]);
  });

  it('says how often it restarted', () => {
    const strategy = restartStrategy(settings({ strategy: 'fixed-delay', attempts: 1, delay: 0 }));
    expect(strategy.next(0)).toEqual({ restartInMs: 0 });
    expect(strategy.next(1)).toEqual({ giveUp: 'once restarted, as often as allowed' });
  });
});

describe('restart strategy exponential', () => {
  it('multiplies the delay up to its maximum and goes on without limit', () => {
    expect(delays({ initialDelay: 100, maxDelay: 1_000, multiplier: 3 }, [0, 0, 0, 0, 0])).toEqual([
      100, 300, 900, 1_000, 1_000,
    ]);
  });

  it('starts anew after running long enough, counted from the restart', () => {
    const restart = { initialDelay: 100, maxDelay: 1_000, resetAfter: 5_000 };
    //                              restarts at 100, so 5 s without a failure are over at 5100
    expect(delays(restart, [0, 5_099])).toEqual([100, 200]);
    expect(delays(restart, [0, 5_100])).toEqual([100, 100]);
    //                              restarts at 5299
    expect(delays(restart, [0, 5_099, 10_298])).toEqual([100, 200, 400]);
    expect(delays(restart, [0, 5_099, 10_299])).toEqual([100, 200, 100]);
  });

  it('gives up when the attempts since the last reset are used, and counts anew after a reset', () => {
    const restart = { initialDelay: 100, resetAfter: 5_000, attempts: 2 };
    expect(delays(restart, [0, 200, 400])).toEqual([100, 200, null]);
    expect(delays(restart, [0, 200, 9_000, 9_100, 9_200])).toEqual([100, 200, 100, 200, null]);
    const strategy = restartStrategy(settings({ ...restart, attempts: 1 }), middle);
    strategy.next(0);
    expect(strategy.next(1)).toEqual({ giveUp: 'once restarted without running for 5000 ms in between' });
  });

  it('spreads the delay by the jitter, both ways', () => {
    const restart = { initialDelay: 1_000, maxDelay: 60_000, jitter: 0.25 };
    expect(delays(restart, [0], () => 0)).toEqual([750]);
    expect(delays(restart, [0], () => 0.999999)[0]).toBeCloseTo(1_250, 2);
    expect(delays({ ...restart, jitter: 0 }, [0], () => 0)).toEqual([1_000]);
  });

  it('keeps every delay within jitter and maximum, and repeats itself under the same random numbers', () => {
    const options = fc.record({
      initialDelay: fc.integer({ min: 1, max: 5_000 }),
      maxDelay: fc.integer({ min: 5_000, max: 100_000 }),
      multiplier: fc.double({ min: 1, max: 10, noNaN: true }),
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
      resetAfter: fc.integer({ min: 1, max: 50_000 }),
    });
    const gaps = fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 30 });
    const numbers = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(options, gaps, numbers, (restart, gaps, numbers) => {
        const seeded = () => {
          let i = 0;
          return () => numbers[i++ % numbers.length] ?? 0;
        };
        let now = 0;
        const times = gaps.map(gap => (now += gap));
        const all = delays(restart, times, seeded());
        expect(delays(restart, times, seeded())).toEqual(all);
        let nominal = restart.initialDelay;
        let runningSince = Number.POSITIVE_INFINITY;
        for (const [i, at] of times.entries()) {
          if (at - runningSince >= restart.resetAfter) nominal = restart.initialDelay;
          const delay = all[i] ?? Number.NaN;
          expect(delay).toBeGreaterThanOrEqual(Math.min(restart.maxDelay, nominal * (1 - restart.jitter)) - 1e-6);
          expect(delay).toBeLessThanOrEqual(Math.min(restart.maxDelay, nominal * (1 + restart.jitter)) + 1e-6);
          runningSince = at + delay;
          nominal = Math.min(restart.maxDelay, nominal * restart.multiplier);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('restart strategy failure-rate', () => {
  const restart = { strategy: 'failure-rate', maxFailures: 2, per: 1_000, delay: 10 } as const;

  it('bears so many failures within the time, and no more', () => {
    expect(delays(restart, [0, 500, 1_000])).toEqual([10, 10, null]);
    expect(delays(restart, [0, 500, 1_001])).toEqual([10, 10, 10]);
  });

  it('goes on for ever while failures are rare', () => {
    expect(delays(restart, [0, 600, 1_200, 1_800, 2_400, 2_401])).toEqual([10, 10, 10, 10, 10, null]);
  });

  it('says how many there were', () => {
    const strategy = restartStrategy(settings({ ...restart, maxFailures: 1 }));
    strategy.next(0);
    expect(strategy.next(5)).toEqual({ giveUp: '2 failures within 1000 ms, more than the 1 allowed' });
  });
});

describe('shouldRestart', () => {
  it('follows what the error says of itself', () => {
    expect(shouldRestart(new StoreUnavailableError('away'))).toBe(true);
    expect(shouldRestart(new UserCodeError('threw'))).toBe(true);
    expect(shouldRestart(new FencedError('newer'))).toBe(false);
    expect(shouldRestart({ retriable: false })).toBe(false);
  });

  it('takes an error that says nothing for one that may pass', () => {
    for (const error of [new Error('x'), undefined, null, 'text']) expect(shouldRestart(error)).toBe(true);
  });
});
