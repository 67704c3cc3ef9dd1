import { expect, test } from 'vitest';
import { deadLetter, deadLetterHeaders } from '../../../connectors/kafka/dead-letter.ts';
import type { Header, KafkaRecord } from '../../../connectors/kafka/record.ts';
import { BadRecordError } from '../../../lib/index.ts';

const fetched = Buffer.from('key-and-value-and-header');
const poison: KafkaRecord = {
  topic: 'payments',
  partition: 3,
  offset: 41,
  timestamp: 1_700_000_000_123,
  key: fetched.subarray(0, 3),
  value: fetched.subarray(8, 13),
  headers: [
    ['trace', fetched.subarray(18)],
    ['trace', null],
  ],
};
const options = {
  topic: 'payments.dead',
  job: 'card-totals',
  error: new SyntaxError('no JSON'),
  now: 1_800_000_000_000,
};

const texts = (headers: readonly Header[]): (readonly [string, string | null])[] =>
  headers.map(([name, value]) => [name, value && Buffer.from(value).toString()]);

test('a dead letter has key, value and headers of its record, then where it was and what is wrong with it', () => {
  const { headers, ...letter } = deadLetter(poison, options);
  expect(letter).toEqual({
    topic: 'payments.dead',
    timestamp: 1_800_000_000_000,
    key: Buffer.from('key'),
    value: Buffer.from('value'),
  });
  expect(texts(headers)).toEqual([
    ['trace', 'header'],
    ['trace', null],
    ['tidemark.job', 'card-totals'],
    ['tidemark.origin.topic', 'payments'],
    ['tidemark.origin.partition', '3'],
    ['tidemark.origin.offset', '41'],
    ['tidemark.origin.timestamp', '1700000000123'],
    ['tidemark.error.class', 'SyntaxError'],
    ['tidemark.error.message', 'no JSON'],
  ]);
});

test('it does not change with what was fetched', () => {
  const bytes = Buffer.from('abc');
  const letter = deadLetter({ ...poison, key: bytes, value: bytes, headers: [['h', bytes]] }, options);
  bytes.fill(0);
  expect([letter.key, letter.value, letter.headers[0]?.[1]]).toEqual(Array(3).fill(Buffer.from('abc')));
});

test('a record without key and value stays one', () => {
  expect(deadLetter({ ...poison, key: null, value: null }, options)).toMatchObject({ key: null, value: null });
});

test('what a record says that was a dead letter before stays in front of the newer headers', () => {
  const first = deadLetter(poison, options);
  const again = deadLetter({ ...poison, topic: 'payments.dead', headers: first.headers }, options);
  const origins = texts(again.headers).filter(([name]) => name === deadLetterHeaders.topic);
  expect(origins.map(([, topic]) => topic)).toEqual(['payments', 'payments.dead']);
});

test('an error of Tidemark has its code, and what is no error its type', () => {
  const bad = texts(deadLetter(poison, { ...options, error: new BadRecordError('cut off') }).headers);
  expect(bad).toContainEqual(['tidemark.error.class', 'BadRecordError']);
  expect(bad).toContainEqual(['tidemark.error.code', 'BAD_RECORD']);
  const thrown = texts(deadLetter(poison, { ...options, error: 'thrown text' }).headers);
  expect(thrown).toContainEqual(['tidemark.error.class', 'string']);
  expect(thrown).toContainEqual(['tidemark.error.message', 'thrown text']);
});

test('a message at length is cut', () => {
  const { headers } = deadLetter(poison, { ...options, error: new Error('x'.repeat(1_000_000)) });
  expect(texts(headers).at(-1)?.[1]).toHaveLength(4_000);
});
