import { describe, expect, it } from 'vitest';
import type { RedisCommand } from '../../../../connectors/redis/index.ts';
import { type CommandWords, encodeCommand } from '../../../../connectors/redis/sink/encode-command.ts';
import { Requirements } from '../../../../connectors/redis/sink/requirements.ts';

function encoded(command: RedisCommand): string[] {
  const words: CommandWords[] = [];
  encodeCommand(command, words, new Requirements());
  return words.map(one => one.map(String).join(' '));
}

describe('commands of the Redis sink', () => {
  it.each<[string, RedisCommand]>([
    ['SET k 1.5', { command: 'set', key: 'k', value: 1.5 }],
    ['SET k v PX 120000', { command: 'set', key: 'k', value: 'v', ttl: '2m' }],
    ['SET k hi', { command: 'set', key: 'k', value: Uint8Array.of(104, 105) }],
    ['DEL k', { command: 'delete', key: 'k' }],
    ['INCRBY k 1', { command: 'increment', key: 'k' }],
    ['INCRBY k -1152921504606846976', { command: 'increment', key: 'k', by: -(2n ** 60n) }],
    ['HSET k a 1 b x y', { command: 'hashSet', key: 'k', fields: { a: 1, b: 'x y' } }],
    ['HINCRBY k f 3', { command: 'hashIncrement', key: 'k', field: 'f', by: 3 }],
    ['XADD k * a 1', { command: 'streamAdd', key: 'k', fields: { a: 1 } }],
    ['XADD k MAXLEN = 9 * a 1', { command: 'streamAdd', key: 'k', fields: { a: 1 }, maxLength: 9 }],
    [
      'XADD k MAXLEN ~ 9 * a 1',
      { command: 'streamAdd', key: 'k', fields: { a: 1 }, maxLength: 9, approximately: true },
    ],
    ['RPUSH k 1 a', { command: 'listPush', key: 'k', values: [1, 'a'] }],
    ['LPUSH k a', { command: 'listPush', key: 'k', values: ['a'], end: 'left' }],
    ['ZADD k -0.5 m', { command: 'sortedSetAdd', key: 'k', member: 'm', score: -0.5 }],
    ['ZINCRBY k 1 m', { command: 'sortedSetIncrement', key: 'k', member: 'm' }],
  ])('%s', (expected, command) => {
    expect(encoded(command)).toEqual([expected]);
  });

  it('are cut where Lua could not take so many words, without parting names and values', () => {
    const values = Array.from({ length: 2_500 }, (_, i) => i);
    expect(encoded({ command: 'listPush', key: 'k', values }).map(one => one.split(' ').length)).toEqual([
      1002, 1002, 502,
    ]);
    const fields = Object.fromEntries(values.map(i => [`f${i}`, i]));
    const hashes = encoded({ command: 'hashSet', key: 'k', fields });
    expect(hashes.map(one => one.split(' ')[2])).toEqual(['f0', 'f500', 'f1000', 'f1500', 'f2000']);
    expect(encoded({ command: 'listPush', key: 'k', values: [] })).toEqual([]);
  });

  it.each<[unknown, RegExp]>([
    [{ command: 'set', key: '', value: 1 }, /set: its key is "", not a text/],
    [{ command: 'set', key: 'k', value: { a: 1 } }, /value: an object is neither a text, a number/],
    [{ command: 'set', key: 'k', value: Number.NaN }, /value: NaN is no finite number/],
    [{ command: 'set', key: 'k', value: 1, ttl: 0 }, /ttl: 0 is over at once/],
    [{ command: 'set', key: 'k', value: 1, ttl: 'soon' }, /is not a duration/],
    [{ command: 'increment', key: 'k', by: 0.5 }, /by: 0.5 is no whole number; count in the smallest unit/],
    [{ command: 'hashSet', key: 'k', fields: {} }, /fields: there is none/],
    [{ command: 'hashSet', key: 'k', fields: { a: undefined } }, /field "a": undefined is neither/],
    [{ command: 'hashIncrement', key: 'k', by: 1 }, /its field is undefined, not a text/],
    [{ command: 'streamAdd', key: 'k', fields: { a: 1 }, maxLength: -1 }, /maxLength: -1/],
    [{ command: 'listPush', key: 'k', values: 'abc' }, /values is not a list/],
    [{ command: 'sortedSetAdd', key: 'k', member: 'm', score: Number.POSITIVE_INFINITY }, /score: Infinity/],
    [{ command: 'hset', key: 'k' }, /"hset" is not a command/],
  ])('that are wrong say how: %j', (command, message) => {
    expect(() => encoded(command as RedisCommand)).toThrow(message);
  });

  it('keep the bytes that they were given, whatever becomes of the array', () => {
    const bytes = Uint8Array.of(1, 2, 255);
    const words: CommandWords[] = [];
    encodeCommand({ command: 'set', key: 'k', value: bytes }, words, new Requirements());
    bytes.fill(0);
    expect(words[0]?.[2]).toEqual(Buffer.from([1, 2, 255]));
  });
});
