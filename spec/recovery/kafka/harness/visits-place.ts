import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Redis } from 'ioredis';
import { expect } from 'vitest';
import { kafkaClient } from '../../../../connectors/kafka/client/kafkajs/kafka-client.ts';
import type { KafkaClient } from '../../../../connectors/kafka/client/port.ts';
import { quiet } from '../../../job/quiet.ts';
import { type Command, type CommandOptions, root, tidemark } from '../../harness/command.ts';
import { passes } from '../../harness/restarts.ts';
import type { Death } from '../../jobs/dies.ts';
import { fillTopic } from './kcat.ts';
import { LedgerReader } from './ledger-reader.ts';
import { expectedLines, type Visit } from './visits.ts';

/** Of each topic, and so of the job. */
export const tasks = 4;

export interface VisitsOptions extends CommandOptions {
  /** Of the job, when it is not that of the place. */
  readonly name?: string;
  /** Parameters of jobs/visits.ts. */
  readonly set?: Readonly<Record<string, string | number | boolean>>;
  /** Settings of the job beyond those of the command line. */
  readonly settings?: object;
  readonly dies?: Death;
  readonly args?: readonly string[];
  /** Where this process finds the brokers and the store, if not where the others do. */
  readonly brokers?: string;
  readonly store?: string;
}

/** Topics for visits and for the answers, and one store: what the processes of the job have in common. */
export class VisitsPlace {
  readonly brokers: string;
  readonly store: string;
  readonly job = `visits-${randomUUID().slice(0, 8)}`;
  readonly input = `${this.job}-in`;
  readonly output = `${this.job}-out`;
  readonly visits: readonly Visit[];
  private loaded = 0;

  private constructor(brokers: string, store: string, visits: readonly Visit[]) {
    this.brokers = brokers;
    this.store = store;
    this.visits = visits;
  }

  static async prepare(brokers: string, store: string, visits: readonly Visit[]): Promise<VisitsPlace> {
    const place = new VisitsPlace(brokers, store, visits);
    await place.withClient(async client => {
      const made = await client.createTopics([place.input, place.output].map(topic => ({ topic, partitions: tasks })));
      for (const { error, topic } of made) expect(error, topic).toBe('NONE');
    });
    return place;
  }

  async withClient<T>(ask: (client: KafkaClient) => Promise<T>): Promise<T> {
    const client = kafkaClient({ brokers: this.brokers }, quiet);
    try {
      return await ask(client);
    } finally {
      await client.close();
    }
  }

  /** Starts a process that shares the tasks. */
  run({ name, set = {}, settings = {}, dies, args = [], brokers, store, ...options }: VisitsOptions = {}): Command {
    const parameters = Object.entries({ input: this.input, output: this.output, ...set });
    return tidemark(
      [
        ...['run', path.join(root, 'spec/recovery/jobs/visits.ts'), '--store', store ?? this.store],
        ...['--tasks', 'per-partition', '--interval', '300ms', ...args],
        ...parameters.flatMap(([name, value]) => ['--set', `${name}=${value}`]),
      ],
      {
        lifetimeMs: 280_000,
        ...options,
        env: {
          ...options.env,
          KAFKA_BROKERS: brokers ?? this.brokers,
          VISITS_NAME: name ?? this.job,
          VISITS_SETTINGS: JSON.stringify({ members: { sessionTimeout: '6s', releaseTimeout: '10s' }, ...settings }),
          VISITS_DEATH: JSON.stringify(dies ?? null),
        },
      },
    );
  }

  /** `tidemark savepoint …` on the store. */
  savepoint(...args: readonly string[]): Command {
    return tidemark(['savepoint', ...args, '--store', this.store]);
  }

  /** What must come out of the visits that are in the topic, once that has ended. */
  get expected(): ReadonlyMap<string, readonly string[]> {
    return expectedLines(this.visits.slice(0, this.loaded));
  }

  /** Follows what becomes visible until the end of the test: always a beginning of what all visits give. */
  follow(): LedgerReader {
    return LedgerReader.follow(this.brokers, this.output, expectedLines(this.visits));
  }

  /** Everything is visible, exactly once, in order per key. */
  async verify(): Promise<void> {
    const { expected } = this;
    const count = [...expected.values()].reduce((sum, lines) => sum + lines.length, 0);
    const { problems, seen } = await LedgerReader.whenVisible(this.brokers, this.output, expected, { count });
    expect(problems).toEqual([]);
    expect(seen).toBe(count);
  }

  /** Also what the sinks into Redis and into files got. */
  async verifyAll(prefix: string, folder: string): Promise<void> {
    await this.verify();
    const wanted = Object.fromEntries([...this.expected].sort());
    const inFiles = Map.groupBy(
      readdirSync(folder).flatMap(file => (file.endsWith('.jsonl') ? linesOf(path.join(folder, file)) : [])),
      ({ key }) => key,
    );
    expect(Object.fromEntries([...inFiles].sort().map(([key, lines]) => [key, lines.map(({ text }) => text)]))).toEqual(
      wanted,
    );
    const redis = new Redis(this.store);
    try {
      const keys = (await redis.keys(`${prefix}:*`)).sort();
      const lists = await Promise.all(
        keys.map(async key => [key.slice(prefix.length + 1), await redis.lrange(key, 0, -1)]),
      );
      expect(Object.fromEntries(lists)).toEqual(wanted);
    } finally {
      redis.disconnect();
    }
  }

  /** Goes on putting visits into the input, so that there is something to do, until this has happened. */
  async loadUntil<T>(happens: Promise<T>): Promise<T> {
    let isOver = false;
    const over = () => {
      isOver = true;
    };
    happens.then(over, over);
    while (!isOver && this.loaded < this.visits.length) await Promise.all([this.load(20), passes(250)]);
    return happens;
  }

  /** Puts the next so many visits into the input, or all that are left, with a producer that is not ours. */
  async load(count = this.visits.length): Promise<void> {
    const visits = this.visits.slice(this.loaded, this.loaded + count);
    this.loaded += visits.length;
    const lines = visits.map(visit => `${visit.user}\t${JSON.stringify(visit)}`);
    await fillTopic(this.brokers, this.input, lines);
  }
}

const linesOf = (file: string): { readonly key: string; readonly text: string }[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line));
