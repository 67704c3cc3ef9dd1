import { describe, expect, it } from 'vitest';
import {
  type CheckpointTimes,
  maySkip,
  nextCheckpointAt,
  type ScheduleSettings,
} from '../../lib/checkpoint/schedule.ts';

const every10 = { interval: 10, minPause: 0, atLeastEvery: 100 };

describe('nextCheckpointAt', () => {
  it('waits one interval from the start of the incarnation', () => {
    expect(nextCheckpointAt(every10, { runningSince: 5 })).toBe(15);
    expect(nextCheckpointAt({ ...every10, minPause: 50 }, { runningSince: 5 })).toBe(15);
  });

  it('counts the interval from start to start', () => {
    expect(nextCheckpointAt(every10, { runningSince: 0, lastStart: 10, lastEnd: 13 })).toBe(20);
  });

  it('is due at once after a checkpoint that took longer than the interval', () => {
    expect(nextCheckpointAt(every10, { runningSince: 0, lastStart: 10, lastEnd: 37 })).toBe(37);
  });

  it('keeps the pause after the end of the last one', () => {
    const settings = { ...every10, minPause: 8 };
    expect(nextCheckpointAt(settings, { runningSince: 0, lastStart: 10, lastEnd: 11 })).toBe(20);
    expect(nextCheckpointAt(settings, { runningSince: 0, lastStart: 10, lastEnd: 15 })).toBe(23);
    expect(nextCheckpointAt(settings, { runningSince: 0, lastStart: 10, lastEnd: 37 })).toBe(45);
  });

  it('names no time while one is under way, or when the interval is off', () => {
    expect(nextCheckpointAt(every10, { runningSince: 0, lastStart: 10 })).toBeUndefined();
    expect(nextCheckpointAt({ ...every10, interval: 'off' }, { runningSince: 0 })).toBeUndefined();
    expect(
      nextCheckpointAt({ ...every10, interval: 'off' }, { runningSince: 0, lastStart: 1, lastEnd: 2 }),
    ).toBeUndefined();
  });

  it('never starts two within an interval, nor one within the pause, for every small case', () => {
    for (const interval of [1, 2, 5]) {
      for (const minPause of [0, 1, 3, 9]) {
        for (const duration of [0, 1, 4, 7]) {
          let times: CheckpointTimes = { runningSince: 0 };
          for (let n = 0; n < 5; n++) {
            const at = nextCheckpointAt({ interval, minPause, atLeastEvery: 100 }, times);
            if (at === undefined) throw new Error('a time is expected');
            expect(at - (times.lastStart ?? 0)).toBeGreaterThanOrEqual(interval);
            if (times.lastEnd !== undefined) {
              expect(at - times.lastEnd).toBeGreaterThanOrEqual(minPause);
              // And not later than both ask for.
              expect([(times.lastStart ?? 0) + interval, times.lastEnd + minPause]).toContain(at);
            }
            times = { runningSince: 0, lastStart: at, lastEnd: at + duration };
          }
        }
      }
    }
  });
});

describe('maySkip', () => {
  it('takes the first checkpoint', () => {
    expect(maySkip(every10, undefined, 1_000)).toBe(false);
  });

  it('skips while the next chance still comes in time', () => {
    expect(maySkip(every10, 0, 90)).toBe(true);
    expect(maySkip(every10, 0, 91)).toBe(false);
    expect(maySkip({ ...every10, minPause: 30 }, 0, 70)).toBe(true);
    expect(maySkip({ ...every10, minPause: 30 }, 0, 71)).toBe(false);
  });

  it('skips nothing when it is to happen at every interval', () => {
    expect(maySkip({ interval: 10, minPause: 0, atLeastEvery: 10 }, 0, 10)).toBe(false);
  });

  it('looks at the time gone by when there are no intervals', () => {
    const off: ScheduleSettings = { interval: 'off', minPause: 0, atLeastEvery: 100 };
    expect(maySkip(off, 0, 100)).toBe(true);
    expect(maySkip(off, 0, 101)).toBe(false);
  });
});
