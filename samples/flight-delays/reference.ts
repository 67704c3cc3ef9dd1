// The same results from a plain loop over the whole file, independent of Tidemark: what the job is checked against.
import { readFileSync } from 'node:fs';
import { flightsFile } from './flights-file.ts';

interface Departure {
  readonly date: string;
  readonly delay: number;
  readonly origin: string;
}

export function readFlights(file = flightsFile()): Departure[] {
  return JSON.parse(readFileSync(file, 'utf8')) as Departure[];
}

/** The lines of `airports.jsonl`. */
export function expectedAirports(flights: readonly Departure[]): string[] {
  const seen = new Map<string, number[]>();
  return flights.map(({ origin, delay }) => {
    const delays = seen.get(origin) ?? [];
    delays.push(delay);
    seen.set(origin, delays);
    const totalDelay = delays.reduce((sum, minutes) => sum + minutes);
    return `{"airport":"${origin}","flights":${delays.length},"totalDelay":${totalDelay},"worstDelay":${delays.reduce((a, b) => Math.max(a, b))}}`;
  });
}

/** The lines of `alerts.jsonl`. */
export function expectedAlerts(flights: readonly Departure[]): string[] {
  const lines: string[] = [];
  const byOrigin = new Map<string, { sums: (number | undefined)[]; delays: number[] }>();
  for (const { origin, delay, date } of flights) {
    const airport = byOrigin.get(origin) ?? { sums: [], delays: [] };
    byOrigin.set(origin, airport);
    airport.delays.push(delay);
    const lastTen = airport.delays.slice(-10);
    const sum = lastTen.length < 10 ? undefined : lastTen.reduce((a, b) => a + b);
    const before = airport.sums.at(-1);
    if (sum !== undefined && sum > 600 && !(before !== undefined && before > 600)) {
      lines.push(`{"airport":"${origin}","date":"${date}","sumOfLast10":${sum}}`);
    }
    airport.sums.push(sum);
  }
  return lines;
}
