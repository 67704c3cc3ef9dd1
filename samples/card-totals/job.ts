import { filter } from 'rxjs';
import { from, job, paced } from 'tidemark';
import { keyBy, scan, to } from 'tidemark/operators';
import { z } from 'zod';
import { embedded, kafka } from './connectors.ts';
import type { CardTotal, Payment } from './payments.ts';

const parameters = z.object({
  /** `embedded`: generated payments and a file. `kafka`: topics of the cluster in `KAFKA_BROKERS`. */
  connectors: z.enum(['embedded', 'kafka']).default('embedded'),
  /** Embedded: how many payments, and which ones. */
  payments: z.coerce.number().int().min(0).default(100_000),
  seed: z.coerce.number().int().default(1),
  /** Embedded: folder for `totals.jsonl`. */
  out: z.string().default('out/card-totals'),
  /** Kafka: the topic that is read, and the one that is written. */
  topic: z.string().default('payments'),
  totals: z.string().default('totals'),
  /** Kafka: `latest` ends the job at the offsets that are latest at this start; it goes on for ever when left out. */
  until: z.literal('latest').optional(),
  /** Payments a second; as fast as possible when left out. */
  rate: z.coerce.number().positive().optional(),
});

/** For each card: what it has spent so far, after every payment. */
export default job(
  'card-totals',
  ({ connectors, payments, seed, out, topic, totals, until, rate }: z.infer<typeof parameters>) => {
    const { source, sink } =
      connectors === 'kafka' ? kafka({ payments: topic, totals }, until) : embedded({ seed, payments }, out);
    return from(rate === undefined ? source : paced(source, rate)).pipe(
      filter((payment: Payment) => payment.cents > 0), // plain RxJS
      keyBy(payment => payment.card),
      scan(
        'total',
        (total, payment) => {
          total.card = payment.card;
          total.payments++;
          total.cents += payment.cents;
        },
        { card: '', payments: 0, cents: 0 },
      ), // an Immer draft, checkpointed
      to<CardTotal>(sink),
    );
  },
  { schema: parameters, checkpoint: { interval: '500ms' } },
);
