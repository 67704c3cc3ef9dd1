import type { Format } from './format.ts';
import { utf8Text } from './utf8.ts';

/**
 * Texts in UTF-8, nothing added or taken away (a byte order mark is a character of the text).
 * Bytes that are not UTF-8 are poison; so that nothing is replaced unseen, a lone surrogate cannot be written.
 */
export function string(): Format<string> {
  return stringFormat;
}

const stringFormat: Format<string> = {
  name: 'string',
  deserialize: bytes => bytes && utf8Text(bytes),
  serialize(value) {
    if (value === null) return null;
    if (typeof value !== 'string') throw new Error(`a string is needed, a value of type ${typeof value} was given`);
    if (!value.isWellFormed()) throw new Error('the string has a lone surrogate, which UTF-8 cannot hold');
    return value;
  },
};
