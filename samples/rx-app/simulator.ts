import { interval, map, mergeMap, type Observable } from 'rxjs';
import { Draws, mixed } from '../draws.ts';
import type { Reading } from './readings.ts';

export interface SimulatorOptions {
  readonly seed: number;
  readonly sensors: number;
  /** From a reading of a sensor to its next one, in ms. */
  readonly everyMs: number;
}

/** Ticks after which another sensor may fall silent, and how many of them it then is. */
const stretch = 60;
const silence = 30;

/** What the sensors measure at a tick, fixed by the seed. One of them is silent for the second half of each stretch. */
export function readingsAtTick(seed: number, sensors: number, tick: number): Omit<Reading, 'at'>[] {
  const draws = new Draws(seed);
  const isQuiet = tick % stretch >= stretch - silence;
  const silent = isQuiet ? mixed(seed, Math.floor(tick / stretch)) % sensors : -1;
  const readings: Omit<Reading, 'at'>[] = [];
  for (let n = 0; n < sensors; n++) {
    if (n === silent) continue;
    draws.begin(tick * sensors + n);
    const celsius = 20 + n + 3 * Math.sin(tick / 40 + n) + draws.fraction() - 0.5;
    readings.push({ sensor: `room-${n + 1}`, celsius: Math.round(celsius * 10) / 10 });
  }
  return readings;
}

/** Sensors that measure for as long as somebody is subscribed. */
export function simulatedReadings({ seed, sensors, everyMs }: SimulatorOptions): Observable<Reading> {
  return interval(everyMs).pipe(
    mergeMap(tick => readingsAtTick(seed, sensors, tick)),
    map(reading => ({ ...reading, at: Date.now() })),
  );
}
