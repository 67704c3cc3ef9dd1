import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { memoryStore, type SnapshotStore, start } from '../../../lib/index.ts';
import { alerts, means, sensorJob, totals } from '../../../samples/rx-app/job.ts';
import type { Reading } from '../../../samples/rx-app/readings.ts';
import { quiet } from '../../job/quiet.ts';

interface Results {
  readonly totals: readonly (readonly [string, number])[];
  readonly saved: readonly (readonly [string, number])[];
  readonly means: readonly unknown[];
  readonly alerts: readonly unknown[];
}

/** What the app is given back for the Observable that `marbles` describes, in virtual time. */
function run(store: SnapshotStore, marbles: string, values: Readonly<Record<string, Reading>>): Results {
  const results = {
    totals: [] as [string, number][],
    saved: [] as [string, number][],
    means: [] as unknown[],
    alerts: [] as unknown[],
  };
  const scheduler = new TestScheduler(() => {});
  scheduler.run(({ cold }) => {
    const handle = start(sensorJob(cold(marbles, values), { silentAfter: 5 }), {
      scheduler,
      store,
      logger: quiet,
      checkpoint: { interval: 'off' },
    });
    handle.output(totals).subscribe(({ sensor, readings }) => results.totals.push([sensor, readings]));
    handle
      .output(totals, { committed: true })
      .subscribe(({ sensor, readings }) => results.saved.push([sensor, readings]));
    handle.output(means).subscribe(mean => results.means.push(mean));
    handle.output(alerts, { committed: true }).subscribe(alert => results.alerts.push(alert));
    // The Observables of an app do not end; the job is stopped.
    scheduler.schedule(() => void handle.stop(), 30);
  });
  return results;
}

describe('the job of the sample rx-app', () => {
  const values = {
    a: { sensor: 'roof', celsius: 30, at: 10_000 },
    b: { sensor: 'cellar', celsius: 10, at: 10_500 },
    c: { sensor: 'roof', celsius: 20, at: 12_000 },
  };

  it('gives the app what it makes of an Observable', () => {
    const found = run(memoryStore(), '-a-b-c-------------', values);
    const counted = [
      ['roof', 1],
      ['cellar', 1],
      ['roof', 2],
    ];
    expect(found.totals).toEqual(counted);
    expect(found.saved).toEqual(counted);
    // 12,000 less the second for which readings may be late.
    expect(found.means).toEqual([
      { key: 'roof', start: 1_000, end: 11_000, value: 30 },
      { key: 'cellar', start: 1_000, end: 11_000, value: 10 },
    ]);
    expect(found.alerts).toEqual([
      { kind: 'silent', sensor: 'cellar', at: 10_500 },
      { kind: 'silent', sensor: 'roof', at: 12_000 },
    ]);
  });

  it('goes on from the checkpoint with the next Observable', () => {
    const store = memoryStore();
    run(store, '-a-b-------', values);
    const found = run(store, '-c---------', values);
    expect(found.totals).toEqual([['roof', 2]]);
    expect(found.alerts).toEqual([
      { kind: 'back', sensor: 'roof', at: 12_000 },
      { kind: 'silent', sensor: 'roof', at: 12_000 },
    ]);
  });
});
