import type { Cluster, Redis } from 'ioredis';
import { type Json, type Key, messageOf, type SinkContext, type SinkWriter } from '../../../lib/index.ts';
import { Connection } from '../connection.ts';
import { durably } from '../durable-write.ts';
import { RedisOutputError } from '../errors.ts';
import { CommandQueue } from './command-queue.ts';
import type { CommandWords } from './encode-command.ts';
import { sinkKeys } from './keys.ts';
import type { SinkSettings } from './options.ts';
import { RecordCommands } from './record-commands.ts';
import { Requirements } from './requirements.ts';

/**
 * Carries out commands as they come, some hundred records at a time. Everything before a barrier is carried out before its
 * checkpoint counts; what came behind it comes again after a crash.
 */
export class AtLeastOnceWriter<T> implements SinkWriter<T> {
  readonly #settings: SinkSettings;
  readonly #context: SinkContext;
  readonly #connection: Connection;
  readonly #queue: CommandQueue<undefined>;
  readonly #commands: RecordCommands;
  /** Between two barriers, as for the other guarantee: so changing it changes no rule. */
  #requirements = new Requirements();
  #held = 0;
  #isClosed = false;

  constructor(settings: SinkSettings, context: SinkContext) {
    this.#settings = settings;
    this.#context = context;
    this.#connection = new Connection(settings.redis, { user: 'sink', scripts: {} });
    this.#commands = new RecordCommands(settings);
    this.#queue = new CommandQueue({
      pack: commands => ({ owner: undefined, send: () => this.#carryOut(commands) }),
      sent: records => this.#release(records),
      failed: error => {
        const fields = { sink: settings.name, reason: messageOf(error) };
        context.logger.warn(fields, 'output could not be written; it is kept and tried again at the next checkpoint');
      },
    });
  }

  restore(): void {}

  write(value: T, timestamp: number, key: Key | undefined): void {
    const commands = this.#commands.of(value, timestamp, key, this.#requirements);
    if (commands.length === 0) return;
    this.#held++;
    this.#context.credits.acquire(1);
    this.#queue.append(commands);
  }

  barrier(): void {
    this.#queue.cut();
    this.#requirements = new Requirements();
  }

  async flush(id: number): Promise<Json> {
    await this.#queue.drain();
    const { job, task } = this.#context;
    const { name, hashTag, redis } = this.#settings;
    const { state } = sinkKeys(redis.prefix, { job, task, name }, hashTag);
    await durably(this.#connection, `write up to checkpoint ${id}`, () =>
      this.#connection.run('write', client => client.hset(state, 'flushed', id)),
    );
    return null;
  }

  commit(): void {}

  abandon(): void {}

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#queue.close();
    await this.#connection.close();
    this.#context.credits.release(this.#held);
    this.#held = 0;
  }

  async #carryOut(commands: readonly CommandWords[]): Promise<void> {
    const failures = await this.#connection.run('write', client => failuresOf(client, commands));
    const first = failures.findIndex(failure => failure !== undefined);
    if (first < 0) return;
    const error = failures[first] as Error;
    const [verb, key] = commands[first] as CommandWords;
    // What does not pass by itself: the key holds something else.
    if (/WRONGTYPE|not an integer|overflow/i.test(error.message)) {
      throw new RedisOutputError(
        `Redis sink "${this.#settings.name}" at ${this.#settings.redis.location}: ${verb} of the key ` +
          `${JSON.stringify(String(key))} failed: ${error.message}. Rename, correct or delete that key, then start the job again.`,
        { context: { sink: this.#settings.name, key: String(key) } },
      );
    }
    await this.#connection.run(`carry out ${verb}`, () => Promise.reject(error));
  }

  #release(records: number): void {
    if (this.#isClosed) return;
    this.#held -= records;
    this.#context.credits.release(records);
  }
}

/** Carries out commands in order; answers the error of each, or `undefined`. */
async function failuresOf(client: Redis | Cluster, commands: readonly CommandWords[]): Promise<(Error | undefined)[]> {
  if ('nodes' in client) {
    // Keys of a pipeline would have to be in one place.
    const answers = await Promise.allSettled(commands.map(([verb, ...words]) => client.call(String(verb), ...words)));
    return answers.map(answer => (answer.status === 'rejected' ? (answer.reason as Error) : undefined));
  }
  const pipeline = client.pipeline();
  for (const [verb, ...words] of commands) pipeline.call(String(verb), ...words);
  const answers = (await pipeline.exec()) ?? [];
  return answers.map(([error]) => error ?? undefined);
}
