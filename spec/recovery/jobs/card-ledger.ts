// Keeps a ledger of cards from Kafka to Kafka, and dies where a spec asks for it. Run by specs as `tidemark run`.

import { actor, type Duration, from, type JobSettings, job, paced, type TaskStore, tokens, type } from 'tidemark';
import { json, kafkaSink, kafkaSource } from 'tidemark/connectors/kafka';
import { keyBy, to } from 'tidemark/operators';
import { type DependencyContainer, instancePerContainerCachingFactory } from 'tsyringe';
import { z } from 'zod';
import { type Booking, type Entry, lineOf } from '../kafka/harness/ledger.ts';

const parameters = z.strictObject({
  input: z.string(),
  output: z.string(),
  guarantee: z.enum(['none', 'at-least-once', 'exactly-once']).default('exactly-once'),
  /** Ends at the records that are there at the start. */
  isBounded: z.stringbool().default(true),
  /** Records a second; as fast as possible when left out. */
  rate: z.coerce.number().positive().optional(),
  transactionTimeout: z.custom<Duration>().optional(),
});

// What the command line has no option for.
const checkpointSettings = JSON.parse(process.env.LEDGER_CHECKPOINT ?? '{}') as NonNullable<JobSettings['checkpoint']>;

/** What a spec may ask for: a moment at which this process is gone, or a store that fails for a while. */
const faults = z
  .strictObject({
    /** SIGKILL to itself before the n-th call of a step, or after it. */
    dies: z
      .strictObject({
        step: z.enum(['putSegment', 'prepare', 'confirm']),
        call: z.number(),
        when: z.enum(['before', 'after']),
      })
      .optional(),
    /** The calls of `prepare` that fail, as from the first one to the last one, counted from 1. */
    failingPrepares: z.strictObject({ from: z.number(), to: z.number() }).optional(),
  })
  .parse(JSON.parse(process.env.LEDGER_FAULTS ?? '{}'));

function faulty(store: TaskStore): TaskStore {
  const { dies, failingPrepares } = faults;
  const calls: Record<string, number> = {};
  const at = (step: string, when: 'before' | 'after'): void => {
    if (when === 'before') calls[step] = (calls[step] ?? 0) + 1;
    if (dies?.step === step && dies.when === when && dies.call === calls[step]) process.kill(process.pid, 'SIGKILL');
  };
  return new Proxy(store, {
    get(target, name: keyof TaskStore) {
      const method = target[name] as (...args: unknown[]) => unknown;
      if (name !== 'putSegment' && name !== 'prepare' && name !== 'confirm') return method.bind(target);
      return async (...args: unknown[]) => {
        at(name, 'before');
        const call = calls[name] ?? 0;
        if (name === 'prepare' && failingPrepares && call >= failingPrepares.from && call <= failingPrepares.to) {
          throw new Error(`prepare ${call} fails, as it was asked to`);
        }
        const answer = await method.apply(target, args);
        at(name, 'after');
        return answer;
      };
    },
  });
}

export default job(
  // A Kafka keeps the commit record of a job for ever: each spec has a job of its own.
  process.env.LEDGER_NAME ?? 'card-ledger',
  ({ input, output, guarantee, isBounded, rate, transactionTimeout }: z.infer<typeof parameters>) => {
    const source = kafkaSource({ topic: input, value: json<Booking>(), ...(isBounded ? { stop: 'latest' } : {}) });
    const bookings = from(rate === undefined ? source : paced(source, rate));
    // Two actors, so that a checkpoint has two segments at least.
    return bookings.pipe(
      actor('counted', {
        emits: type<Booking>(),
        update: 'return',
        initial: () => 0,
        receive(count, booking: Booking, ctx) {
          ctx.emit(booking);
          return count + 1;
        },
      }),
      keyBy(({ card }) => card),
      actor('ledger', {
        emits: type<Entry>(),
        update: 'return',
        initial: () => ({ bookings: 0, cents: 0 }),
        receive(total, { card, cents }: Booking, ctx) {
          const next = { bookings: total.bookings + 1, cents: total.cents + cents };
          ctx.emit({ card, ...next });
          return next;
        },
      }),
      to(
        kafkaSink<Entry>({
          topic: output,
          key: ({ card }) => card,
          value: { serialize: entry => lineOf(entry) },
          guarantee,
          ...(transactionTimeout === undefined ? {} : { transactionTimeout }),
        }),
      ),
    );
  },
  {
    schema: parameters,
    checkpoint: checkpointSettings,
    overrides(container: DependencyContainer) {
      container.register(tokens.TASK_STORE, {
        useFactory: instancePerContainerCachingFactory(of =>
          faulty(of.resolve(tokens.SNAPSHOT_STORE).task(of.resolve(tokens.TASK_REF))),
        ),
      });
    },
  },
);
