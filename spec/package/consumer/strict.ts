// A strict TypeScript project that has installed the package: type-checked as `nodenext` and as `bundler`, then run.
import { map } from 'rxjs';
import { actor, type DataStream, from, type JobHandle, job, side, start, type } from 'tidemark';
import { memorySink, memorySource, memoryStore } from 'tidemark/connectors/memory';
import { type RedisStoreOptions, redisStore } from 'tidemark/connectors/redis';
import { keyBy, scan, to } from 'tidemark/operators';
import { type MarbleHelpers, marbles } from 'tidemark/testing';

interface Payment {
  readonly card: string;
  readonly cents: number;
}

const large = side<Payment>('large');
const sums = memorySink<{ readonly cents: number }>();
const alerts = memorySink<string>({ name: 'alerts' });
const payments: Payment[] = [
  { card: 'a', cents: 7 },
  { card: 'a', cents: 5 },
];

const totals = job('totals', () => {
  const byCard: DataStream<Payment, string> = from(memorySource<Payment>(payments)).pipe(
    keyBy(payment => payment.card),
  );
  const watched = byCard.pipe(
    actor<Payment, number, Payment, string>('watch', {
      emits: type<Payment>(),
      sides: [large],
      initial: card => card.length,
      receive(_state, payment, ctx) {
        if (payment.cents > 6) ctx.side(large, payment);
        ctx.emit(payment);
      },
    }),
  );
  return [
    watched.pipe(
      scan(
        'total',
        (total, payment) => {
          total.cents += payment.cents;
        },
        { cents: 0 },
      ),
      to(sums),
    ),
    watched.side(large).pipe(
      map(payment => `${payment.card}: ${payment.cents}`),
      to(alerts),
    ),
  ];
});

const handle: JobHandle = start(totals, { store: memoryStore(), checkpoint: { interval: '10s', retained: 2 } });
const outcome: 'finished' | 'stopped' | 'cancelled' = await handle.done;
if (outcome !== 'finished' || sums.committed.at(-1)?.cents !== 12 || alerts.committed.join() !== 'a: 7') {
  throw new Error(JSON.stringify([outcome, sums.committed, alerts.committed]));
}

// Declared, not opened.
const options: RedisStoreOptions = { url: 'redis://localhost:6379' };
const open: (options: RedisStoreOptions) => unknown = redisStore;
void [options, open];

marbles(({ job: run, expectElements }: MarbleHelpers) => {
  expectElements(run('-a-|', stream => stream.pipe(keyBy((letter: string) => letter)))).toBe('-a-|');
});

// @ts-expect-error a stateful operator takes its name first
const nameless = (): unknown => scan((total: number) => total, 0);
void nameless;
console.log('used from TypeScript');
