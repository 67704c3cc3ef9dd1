import { type Key, messageOf, UserCodeError } from '../../../lib/index.ts';
import type { RedisCommand, RedisWriteContext } from './commands.ts';
import { type CommandWords, encodeCommand } from './encode-command.ts';
import { hashTagOf } from './hash-tag.ts';
import type { SinkSettings } from './options.ts';
import type { Requirements } from './requirements.ts';

/** Turns records into commands by the sink's `write`. */
export class RecordCommands {
  readonly #settings: SinkSettings;
  /** One for all records; `write` is done with it when it returns. */
  readonly #context: { key: Key | undefined; timestamp: number; tagged(name: string): string };

  constructor(settings: SinkSettings) {
    this.#settings = settings;
    const { hashTag } = settings;
    const tagged = hashTag === undefined ? (name: string) => name : (name: string) => `{${hashTag}}:${name}`;
    this.#context = { key: undefined, timestamp: Number.NaN, tagged };
  }

  /** What a record is to do in Redis; a record that cannot be written is a `UserCodeError`. */
  of(value: unknown, timestamp: number, key: Key | undefined, requirements: Requirements): CommandWords[] {
    const { write, hashTag } = this.#settings;
    const context = this.#context;
    context.key = key;
    context.timestamp = timestamp;
    const given = write(value, context satisfies RedisWriteContext);
    const words: CommandWords[] = [];
    if (given === undefined || given === null) return words;
    this.guard(() => {
      if (!Array.isArray(given)) this.#add(given as RedisCommand, words, requirements, hashTag);
      else for (const command of given) this.#add(command, words, requirements, hashTag);
    });
    return words;
  }

  /** Runs `work`, whose errors are faults of what `write` answered. */
  guard<R>(work: () => R): R {
    try {
      return work();
    } catch (error) {
      const { name } = this.#settings;
      throw new UserCodeError(`Sink "${name}" cannot write what its "write" answered: ${messageOf(error)}.`, {
        cause: error,
        context: { sink: name },
      });
    }
  }

  #add(command: RedisCommand, words: CommandWords[], requirements: Requirements, hashTag: string | undefined): void {
    if (typeof command !== 'object' || command === null) throw new Error(`${String(command)} is not a command`);
    encodeCommand(command, words, requirements);
    if (hashTag === undefined || hashTagOf(command.key) === hashTag) return;
    throw new Error(
      `the key ${JSON.stringify(command.key)} does not have the hash tag {${hashTag}} of the sink; make it with ` +
        `context.tagged(${JSON.stringify(command.key)})`,
    );
  }
}
