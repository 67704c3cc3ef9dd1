import path from 'node:path';
import { actor, from, job, paced, type } from 'tidemark';
import { fileSink, jsonArray } from 'tidemark/connectors/file';
import { keyBy, to } from 'tidemark/operators';
import { z } from 'zod';
import { type AirportTotal, type Alert, type Flight, noticesDelays, totals } from './delays.ts';
import { flightsFile } from './flights-file.ts';

const parameters = z.object({
  /** The flights, in time order: by default 20,000 US departures of early 2001. */
  input: z.string().default(flightsFile),
  /** Folder for `airports.jsonl` and `alerts.jsonl`. */
  out: z.string().default('out/flight-delays'),
  /** Flights a second; as fast as possible when left out. */
  rate: z.coerce.number().positive().optional(),
});

/** For each airport: its totals after every flight, and an alert when its last ten departures were badly delayed. */
export default job(
  'flight-delays',
  ({ input, out, rate }: z.infer<typeof parameters>) => {
    const file = jsonArray<Flight>({ path: input, name: 'flights' });
    const flights = from(rate === undefined ? file : paced(file, rate)).pipe(keyBy(flight => flight.origin));
    return [
      flights.pipe(
        actor('airports', { emits: type<AirportTotal>(), ...totals }),
        to(fileSink<AirportTotal>({ path: path.join(out, 'airports.jsonl') })),
      ),
      flights.pipe(
        actor('delays', { emits: type<Alert>(), ...noticesDelays }),
        to(fileSink<Alert>({ path: path.join(out, 'alerts.jsonl') })),
      ),
    ];
  },
  { schema: parameters, checkpoint: { interval: '500ms' } },
);
