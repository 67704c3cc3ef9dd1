import { createRequire } from 'node:module';
import path from 'node:path';
import type { Sink, Source } from 'tidemark';
import { fileSink, jsonArray } from 'tidemark/connectors/file';
import { z } from 'zod';
import type { AirportTotal, Alert, Flight } from './delays.ts';
import { flightsFile } from './flights-file.ts';

export const endsParameters = z.object({
  /** `embedded`: files. `kafka`: topics of the cluster in `KAFKA_BROKERS`. */
  connectors: z.enum(['embedded', 'kafka']).default('embedded'),
  /** Embedded: the flights, in time order; by default 20,000 US departures of early 2001. */
  input: z.string().default(flightsFile),
  /** Embedded: folder for `airports.jsonl` and `alerts.jsonl`. */
  out: z.string().default('out/flight-delays'),
  /** Kafka: the topic that is read, and those that are written. */
  flights: z.string().default('flights'),
  airports: z.string().default('airports'),
  alerts: z.string().default('alerts'),
  /** Kafka: `latest` ends the job at the offsets that are latest at this start; it goes on for ever when left out. */
  until: z.literal('latest').optional(),
});

/** What the job reads and writes. */
export interface Ends {
  readonly source: Source<Flight>;
  readonly airports: Sink<AirportTotal>;
  readonly alerts: Sink<Alert>;
}

export function endsOf(parameters: z.infer<typeof endsParameters>): Ends {
  return parameters.connectors === 'kafka' ? onKafka(parameters) : embedded(parameters);
}

/** No services: a file in, two files out. */
const embedded = ({ input, out }: z.infer<typeof endsParameters>): Ends => ({
  source: jsonArray<Flight>({ path: input, name: 'flights' }),
  airports: fileSink<AirportTotal>({ path: path.join(out, 'airports.jsonl') }),
  alerts: fileSink<Alert>({ path: path.join(out, 'alerts.jsonl') }),
});

/** Loaded when it is asked for: Kafka's client takes a tenth of a second that the embedded run does not need. */
function onKafka(parameters: z.infer<typeof endsParameters>): Ends {
  const require = createRequire(import.meta.url);
  const { kafkaEnds } = require('./kafka-ends.ts') as typeof import('./kafka-ends.ts');
  return kafkaEnds(parameters);
}
