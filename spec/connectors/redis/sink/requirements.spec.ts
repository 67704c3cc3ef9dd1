import { describe, expect, it } from 'vitest';
import { Requirements } from '../../../../connectors/redis/sink/requirements.ts';

function rowsOf(use: (keys: Requirements) => void): string[][] {
  const requirements = new Requirements();
  use(requirements);
  return [...requirements.rows()].map(row => [...row]);
}

// key, type needed before, type afterwards, whether replaced, what is added to the old number, then fields of it.
describe('what commands need of the keys that are there', () => {
  it('is the type of the first command that does not replace the key', () => {
    expect(rowsOf(keys => keys.write('l', 'list'))).toEqual([['l', 'list', 'list', '0', '0']]);
    expect(rowsOf(keys => keys.hashSet('h', 'f', '1'))).toEqual([['h', 'hash', 'hash', '0', '0']]);
  });

  it('is nothing once the key was set or deleted', () => {
    const rows = rowsOf(keys => {
      keys.delete('a');
      keys.write('a', 'zset');
      keys.set('b', 'x');
    });
    expect(rows).toEqual([
      ['a', '', 'zset', '1', '0'],
      ['b', '', 'string', '1', '0'],
    ]);
  });

  it('is a whole number with room for all that is added, in either direction, before the key is replaced', () => {
    const rows = rowsOf(keys => {
      keys.increment('n', 5n);
      keys.increment('n', -7n);
      keys.set('n', '100');
      keys.increment('n', 1n);
    });
    expect(rows).toEqual([['n', 'integer', 'string', '1', '12']]);
  });

  it('is the same for each field that is incremented, and not for those that are set first', () => {
    const rows = rowsOf(keys => {
      keys.hashSet('h', 'set', '1');
      keys.hashIncrement('h', 'set', 1n);
      keys.hashIncrement('h', 'old', 3n);
      keys.delete('h');
      keys.hashIncrement('h', 'old', 1n);
      keys.hashIncrement('h', 'new', 1n);
    });
    expect(rows).toEqual([['h', 'hash', 'hash', '1', '0', 'old', '3']]);
  });
});

describe('commands that contradict one another', () => {
  it.each<[string, (keys: Requirements) => void, RegExp]>([
    [
      'two types of one key',
      keys => {
        keys.write('k', 'list');
        keys.hashSet('k', 'f', '1');
      },
      /key "k" is made a list and used as a hash/,
    ],
    [
      'counting from a text',
      keys => {
        keys.set('k', 'many');
        keys.increment('k', 1n);
      },
      /key "k" was set to a text/,
    ],
    [
      'counting a field from a text',
      keys => {
        keys.hashSet('k', 'f', '1.5');
        keys.hashIncrement('k', 'f', 1n);
      },
      /field "f" of key "k" was set to a text/,
    ],
    [
      'counting from bytes',
      keys => {
        keys.set('k', undefined);
        keys.increment('k', 1n);
      },
      /key "k" was set to a text/,
    ],
    [
      'leaving the range of 64 bits',
      keys => {
        keys.set('k', '9223372036854775807');
        keys.increment('k', 1n);
      },
      /key "k" would leave the range/,
    ],
  ])('%s', (_, use, message) => {
    expect(() => rowsOf(use)).toThrow(message);
  });

  it.each(['007', '+5', '', ' 1', '-0', '9223372036854775808'])('%j is no whole number to Redis', text => {
    const keys = new Requirements();
    keys.set('k', text);
    expect(() => keys.increment('k', 1n)).toThrow('set to a text');
  });

  it('are none when the key is deleted in between', () => {
    expect(
      rowsOf(keys => {
        keys.set('k', 'many');
        keys.delete('k');
        keys.increment('k', 1n);
      }),
    ).toEqual([['k', '', 'string', '1', '0']]);
  });
});
