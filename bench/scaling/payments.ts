import type { Sink } from 'tidemark';
import { json, kafkaSink } from 'tidemark/connectors/kafka';

export interface Payment {
  readonly key: string;
  readonly cents: number;
}

/** Payments into a topic, by key, in the transactions of checkpoints. */
export function paymentsTo(brokers: string, topic: string): Sink<Payment> {
  return kafkaSink<Payment>({ brokers, topic, key: ({ key }) => key, value: json(), guarantee: 'exactly-once' });
}
