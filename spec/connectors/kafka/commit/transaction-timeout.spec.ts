import { describe, expect, it } from 'vitest';
import { transactionTimeout } from '../../../../connectors/kafka/commit/transaction-timeout.ts';
import { SettingsError } from '../../../../lib/index.ts';
import { resolveSettings } from '../../../../lib/job/settings.ts';

const defaults = resolveSettings({}, 'the spec').checkpoint;

describe('the timeout of transactions', () => {
  it('fits the defaults of checkpoints and of brokers', () => {
    expect(transactionTimeout(undefined, 900_000, defaults)).toBe(900_000);
    expect(transactionTimeout(undefined, undefined, defaults)).toBe(900_000);
    expect(transactionTimeout(undefined, 3_600_000, defaults)).toBe(900_000);
  });

  it('is what the brokers allow when that is less and still fits, or what was asked', () => {
    const quick = { ...defaults, timeout: 30_000 };
    expect(transactionTimeout(undefined, 60_000, quick)).toBe(60_000);
    expect(transactionTimeout(51_000, 60_000, quick)).toBe(51_000);
  });

  it('is exactly long enough at 0.8 of itself', () => {
    const times = { interval: 10_000, minPause: 0, timeout: 70_000, tolerableFailures: 1 };
    expect(transactionTimeout(200_000, undefined, times)).toBe(200_000);
    expect(() => transactionTimeout(199_999, undefined, times)).toThrow(SettingsError);
    // The longer of interval and pause counts; without an interval, the pause.
    expect(() => transactionTimeout(200_000, undefined, { ...times, minPause: 10_001 })).toThrow(SettingsError);
    expect(transactionTimeout(175_000, undefined, { ...times, interval: 'off' })).toBe(175_000);
  });

  it('is refused with every number, and what would fit', () => {
    const times = { interval: 10_000, minPause: 0, timeout: 600_000, tolerableFailures: 2 };
    expect(() => transactionTimeout(undefined, 900_000, times)).toThrow(
      /1830000 ms old: \(tolerableFailures 2 \+ 1\).*interval 10000 ms.*timeout 600000 ms.*0\.8 × transactionTimeout 900000 ms = 720000 ms.*to 2287500 ms \(the brokers allow 900000 ms/s,
    );
    expect(() => transactionTimeout(1_000_000, 900_000, defaults)).toThrow(
      /transactionTimeout is 1000000 ms, but the brokers allow 900000 ms/,
    );
  });
});
