import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import { vi } from 'vitest';
import { json, kafkaSink, kafkaSource } from '../../../../connectors/kafka/index.ts';
import type { KafkaSinkOptions } from '../../../../connectors/kafka/sink/options.ts';
import { memorySource } from '../../../../connectors/memory/index.ts';
import { redisStore } from '../../../../connectors/redis/index.ts';
import { from, type JobHandle, type JobSettings, job, paced, start, tokens } from '../../../../lib/index.ts';
import { keyBy, scan, to } from '../../../../operators/index.ts';
import { FailingStore } from '../../../checkpoint/failing-store.ts';
import { keptLog, type LoggedLine } from '../../../contract/source-probe.ts';
import { settledContentOf, settledOffset } from '../harness/settled.ts';
import { byKey } from '../harness/topic-content.ts';
import '../../../../tools/services/kafka/without-timer-warning.ts';

export interface Payment {
  readonly card: string;
  readonly cents: number;
}

export interface Total {
  readonly card: string;
  readonly cents: number;
}

export interface StartOptions {
  /** Where this process finds the brokers, if not where the others do. */
  readonly brokers?: string;
  /** Records a second; as fast as possible when left out. */
  readonly rate?: number;
  /** Whether it ends with the records that are there; default true. */
  readonly isBounded?: boolean;
  /** A start without a checkpoint reads from the first record, and not from where the group has come to. */
  readonly readsAll?: boolean;
  /** Of the sink; `exactly-once` when left out. */
  readonly sink?: Partial<KafkaSinkOptions<Total>>;
  /** Reads the payments from memory instead, under the same name. */
  readonly isFromMemory?: boolean;
  readonly settings?: JobSettings;
}

export interface Process {
  readonly handle: JobHandle;
  readonly store: FailingStore;
  readonly log: LoggedLine[];
}

/** A job from Kafka to Kafka with its state in Redis, in processes that a spec starts and kills: running totals of cards. */
export class TotalsPlace implements AsyncDisposable {
  readonly name = `totals-${randomUUID().slice(0, 8)}`;
  readonly input = `${this.name}-payments`;
  readonly output = `${this.name}-totals`;
  readonly group = `tidemark.${this.name}.main`;
  readonly prefix = `spec:${this.name}`;
  readonly payments: Payment[] = [];
  readonly admin: Admin;
  readonly redis = new Redis(process.env.REDIS_URL as string);
  readonly #store = redisStore({ url: process.env.REDIS_URL as string, prefix: this.prefix });
  readonly #processes: Process[] = [];

  private constructor() {
    this.admin = new Kafka({ brokers: this.brokers.split(','), logLevel: logLevel.NOTHING }).admin();
  }

  static async with(payments: number): Promise<TotalsPlace> {
    const place = new TotalsPlace();
    await place.admin.connect();
    await place.load(payments);
    return place;
  }

  get brokers(): string {
    return process.env.KAFKA_BROKERS as string;
  }

  /** Writes so many more payments, of 7 cards in 4 partitions. */
  async load(count: number): Promise<void> {
    const first = this.payments.length;
    const more = Array.from({ length: count }, (_, i) => ({ card: `card-${(first + i) % 7}`, cents: first + i }));
    this.payments.push(...more);
    const sink = kafkaSink<Payment>({
      topic: this.input,
      value: json(),
      key: ({ card }) => card,
      guarantee: 'at-least-once',
      missingTopics: { partitions: 4 },
      // Read in small pieces, so that a job can be slowed down.
      batchBytes: 1_000,
    });
    const loading = job(`${this.name}-load-${first}`, () => from(memorySource(more)).pipe(to(sink)));
    await start(loading, { store: this.#store, logger: keptLog([]) }).done;
  }

  start({
    brokers,
    rate,
    isBounded = true,
    readsAll = false,
    sink,
    isFromMemory = false,
    settings = {},
  }: StartOptions = {}): Process {
    const log: LoggedLine[] = [];
    const connection = { brokers: brokers ?? this.brokers };
    const totals = job(this.name, () => {
      const source = kafkaSource<Payment>({
        ...connection,
        topic: this.input,
        value: json(),
        ...(rate === undefined ? {} : { maxPartitionBytes: 1_024, maxRequestBytes: 4_096 }),
        ...(isBounded ? { stop: 'latest' as const } : {}),
        ...(readsAll ? { start: 'earliest' as const } : {}),
      });
      const payments = isFromMemory ? from(memorySource(this.payments)) : undefined;
      return (payments ?? from(rate === undefined ? source : paced(source, rate))).pipe(
        keyBy(({ card }) => card),
        scan('total', (total: Total, { card, cents }) => ({ card, cents: total.cents + cents }), {
          card: '',
          cents: 0,
        }),
        to(
          kafkaSink<Total>({
            ...connection,
            topic: this.output,
            value: json(),
            missingTopics: { partitions: 3 },
            ...sink,
          }),
        ),
      );
    });
    const { checkpoint, ...others } = settings;
    const task = this.#store.task({ job: this.name, task: 'main' });
    const store = new FailingStore(task);
    const handle = start(totals, {
      store: this.#store,
      logger: keptLog(log),
      restart: { strategy: 'fixed-delay', attempts: 20, delay: 50 },
      checkpoint: { interval: 100, timeout: '10s', commitTimeout: '2s', ...checkpoint },
      overrides: container => {
        container.registerInstance(tokens.TASK_STORE, store);
      },
      ...others,
    });
    const process = { handle, store, log };
    this.#processes.push(process);
    return process;
  }

  /** From now on nothing that the process asks of its store happens: as good as dead, but its connections stay. */
  kill({ store }: Process): void {
    store.isDead = true;
  }

  /** What a read_committed reader that is not ours sees of all that is decided, the values of each card in order. */
  async visible(brokers = this.brokers): Promise<Map<string, number[]>> {
    const values = byKey(await settledContentOf(brokers, this.output));
    return new Map([...values].map(([card, texts]) => [card, texts.map(text => (JSON.parse(text) as Total).cents)]));
  }

  /** What must be there once everything was processed. */
  expected(payments: readonly Payment[] = this.payments): Map<string, number[]> {
    const totals = new Map<string, number[]>();
    for (const { card, cents } of payments) {
      const before = totals.get(card) ?? [];
      totals.set(card, [...before, (before.at(-1) ?? 0) + cents]);
    }
    return totals;
  }

  async manifests() {
    return this.#store.task({ job: this.name, task: 'main' }).manifests();
  }

  /** The newest confirmed checkpoint. */
  async newest(): Promise<number> {
    return (await this.manifests()).findLast(({ confirmed }) => confirmed)?.manifest.id ?? 0;
  }

  /** The commit record, as Kafka's own tools show it, once no transaction holds it: it is decided before it shows. */
  async record(): Promise<{ offset: number; metadata: string }> {
    await settledOffset(this.brokers, this.group, 'tidemark.commits');
    return this.recordNow();
  }

  /** The commit record that shows now, whatever is under way. */
  async recordNow(): Promise<{ offset: number; metadata: string }> {
    const [found] = await this.admin.fetchOffsets({ groupId: this.group, topics: ['tidemark.commits'] });
    const [partition] = found?.partitions ?? [];
    return { offset: Number(partition?.offset ?? -1), metadata: partition?.metadata ?? '' };
  }

  async emptyRedis(): Promise<void> {
    const keys = await this.redis.keys(`${this.prefix}*`);
    if (keys.length > 0) await this.redis.del(...keys);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#processes.map(({ handle }) => handle.cancel()));
    await this.emptyRedis();
    await this.#store.close();
    this.redis.disconnect();
    await this.admin.disconnect();
  }
}

/** Resolves with the next checkpoint of this process that satisfies. */
export function committed({ handle }: Process, isIt: (id: number) => boolean = () => true): Promise<number> {
  return new Promise((resolve, reject) => {
    handle.checkpoints$.subscribe(({ id, outcome }) => {
      if (outcome === 'committed' && isIt(id)) resolve(id);
    });
    handle.done.then(() => reject(new Error('it has ended before')), reject);
  });
}

/** Resolves once the process is as good as dead. */
export const died = ({ store }: Process): Promise<boolean> =>
  vi.waitUntil(() => store.isDead, { timeout: 20_000, interval: 10 });
