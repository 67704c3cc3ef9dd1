// What `npm run load:payments` runs: fills the topic with generated payments, keyed by card. Each run adds as many again.
//   npm run load:payments -- --payments 100000 --seed 1 --topic payments
import { parseArgs } from 'node:util';
import { from, job } from 'tidemark';
import { json, kafkaSink } from 'tidemark/connectors/kafka';
import { keyBy, to } from 'tidemark/operators';
import { load } from '../loading.ts';
import { generatedPayments } from './generated-payments.ts';
import type { Payment } from './payments.ts';

const { values } = parseArgs({
  options: {
    payments: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    topic: { type: 'string', default: 'payments' },
  },
});
const [payments, seed] = [Number(values.payments), Number(values.seed)];
if (!Number.isSafeInteger(payments) || payments < 0 || !Number.isSafeInteger(seed)) {
  console.error('--payments and --seed take whole numbers.');
  process.exit(2);
}

const filling = job('load-payments', () =>
  from(generatedPayments({ payments, seed })).pipe(
    keyBy(payment => payment.card),
    to(
      kafkaSink<Payment>({
        topic: values.topic,
        value: json<Payment>(),
        guarantee: 'at-least-once',
        missingTopics: { partitions: 4 },
      }),
    ),
  ),
);

await load(filling, `${payments.toLocaleString('en')} payments in topic "${values.topic}"`);
