import type { Sink } from '../../lib/index.ts';
import { Connection } from './connection.ts';
import { AtLeastOnceWriter } from './sink/at-least-once.ts';
import { ExactlyOnceWriter } from './sink/exactly-once.ts';
import { type RedisSinkOptions, type SinkSettings, sinkSettings } from './sink/options.ts';
import { packWords } from './sink/pack-words.ts';
import { sinkScripts } from './sink/scripts/index.ts';

/**
 * Writes to Redis: strings, hashes, streams, lists, sorted sets and counters, by commands that `write` makes of each record.
 * With `exactly-once` (default) the commands of a checkpoint are carried out in one step when it is committed, and once.
 * Throws a `SettingsError` that names every problem of the options.
 */
export function redisSink<T>(options: RedisSinkOptions<T>): Sink<T> {
  const settings = sinkSettings(options);
  const { name, guarantee } = settings;
  return {
    kind: 'redis',
    name,
    guarantee,
    check: () => check(settings),
    open: context =>
      guarantee === 'exactly-once'
        ? new ExactlyOnceWriter<T>(settings, context)
        : new AtLeastOnceWriter<T>(settings, context),
  };
}

/** Throws when the server cannot be reached, or does not let a sink do what it must. */
async function check({ redis, name, hashTag, guarantee }: SinkSettings): Promise<void> {
  const connection = new Connection(redis, { user: 'sink', scripts: sinkScripts });
  try {
    if (guarantee === 'at-least-once') {
      await connection.run('answer', client => client.ping());
      return;
    }
    const base = `${redis.prefix}:{${hashTag ?? 'probe'}}:probe`;
    const words = packWords([['sink', name]]);
    await connection.script('try out what a sink does', 'probeSink', [`${base}:state`, `${base}:parts`], words);
  } finally {
    await connection.close();
  }
}
