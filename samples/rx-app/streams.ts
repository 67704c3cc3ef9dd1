import { actor, type DataStream, type Duration, type Side, side } from 'tidemark';
import { aggregates, keyBy, scan, slidingWindow, timeout, type WindowResult } from 'tidemark/operators';
import type { Reading } from './readings.ts';

/** All that a sensor has measured so far. */
export interface SensorTotals {
  readonly sensor: string;
  readonly readings: number;
  readonly lowest: number;
  readonly highest: number;
  /** The latest reading, and when it was made. */
  readonly celsius: number;
  readonly at: number;
}

/** A sensor has fallen silent, or measures again. `at` is the time of its last reading, or of the first one again (ms). */
export interface Alert {
  readonly kind: 'silent' | 'back';
  readonly sensor: string;
  readonly at: number;
}

export interface StreamOptions {
  /** How long nothing comes of a sensor before an alert is raised. */
  readonly silentAfter: Duration;
}

export const alerts: Side<Alert> = side('alerts');

interface Silence {
  readonly silentSince: number;
}

/** Raises an alert when a sensor falls silent and when it is back, and passes its readings on. */
const presence = actor<Reading | Silence, number | null, Reading, string>('presence', {
  update: 'return',
  sides: [alerts],
  initial: () => null,
  receive(silentSince, event, ctx) {
    if ('silentSince' in event) {
      ctx.side(alerts, { kind: 'silent', sensor: ctx.key, at: event.silentSince });
      return event.silentSince;
    }
    if (silentSince !== null) {
      ctx.side(alerts, { kind: 'back', sensor: ctx.key, at: event.at });
      ctx.forget();
    }
    ctx.emit(event);
  },
});

const nothing: SensorTotals = {
  sensor: '',
  readings: 0,
  lowest: Number.POSITIVE_INFINITY,
  highest: Number.NEGATIVE_INFINITY,
  celsius: Number.NaN,
  at: Number.NEGATIVE_INFINITY,
};

/** What is computed of readings that have event times: everything that the job keeps is in here. */
export function sensorStreams(readings: DataStream<Reading>, { silentAfter }: StreamOptions) {
  const bySensor = readings.pipe(
    keyBy(({ sensor }) => sensor),
    timeout('silence', silentAfter, { with: ({ lastValue }): Silence => ({ silentSince: lastValue.at }) }),
    presence,
  );
  return {
    /** The totals of a sensor after each of its readings. */
    totals: bySensor.pipe(
      scan(
        'totals',
        (before, { sensor, celsius, at }): SensorTotals => ({
          sensor,
          readings: before.readings + 1,
          lowest: Math.min(before.lowest, celsius),
          highest: Math.max(before.highest, celsius),
          ...(at >= before.at ? { celsius, at } : { celsius: before.celsius, at: before.at }),
        }),
        nothing,
        { update: 'return' },
      ),
    ),
    /** The mean of the last ten seconds of a sensor, each second that it had a reading in them. */
    means: bySensor.pipe(
      slidingWindow(
        'mean',
        '10s',
        '1s',
        aggregates.mean<Reading>(({ celsius }) => celsius),
      ),
    ),
    /** The names of all sensors, so that the app can ask for their totals. */
    sensors: readings.pipe(
      scan(
        'sensors',
        (names, { sensor }) => {
          names.add(sensor);
        },
        new Set<string>(),
      ),
    ),
  };
}

export type Mean = WindowResult<number>;
