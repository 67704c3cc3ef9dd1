// What `npm run load:payments` runs: fills the topic with generated payments, keyed by card. Each run adds as many again.
//   npm run load:payments -- --payments 100000 --seed 1 --topic payments
import { parseArgs } from 'node:util';
import { from, job, type Logger, memoryStore, start } from 'tidemark';
import { json, kafkaSink } from 'tidemark/connectors/kafka';
import { keyBy, to } from 'tidemark/operators';
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

const load = job('load-payments', () =>
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

/** Only what went wrong: the rest is said below. */
const logger: Logger = {
  debug() {},
  info() {},
  warn: (_, message) => console.error(message),
  error: (_, message) => console.error(message),
  child: () => logger,
};

const startedAt = performance.now();
const store = memoryStore();
try {
  await start(load, { store, logger, restart: { strategy: 'none' } }).done;
  const seconds = (performance.now() - startedAt) / 1_000;
  console.log(`${payments.toLocaleString('en')} payments in topic "${values.topic}", in ${seconds.toFixed(1)} s`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await store.close();
}
