import { json, kafkaSink, kafkaSource } from 'tidemark/connectors/kafka';
import type { AirportTotal, Alert, Flight } from './delays.ts';
import type { Ends } from './ends.ts';

export interface KafkaTopics {
  /** Read. */
  readonly flights: string;
  /** Written. */
  readonly airports: string;
  readonly alerts: string;
  /** Where reading ends; never when left out. */
  readonly until?: 'latest' | undefined;
}

/** As many as `npm run load:flights` gives the topic that is read. */
const missingTopics = { partitions: 4 };

/** Topics of the cluster in `KAFKA_BROKERS`. Output is keyed by airport, as the streams are. */
export function kafkaEnds({ flights, airports, alerts, until }: KafkaTopics): Ends {
  return {
    source: kafkaSource<Flight>({
      topic: flights,
      value: json<Flight>(),
      start: 'earliest',
      ...(until === undefined ? {} : { stop: until }),
    }),
    airports: kafkaSink<AirportTotal>({
      topic: airports,
      value: json<AirportTotal>(),
      guarantee: 'exactly-once',
      missingTopics,
    }),
    alerts: kafkaSink<Alert>({ topic: alerts, value: json<Alert>(), guarantee: 'exactly-once', missingTopics }),
  };
}
