import type { Observable } from 'rxjs';
import { from, type Job, job, type Side, side } from 'tidemark';
import { assignTimestamps, to, watermarks } from 'tidemark/operators';
import type { Reading } from './readings.ts';
import { type Mean, type SensorTotals, type StreamOptions, sensorStreams } from './streams.ts';

export { type Alert, alerts, type Mean, type SensorTotals } from './streams.ts';

/** What the app reads of the job with `handle.output(tag)`, beside its alerts. */
export const totals: Side<SensorTotals> = side('totals');
export const means: Side<Mean> = side('means');

/** The job that joins the app: it reads the Observable that the app has, and gives its results back to it. */
export function sensorJob(readings$: Observable<Reading>, options: StreamOptions): Job {
  return job(
    'rx-app',
    () => {
      const readings = from(readings$, { name: 'readings', buffer: { size: 10_000, when: 'drop-oldest' } }).pipe(
        assignTimestamps({
          timestamp: ({ at }) => at,
          watermarks: watermarks.boundedOutOfOrderness('1s'),
        }),
      );
      const streams = sensorStreams(readings, options);
      return [streams.totals.pipe(to(totals)), streams.means.pipe(to(means)), streams.sensors];
    },
    { checkpoint: { interval: '1s' } },
  );
}
