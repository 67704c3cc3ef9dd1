import { z } from 'zod';

/** What a sensor measured. */
export interface Reading {
  readonly sensor: string;
  readonly celsius: number;
  /** ms since 1970. */
  readonly at: number;
}

/** How far the clock of a sensor may be ahead of ours, in ms. A time far ahead would make all other readings late. */
const maxAhead = 1_000;

const reading = z.strictObject({
  sensor: z.string().regex(/^[\w-]{1,32}$/, { error: 'give 1 to 32 letters, digits, "-" or "_"' }),
  celsius: z.number({ error: 'give a number' }),
  at: z.int({ error: 'give whole ms since 1970' }).min(0, { error: 'give whole ms since 1970' }).optional(),
});

const readings = z.array(reading).max(1_000, { error: 'give at most 1,000 readings' });

/** Readings as they were posted, one or a list; those without a time get `now`. Throws an `Error` that says what is wrong. */
export function parseReadings(posted: unknown, now: number): Reading[] {
  const parsed = readings.safeParse(Array.isArray(posted) ? posted : [posted]);
  if (!parsed.success) throw new Error(z.prettifyError(parsed.error));
  return parsed.data.map(({ sensor, celsius, at = now }) => {
    if (at > now + maxAhead) throw new Error(`The time of a reading of "${sensor}" is ${at - now} ms ahead of ours.`);
    return { sensor, celsius, at };
  });
}
