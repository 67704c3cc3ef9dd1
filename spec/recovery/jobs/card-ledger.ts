// Keeps a ledger of cards from Kafka to Kafka, and dies where a spec asks for it. Run by specs as `tidemark run`.

import { writeSync } from 'node:fs';
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
  /** 2: the ledger's state has another form, one actor is new, one is gone; what comes out is the same. */
  version: z.coerce.number().default(1),
  transactionTimeout: z.custom<Duration>().optional(),
  connectTimeout: z.custom<Duration>().optional(),
  /** How often it is looked for new partitions. */
  discovery: z.custom<Duration | 'off'>().optional(),
  onMissingOffset: z.enum(['fail', 'earliest', 'latest']).optional(),
});

/** Bookings and cents, in version 2. */
type Total = readonly [number, number];

// What the command line has no option for.
const checkpointSettings = JSON.parse(process.env.LEDGER_CHECKPOINT ?? '{}') as NonNullable<JobSettings['checkpoint']>;
const moreSettings = JSON.parse(process.env.LEDGER_SETTINGS ?? '{}') as Pick<JobSettings, 'restart' | 'recovery'>;

/** What a spec may ask for: a moment at which this process is gone, or a store that fails for a while. */
const faults = z
  .strictObject({
    /** SIGKILL to itself before the n-th call of a step, or after it; or SIGSTOP, after it has said "stopped here". */
    dies: z
      .strictObject({
        step: z.enum(['putSegment', 'prepare', 'confirm']),
        call: z.number(),
        when: z.enum(['before', 'after']),
        by: z.enum(['SIGKILL', 'SIGSTOP']).default('SIGKILL'),
      })
      .optional(),
    /** The calls of `prepare` that fail, as from the first one to the last one, counted from 1 over the life of the process. */
    failingPrepares: z.strictObject({ from: z.number(), to: z.number() }).optional(),
  })
  .parse(JSON.parse(process.env.LEDGER_FAULTS ?? '{}'));

const calls: Record<string, number> = {};

function faulty(store: TaskStore): TaskStore {
  const { dies, failingPrepares } = faults;
  const at = (step: string, when: 'before' | 'after'): void => {
    if (when === 'before') calls[step] = (calls[step] ?? 0) + 1;
    if (dies?.step !== step || dies.when !== when || dies.call !== calls[step]) return;
    if (dies.by === 'SIGSTOP') writeSync(2, 'stopped here\n');
    process.kill(process.pid, dies.by);
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
  ({
    input,
    output,
    guarantee,
    isBounded,
    rate,
    version,
    transactionTimeout,
    ...given
  }: z.infer<typeof parameters>) => {
    const { connectTimeout, discovery, onMissingOffset } = given;
    const connection = connectTimeout === undefined ? {} : { connectTimeout };
    const source = kafkaSource({
      ...connection,
      topic: input,
      value: json<Booking>(),
      ...(isBounded ? { stop: 'latest' } : {}),
      ...(discovery === undefined ? {} : { discovery }),
      // A little of each partition in turn, so that a transaction has output in all of them.
      ...(rate === undefined ? {} : { maxPartitionBytes: 4_096, maxRequestBytes: 16_384, maxBufferedBytes: 32_768 }),
      ...(onMissingOffset === undefined ? {} : { onMissingOffset }),
    });
    const bookings = from(rate === undefined ? source : paced(source, rate));
    const entryOf = (card: string, [bookings, cents]: Total): Entry => ({ card, bookings, cents });
    const written = to(
      kafkaSink<Entry>({
        ...connection,
        topic: output,
        key: ({ card }) => card,
        value: { serialize: entry => lineOf(entry) },
        guarantee,
        ...(transactionTimeout === undefined ? {} : { transactionTimeout }),
      }),
    );
    if (version === 2) {
      // Another form of the state, an actor that is new and one that is gone: the same output.
      return bookings.pipe(
        keyBy(({ card }) => card),
        actor('largest', {
          emits: type<Booking>(),
          update: 'return',
          initial: () => 0,
          receive(largest, booking: Booking, ctx) {
            ctx.emit(booking);
            return Math.max(largest, booking.cents);
          },
        }),
        actor('ledger', {
          emits: type<Entry>(),
          update: 'return',
          version: 2,
          migrate: { 1: old => [(old as Entry).bookings, (old as Entry).cents] as const },
          initial: (): Total => [0, 0],
          receive(total, { card, cents }: Booking, ctx) {
            const next: Total = [total[0] + 1, total[1] + cents];
            ctx.emit(entryOf(card, next));
            return next;
          },
        }),
        written,
      );
    }
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
      written,
    );
  },
  {
    schema: parameters,
    checkpoint: checkpointSettings,
    ...moreSettings,
    overrides(container: DependencyContainer) {
      container.register(tokens.TASK_STORE, {
        useFactory: instancePerContainerCachingFactory(of =>
          faulty(of.resolve(tokens.SNAPSHOT_STORE).task(of.resolve(tokens.TASK_REF))),
        ),
      });
    },
  },
);
