import { actor, from, job, paced, type } from 'tidemark';
import { keyBy, to } from 'tidemark/operators';
import { z } from 'zod';
import { type AirportTotal, type Alert, noticesDelays, totals } from './delays.ts';
import { endsOf, endsParameters } from './ends.ts';

const parameters = endsParameters.extend({
  /** Flights a second; as fast as possible when left out. */
  rate: z.coerce.number().positive().optional(),
});

/** For each airport: its totals after every flight, and an alert when its last ten departures were badly delayed. */
export default job(
  'flight-delays',
  ({ rate, ...which }: z.infer<typeof parameters>) => {
    const { source, airports, alerts } = endsOf(which);
    const flights = from(rate === undefined ? source : paced(source, rate)).pipe(keyBy(flight => flight.origin));
    return [
      flights.pipe(actor('airports', { emits: type<AirportTotal>(), ...totals }), to(airports)),
      flights.pipe(actor('delays', { emits: type<Alert>(), ...noticesDelays }), to(alerts)),
    ];
  },
  { schema: parameters, checkpoint: { interval: '500ms' } },
);
