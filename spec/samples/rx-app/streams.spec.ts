import { describe, expect, it } from 'vitest';
import { type MarbleInput, marbles } from '../../../lib/testing/index.ts';
import { side } from '../../../operators/index.ts';
import { alerts, type SensorTotals, sensorStreams } from '../../../samples/rx-app/streams.ts';

const streams = (silentAfter: number) => (readings: MarbleInput) => {
  const { totals, means, sensors } = sensorStreams(readings, { silentAfter });
  return { totals, means, sensors, alerts: totals.pipe(side(alerts)) };
};

const of = (sensor: string, celsius: number, at: number) => ({ sensor, celsius, at });
const total = (readings: number, celsius: number, lowest: number, highest: number) =>
  expect.objectContaining({ readings, celsius, lowest, highest } satisfies Partial<SensorTotals>);

describe('the streams of the sample rx-app', () => {
  it('count the readings of each sensor, through a crash', () => {
    marbles(({ job, expectElements, expectCommitted, record }) => {
      const values = {
        a: record(of('roof', 30, 1), 1),
        b: record(of('cellar', 10, 2), 2),
        c: record(of('roof', 20, 3), 3),
        d: record(of('roof', 25, 4), 4),
      };
      const input = '    -a-b-B-c-X-d-|';
      const totals = '   -1-2-B-3-3-4-|';
      const committed = '-----(12)----(34)';
      const expected = {
        1: total(1, 30, 30, 30),
        2: total(1, 10, 10, 10),
        3: total(2, 20, 20, 30),
        4: total(3, 25, 20, 30),
      };
      const run = job(input, streams(1_000), { values });
      expectElements(run, 'totals').toBe(totals, expected);
      expectCommitted(run, 'totals').toBe(committed, expected);
    });
  });

  it('keep the latest reading of a sensor when an older one comes behind it', () => {
    marbles(({ job, expectElements, record }) => {
      const values = { a: record(of('roof', 30, 9), 9), b: record(of('roof', 10, 5), 5) };
      const run = job('-a-b-|', streams(1_000), { values });
      expectElements(run, 'totals').toBe('-1-2-|', {
        1: { sensor: 'roof', readings: 1, celsius: 30, lowest: 30, highest: 30, at: 9 },
        2: { sensor: 'roof', readings: 2, celsius: 30, lowest: 10, highest: 30, at: 9 },
      });
    });
  });

  it('raise an alert when a sensor is silent, one when it is back, and none in between', () => {
    marbles(({ job, expectElements, record }) => {
      const values = {
        a: record(of('roof', 30, 101), 101),
        b: record(of('roof', 30, 109), 109),
        c: record(of('roof', 30, 111), 111),
      };
      const input = ' -a-------b-c-|';
      const raised = '-----s---r---|';
      const totals = '-1-------2-3-|';
      const run = job(input, streams(4), { values });
      expectElements(run, 'alerts').toBe(raised, {
        s: { kind: 'silent', sensor: 'roof', at: 101 },
        r: { kind: 'back', sensor: 'roof', at: 109 },
      });
      const expected = { 1: total(1, 30, 30, 30), 2: total(2, 30, 30, 30), 3: total(3, 30, 30, 30) };
      expectElements(run, 'totals').toBe(totals, expected);
    });
  });

  it('notice the silence, and the return, behind a crash, and begin to wait anew then', () => {
    marbles(({ job, expectElements, record }) => {
      const values = { a: record(of('roof', 30, 101), 101), b: record(of('roof', 30, 110), 110) };
      const input = ' -a-B-X-----B-X-b--|';
      const raised = '---B-----s-B---r--|';
      const run = job(input, streams(4), { values });
      expectElements(run, 'alerts').toBe(raised, {
        s: { kind: 'silent', sensor: 'roof', at: 101 },
        r: { kind: 'back', sensor: 'roof', at: 110 },
      });
    });
  });

  it('give the mean of the last ten seconds each second', () => {
    marbles(({ job, expectElements, record, watermark }) => {
      const values = {
        a: record(of('roof', 30, 100), 100),
        b: record(of('roof', 20, 1_100), 1_100),
        V: watermark(999),
        W: watermark(1_999),
      };
      const input = '-a-b-V-----B-X-W-----';
      const means = '-----(mV)--B-V-(nW)--';
      const run = job(input, streams(1_000_000), { values });
      expectElements(run, 'means').toBe(means, {
        ...values,
        m: { key: 'roof', start: -9_000, end: 1_000, value: 30 },
        n: { key: 'roof', start: -8_000, end: 2_000, value: 25 },
      });
    });
  });

  it('know the names of all sensors, and of each the totals', async () => {
    const answers: Promise<unknown>[] = [];
    marbles(({ job, scheduler, record }) => {
      const values = { a: record(of('roof', 30, 1), 1), b: record(of('cellar', 10, 2), 2) };
      const run = job('-a-b-a-B-X---', streams(1_000), { values });
      scheduler.schedule(() => {
        for (const [actor, key] of [['sensors'], ['totals', 'roof']] as const) {
          answers.push(run.handle?.ask(actor, key) as Promise<unknown>);
        }
      }, 11);
    });
    expect(await Promise.all(answers)).toEqual([new Set(['roof', 'cellar']), total(2, 30, 30, 30)]);
  });
});
