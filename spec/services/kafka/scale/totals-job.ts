// What each card has spent so far, from Kafka to Kafka, exactly once: under a name of its own in each run of the specs.
import { filter, map } from 'rxjs';
import { json, kafkaSink, kafkaSource } from '../../../../connectors/kafka/index.ts';
import { from, job, paced } from '../../../../lib/index.ts';
import { keyBy, scan, to } from '../../../../operators/index.ts';
import type { CardTotal, Payment } from '../../../../samples/card-totals/payments.ts';

const { JOB = '', TOPIC = '' } = process.env;

export default job<{ readonly rate?: string }>(
  JOB,
  ({ rate }) => {
    const payments = kafkaSource<Payment>({ topic: TOPIC, value: json(), start: 'earliest', stop: 'latest' });
    return from(rate === undefined ? payments : paced(payments, Number(rate))).pipe(
      filter(({ cents }: Payment) => cents > 0),
      keyBy(({ card }) => card),
      scan(
        'total',
        (total: CardTotal, { card, cents }: Payment) => ({
          card,
          payments: total.payments + 1,
          cents: total.cents + cents,
        }),
        { card: '', payments: 0, cents: 0 },
      ),
      map(({ card, payments, cents }) => ({ card, payments, cents })),
      to(
        kafkaSink<CardTotal>({
          topic: `${TOPIC}-totals`,
          value: json(),
          guarantee: 'exactly-once',
          missingTopics: { partitions: 4 },
        }),
      ),
    );
  },
  { restart: { strategy: 'fixed-delay', attempts: 5, delay: '100ms' }, checkpoint: { interval: '200ms' } },
);
