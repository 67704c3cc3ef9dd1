import { randomUUID } from 'node:crypto';
import path from 'node:path';
import type { Manifest } from 'tidemark';
import { redisStore } from 'tidemark/connectors/redis';
import { expect } from 'vitest';
import { kafkaClient } from '../../../../connectors/kafka/client/kafkajs/kafka-client.ts';
import type { Isolation, KafkaClient } from '../../../../connectors/kafka/client/port.ts';
import { TransactionalProducer } from '../../../../connectors/kafka/produce/transactional-producer.ts';
import { quiet } from '../../../job/quiet.ts';
import { settled, settledOffset } from '../../../services/kafka/harness/settled.ts';
import { type Command, type CommandOptions, root, tidemark } from '../../harness/command.ts';
import type { Random } from '../../harness/random.ts';
import { fillTopic } from './kcat.ts';
import { type Booking, bookingsFrom, expectedLines } from './ledger.ts';
import { LedgerReader } from './ledger-reader.ts';

const partitions = 4;

export interface LedgerPlaces {
  /** As clients want it. */
  readonly brokers: string;
  /** Where the job keeps its state. */
  readonly redis: string;
}

export interface LedgerOptions extends CommandOptions {
  /** Records a second; as fast as possible when left out. */
  readonly rate?: number;
  readonly interval?: string;
  /** See `LEDGER_FAULTS` in card-ledger.ts. */
  readonly faults?: object;
  /** Settings of checkpoints. */
  readonly checkpoint?: object;
  /** Further settings of the job: `restart`, `recovery`. */
  readonly settings?: object;
  /** Further parameters, as `key=value`. */
  readonly set?: readonly string[];
  /** Further arguments. */
  readonly args?: readonly string[];
  /** Of the job, and its output, when it is a fork. */
  readonly name?: string;
  readonly output?: string;
  /** Where this process finds the brokers, if not where the others do. */
  readonly brokers?: string;
}

/** Topics of 4 partitions with the bookings in them, and one store: what the ledger's processes have in common. */
export class LedgerPlace {
  readonly brokers: string;
  readonly store: string;
  readonly job: string;
  readonly input: string;
  readonly output: string;
  readonly bookings: readonly Booking[];
  readonly expected: ReadonlyMap<string, readonly string[]>;
  private loaded = 0;

  private constructor({ brokers, redis }: LedgerPlaces, bookings: readonly Booking[]) {
    const id = randomUUID().slice(0, 8);
    this.brokers = brokers;
    this.store = redis;
    this.job = `card-ledger-${id}`;
    this.input = `bookings-${id}`;
    this.output = `ledger-${id}`;
    this.bookings = bookings;
    this.expected = expectedLines(bookings);
  }

  /** Makes the topics, or has them made, with `count` bookings in the first: at once, or the first `loaded` of them. */
  static async prepare(
    places: LedgerPlaces,
    random: Random,
    count: number,
    newTopic?: (topic: string, partitions: number) => Promise<void>,
    loaded = count,
  ): Promise<LedgerPlace> {
    const place = new LedgerPlace(places, bookingsFrom(random, count));
    for (const topic of [place.input, place.output]) {
      if (newTopic) await newTopic(topic, partitions);
      else await place.withClient(client => create(client, topic));
    }
    await place.load(loaded);
    return place;
  }

  /** Asks Kafka something. */
  async withClient<T>(ask: (client: KafkaClient) => Promise<T>): Promise<T> {
    const client = kafkaClient({ brokers: this.brokers }, quiet);
    try {
      return await ask(client);
    } finally {
      await client.close();
    }
  }

  /** Another topic for output; answers its name. */
  async newOutput(): Promise<string> {
    const topic = `ledger-${randomUUID().slice(0, 8)}`;
    await this.withClient(client => create(client, topic));
    return topic;
  }

  /** `tidemark savepoint …` on the store, whose process has ended. */
  async savepoint(...args: readonly string[]): Promise<Command> {
    const command = tidemark(['savepoint', ...args, '--store', this.store]);
    expect(await command.exited, command.output).toEqual({ code: 0, signal: null });
    return command;
  }

  /** The group of the job's commit record. */
  get group(): string {
    return `tidemark.${this.job}.main`;
  }

  /** The checkpoint that the commit record names; -1 when there is none. What is under way counts for nothing yet. */
  async record(): Promise<number> {
    const topic = { topic: 'tidemark.commits', partition: 0 };
    const { partitions } = await this.withClient(async client =>
      (await client.coordinator('group', this.group)).offsetFetch(this.group, [topic], false),
    );
    return partitions[0]?.offset ?? -1;
  }

  /** The checkpoint that the commit record names once no transaction holds it: it is decided before it shows. */
  async decided(): Promise<number> {
    await settledOffset(this.brokers, this.group, 'tidemark.commits');
    return this.record();
  }

  /** Where each partition of the output ends. */
  async ends(isolation: Isolation): Promise<readonly number[]> {
    return this.withClient(client =>
      Promise.all(
        Array.from({ length: partitions }, async (_, partition) => {
          const of = { topic: this.output, partition };
          const [end] = (await (await client.leader(of))?.listOffsets([{ ...of, at: 'latest' }], isolation)) ?? [];
          return end?.offset ?? -1;
        }),
      ),
    );
  }

  /**
   * Waits for, or aborts, the transaction that a killed process left, as the next start does: afterwards, a marker no more
   * moves the ends of partitions.
   */
  async settle(): Promise<void> {
    await this.withClient(async client => {
      const producer = new TransactionalProducer(client, {}, { failed: () => {} });
      await producer.init(this.group, 60_000);
      producer.close();
    });
  }

  /** Puts the next so many bookings into the input, with a producer that is not ours. */
  async load(count: number): Promise<void> {
    const bookings = this.bookings.slice(this.loaded, this.loaded + count);
    this.loaded += count;
    const lines = bookings.map(booking => `${booking.card}\t${JSON.stringify(booking)}`);
    await fillTopic(this.brokers, this.input, lines, ['batch.num.messages=50']);
  }

  /** Starts a process. */
  run({
    rate,
    interval = '500ms',
    faults = {},
    checkpoint = {},
    settings = {},
    set = [],
    args = [],
    brokers,
    name = this.job,
    output = this.output,
    ...options
  }: LedgerOptions = {}): Command {
    const parameters = [
      `input=${this.input}`,
      `output=${output}`,
      ...(rate === undefined ? [] : [`rate=${rate}`]),
      ...set,
    ];
    const job = path.join(root, 'spec/recovery/jobs/card-ledger.ts');
    return tidemark(
      ['run', job, '--store', this.store, '--interval', interval, ...args].concat(
        parameters.flatMap(one => ['--set', one]),
      ),
      {
        lifetimeMs: 120_000,
        ...options,
        env: {
          ...options.env,
          KAFKA_BROKERS: brokers ?? this.brokers,
          LEDGER_NAME: name,
          LEDGER_CHECKPOINT: JSON.stringify(checkpoint),
          LEDGER_SETTINGS: JSON.stringify(settings),
          LEDGER_FAULTS: JSON.stringify(faults),
        },
      },
    );
  }

  /** Follows what becomes visible until the end of the test. */
  follow(): LedgerReader {
    return LedgerReader.follow(this.brokers, this.output, this.expected);
  }

  /** The newest confirmed checkpoint, as the store has it now. */
  async confirmed(): Promise<Manifest | undefined> {
    const store = redisStore(this.store);
    try {
      const stored = await store.task({ job: this.job, task: 'main' }).manifests();
      return stored.findLast(({ confirmed }) => confirmed)?.manifest;
    } finally {
      await store.close();
    }
  }

  /** Runs the job to its end; everything must be there, exactly once, in order. */
  async finish(options: LedgerOptions = {}): Promise<Command> {
    const command = this.run(options);
    expect(await command.exited, command.output).toEqual({ code: 0, signal: null });
    await this.verify();
    return command;
  }

  /** Everything is visible, exactly once, in order per card. */
  async verify(): Promise<void> {
    const { problems, seen } = await LedgerReader.whenVisible(this.brokers, this.output, this.expected, {
      count: this.bookings.length,
    });
    expect(problems).toEqual([]);
    expect(seen).toBe(this.bookings.length);
    await this.verifyNothingIsOpen();
  }

  /** No transaction is left open. */
  verifyNothingIsOpen(): Promise<void> {
    return settled(this.brokers, this.output);
  }
}

async function create(client: KafkaClient, topic: string): Promise<void> {
  const [made] = await client.createTopics([{ topic, partitions }]);
  expect(made?.error, topic).toBe('NONE');
}
