import { z } from 'zod';
import { SettingsError, settingsFields, settingsProblems } from '../../../lib/index.ts';
import { type RedisStoreOptions, type RedisStoreSettings, redisStoreSettings } from '../options.ts';
import type { RedisCommand, RedisWriteContext } from './commands.ts';

const { choice, functionOf, section, wholeNumber } = settingsFields;

/** What a record becomes: one command, several, or nothing. */
export type RedisWrite<T> = (
  value: T,
  context: RedisWriteContext,
) => RedisCommand | readonly RedisCommand[] | undefined | null;

/** What a Redis sink takes. */
export interface RedisSinkOptions<T> {
  /** Ties what is written to the sink for life; unique in a job. */
  readonly name: string;
  /** The commands of a record; they are carried out in order. */
  readonly write: RedisWrite<T>;
  /** Where Redis is: a URL, or what `redisStore` takes. Default: the environment variable `REDIS_URL`. */
  readonly redis?: string | RedisStoreOptions;
  /** Default `exactly-once`. */
  readonly guarantee?: 'exactly-once' | 'at-least-once';
  /**
   * What stands in the braces of every key that the sink writes, `{payments}:total`; needed on a cluster, so that one step
   * may change all of them. Where it is given it is checked.
   */
  readonly hashTag?: string;
  /**
   * About how many commands one checkpoint may carry out, default 10,000: Redis serves nobody else meanwhile, for 2 to 6 ms
   * with 1,000 of them. Records beyond it hold credits until they are committed: so a checkpoint is taken early once the job's
   * `credits.limit` is reached, and sources pause until then.
   */
  readonly maxCommands?: number;
  /**
   * `refuse` (default): a job does not start over output that is newer or older than its checkpoint, or that an earlier run
   * left where it has none. `keep`: what is there is taken as it is, and written on.
   */
  readonly existing?: 'refuse' | 'keep';
}

const schema = section({
  name: z
    .string({ error: 'a name' })
    .min(1, { error: 'a name that is not empty' })
    .max(100, { error: 'a name of at most 100 characters' }),
  write: functionOf<RedisWrite<unknown>>('a function from a record to its commands'),
  redis: z.custom<string | RedisStoreOptions>().optional(),
  guarantee: choice('exactly-once', 'at-least-once').default('exactly-once'),
  hashTag: z
    .string({ error: 'a text without braces' })
    .regex(/^[^{}]{1,100}$/, { error: '1 to 100 characters without braces' })
    .optional(),
  maxCommands: wholeNumber(1).default(10_000),
  existing: choice('refuse', 'keep').default('refuse'),
});

/** Options of a sink, checked, with every default filled in. */
export interface SinkSettings extends Omit<Readonly<z.output<typeof schema>>, 'redis'> {
  readonly redis: RedisStoreSettings;
}

/** Checks the options of a sink; a `SettingsError` names every problem. */
export function sinkSettings(options: unknown): SinkSettings {
  const named = nameOf(options);
  const what = `The options of the Redis sink${named} are wrong`;
  const parsed = schema.safeParse(options, { reportInput: true });
  if (!parsed.success) throw new SettingsError(what, settingsProblems(parsed.error.issues));
  const where = parsed.data.redis ?? process.env.REDIS_URL;
  if (where === undefined) {
    throw new SettingsError(what, [
      'redis: nothing was given, and REDIS_URL is not set; accepted is a URL or what redisStore takes',
    ]);
  }
  const redis = redisStoreSettings(where, `The connection of the Redis sink${named} is wrong`);
  const { hashTag, guarantee } = parsed.data;
  if (redis.target.kind === 'cluster' && guarantee === 'exactly-once' && hashTag === undefined) {
    throw new SettingsError(what, [
      'hashTag: nothing was given; on a cluster an exactly-once sink needs one, and keys such as {payments}:total that ' +
        'have it: they change in one step, so they must be in one place',
    ]);
  }
  return { ...parsed.data, redis };
}

function nameOf(options: unknown): string {
  const name = (options as { name?: unknown } | null | undefined)?.name;
  return typeof name === 'string' ? ` "${name}"` : '';
}
