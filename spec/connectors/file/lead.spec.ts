import { expect, test } from 'vitest';
import { leadBytes } from '../../../connectors/file/lead.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

test.each([
  ['a byte order mark is passed over', bytes(0xef, 0xbb, 0xbf, 1), false, 3],
  ['ordinary bytes are not', bytes(0x7b), false, 0],
  ['the beginning of a mark needs more', bytes(0xef, 0xbb), false, undefined],
  ['nothing needs more', bytes(), false, undefined],
  ['the beginning of a mark at the end is none', bytes(0xef, 0xbb), true, 0],
  ['an empty file has none', bytes(), true, 0],
  ['three other bytes are none', bytes(0xef, 1, 2), false, 0],
  ['UTF-16 is named, little endian', bytes(0xff, 0xfe), false, 'UTF-16'],
  ['UTF-16 is named, big endian', bytes(0xfe, 0xff), false, 'UTF-16'],
])('at the beginning of a file %s', (_, given, isEnd, expected) => {
  expect(leadBytes('byte-order-mark', given, isEnd)).toBe(expected);
});

test.each([
  ['LF is its line end', bytes(0x0a, 1), false, 1],
  ['CRLF is its line end', bytes(0x0d, 0x0a), false, 2],
  ['CR alone needs more', bytes(0x0d), false, undefined],
  ['CR at the end of the file is its line end', bytes(0x0d), true, 1],
  ['nothing needs more', bytes(), false, undefined],
  ['the end of the file is no more', bytes(), true, 0],
  ['anything else continues it', bytes(0x61), false, 'continued'],
  ['CR and anything else continue it', bytes(0x0d, 0x61), true, 'continued'],
])('behind a last line without line end %s', (_, given, isEnd, expected) => {
  expect(leadBytes('line-end', given, isEnd)).toBe(expected);
});
