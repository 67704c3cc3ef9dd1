import { describe, expect, it } from 'vitest';
import { readingsAtTick } from '../../../samples/rx-app/simulator.ts';

const ticks = (seed: number, sensors: number) =>
  Array.from({ length: 600 }, (_, tick) => readingsAtTick(seed, sensors, tick));

describe('the simulated sensors of the sample rx-app', () => {
  it('are fixed by their seed, and differ with it', () => {
    expect(ticks(1, 6)).toEqual(ticks(1, 6));
    expect(ticks(1, 6)).not.toEqual(ticks(2, 6));
  });

  it('measure at each tick, but for one that is silent for half of each stretch, now this and now that', () => {
    const counts = ticks(1, 6).map(({ length }) => length);
    expect(counts.slice(0, 60)).toEqual([...Array(30).fill(6), ...Array(30).fill(5)]);
    const all = Array.from({ length: 6 }, (_, n) => `room-${n + 1}`);
    const silent = ticks(1, 6).flatMap(readings => all.filter(name => !readings.some(({ sensor }) => sensor === name)));
    expect(silent).toHaveLength(300);
    expect(new Set(silent).size).toBeGreaterThan(2);
  });

  it('measure what rooms are like', () => {
    for (const { celsius } of ticks(3, 6).flat()) {
      expect(celsius).toBeGreaterThan(15);
      expect(celsius).toBeLessThan(30);
    }
  });
});
