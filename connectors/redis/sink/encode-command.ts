import { toMs } from '../../../lib/index.ts';
import type { RedisCommand, RedisValue } from './commands.ts';
import type { Requirements } from './requirements.ts';

/** A command as Redis takes it: its name, its key, and what follows. */
export type CommandWords = readonly (string | Buffer)[];

/** Lua takes some thousand words a call. */
const mostWords = 1_000;

/**
 * Adds what Redis is to do to `into`, and what that needs of the keys to `requirements`. Throws an `Error` that says what is
 * wrong with the command.
 */
export function encodeCommand(command: RedisCommand, into: CommandWords[], requirements: Requirements): void {
  const { key } = command;
  if (typeof key !== 'string' || key === '')
    throw new Error(`${command.command}: its key is ${shown(key)}, not a text`);
  switch (command.command) {
    case 'set': {
      const value = word(command.value, 'value');
      requirements.set(key, typeof value === 'string' ? value : undefined);
      into.push(command.ttl === undefined ? ['SET', key, value] : ['SET', key, value, 'PX', ttlOf(command.ttl)]);
      return;
    }
    case 'delete':
      requirements.delete(key);
      into.push(['DEL', key]);
      return;
    case 'increment': {
      const by = whole(command.by);
      requirements.increment(key, by);
      into.push(['INCRBY', key, String(by)]);
      return;
    }
    case 'hashSet': {
      const words = fieldsOf(command.fields);
      for (let at = 0; at < words.length; at += 2) {
        const value = words[at + 1];
        requirements.hashSet(key, words[at] as string, typeof value === 'string' ? value : undefined);
      }
      for (const some of inPieces(words)) into.push(['HSET', key, ...some]);
      return;
    }
    case 'hashIncrement': {
      const by = whole(command.by);
      const { field } = command;
      if (typeof field !== 'string') throw new Error(`hashIncrement: its field is ${shown(field)}, not a text`);
      requirements.hashIncrement(key, field, by);
      into.push(['HINCRBY', key, field, String(by)]);
      return;
    }
    case 'streamAdd': {
      const words = fieldsOf(command.fields);
      if (words.length > mostWords) throw new Error(`streamAdd: more than ${mostWords / 2} fields`);
      requirements.write(key, 'stream');
      into.push(['XADD', key, ...lengthLimit(command.maxLength, command.approximately), '*', ...words]);
      return;
    }
    case 'listPush': {
      if (!Array.isArray(command.values)) throw new Error('listPush: values is not a list');
      const words = command.values.map(value => word(value, 'values'));
      if (words.length === 0) return;
      requirements.write(key, 'list');
      for (const some of inPieces(words)) into.push([command.end === 'left' ? 'LPUSH' : 'RPUSH', key, ...some]);
      return;
    }
    case 'sortedSetAdd':
      requirements.write(key, 'zset');
      into.push(['ZADD', key, finite(command.score, 'score'), word(command.member, 'member')]);
      return;
    case 'sortedSetIncrement':
      requirements.write(key, 'zset');
      into.push(['ZINCRBY', key, finite(command.by ?? 1, 'by'), word(command.member, 'member')]);
      return;
    default:
      throw new Error(`${shown((command as { command?: unknown }).command)} is not a command of the Redis sink`);
  }
}

function word(value: RedisValue, what: string): string | Buffer {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return finite(value, what);
  if (typeof value === 'bigint') return String(value);
  // A copy: the command waits, and the bytes may be used again.
  if (value instanceof Uint8Array) return Buffer.from(value);
  throw new Error(`${what}: ${shown(value)} is neither a text, a number, a bigint nor bytes (Uint8Array)`);
}

function fieldsOf(fields: Readonly<Record<string, RedisValue>>): (string | Buffer)[] {
  const words: (string | Buffer)[] = [];
  for (const name of Object.keys(fields ?? {})) words.push(name, word(fields[name] as RedisValue, `field "${name}"`));
  if (words.length === 0) throw new Error('fields: there is none');
  return words;
}

function lengthLimit(maxLength: number | undefined, approximately = false): string[] {
  if (maxLength === undefined) return [];
  if (!Number.isSafeInteger(maxLength) || maxLength < 0) throw new Error(`maxLength: ${shown(maxLength)} is no length`);
  return ['MAXLEN', approximately ? '~' : '=', String(maxLength)];
}

function whole(by: number | bigint = 1): bigint {
  if (typeof by === 'bigint' || Number.isSafeInteger(by)) return BigInt(by);
  throw new Error(`by: ${shown(by)} is no whole number; count in the smallest unit, such as cents`);
}

function finite(value: number, what: string): string {
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  throw new Error(`${what}: ${shown(value)} is no finite number`);
}

function ttlOf(ttl: Parameters<typeof toMs>[0]): string {
  const ms = Math.round(toMs(ttl));
  if (ms < 1) throw new Error(`ttl: ${shown(ttl)} is over at once; use "delete"`);
  return String(ms);
}

/** So many words that names and values stay together. */
function* inPieces<T>(words: readonly T[]): Iterable<readonly T[]> {
  for (let at = 0; at < words.length; at += mostWords) yield words.slice(at, at + mostWords);
}

const shown = (value: unknown): string =>
  typeof value === 'string'
    ? JSON.stringify(value)
    : value === null
      ? 'null'
      : typeof value === 'object'
        ? 'an object'
        : String(value);
