import path from 'node:path';
import type { Sink, Source } from 'tidemark';
import { fileSink } from 'tidemark/connectors/file';
import { json, kafkaSink, kafkaSource } from 'tidemark/connectors/kafka';
import { type GeneratedPayments, generatedPayments } from './generated-payments.ts';
import type { CardTotal, Payment } from './payments.ts';

/** Both ends of the job. */
export interface Ends {
  readonly source: Source<Payment>;
  readonly sink: Sink<CardTotal>;
}

/** No services: generated payments, and a file. */
export function embedded(generator: GeneratedPayments, out: string): Ends {
  return {
    source: generatedPayments(generator),
    sink: fileSink<CardTotal>({ path: path.join(out, 'totals.jsonl') }),
  };
}

/** Topics of the cluster in `KAFKA_BROKERS`, keyed by card. */
export function kafka(
  topics: { readonly payments: string; readonly totals: string },
  until: 'latest' | undefined,
): Ends {
  return {
    source: kafkaSource<Payment>({
      topic: topics.payments,
      value: json<Payment>(),
      start: 'group-offsets',
      ...(until === undefined ? {} : { stop: until }),
    }),
    sink: kafkaSink<CardTotal>({
      topic: topics.totals,
      value: json<CardTotal>(),
      guarantee: 'exactly-once',
      missingTopics: { partitions: 4 },
    }),
  };
}
