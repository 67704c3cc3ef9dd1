import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { bytes } from '../../../../connectors/kafka/format/bytes.ts';
import { custom } from '../../../../connectors/kafka/format/custom.ts';
import { isPoison } from '../../../../connectors/kafka/format/deserializer.ts';
import { json } from '../../../../connectors/kafka/format/json.ts';
import { string } from '../../../../connectors/kafka/format/string.ts';
import { BadRecordError, ExternalError, JobDefinitionError, SettingsError } from '../../../../lib/index.ts';
import { anyRecord } from './record-view.ts';

const notUtf8 = Buffer.from([0x22, 0x61, 0xff, 0x22]);

function errorOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('string', () => {
  test.each(['', 'SFO', 'ключ 🦆', '\uFEFFmark', 'meant: \uFFFD', 'zero\0'])('brings back %j', text => {
    const written = string().serialize(text, 'topic', 'value');
    expect(string().deserialize(Buffer.from(written as string), anyRecord)).toBe(text);
  });

  test('bytes that are not UTF-8 are poison, and nothing is replaced', () => {
    const error = errorOf(() => string().deserialize(notUtf8, anyRecord));
    expect(isPoison(error)).toBe(true);
    expect(error).toMatchObject({ message: 'it is not UTF-8' });
  });

  test('a lone surrogate and what is no string cannot be written', () => {
    expect(() => string().serialize('a\ud800', 'topic', 'value')).toThrow('lone surrogate');
    expect(() => string().serialize(5 as unknown as string, 'topic', 'value')).toThrow(
      'a string is needed, a value of type number was given',
    );
  });

  test('a record without value is passed over, and written for null', () => {
    expect(string().deserialize(null, anyRecord)).toBeNull();
    expect(string().serialize(null as unknown as string, 'topic', 'value')).toBeNull();
  });
});

describe('bytes', () => {
  const fetched = Buffer.from('abcdef');

  test('are a view of what was fetched', () => {
    const value = bytes().deserialize(fetched.subarray(1, 3), anyRecord);
    expect(value?.buffer).toBe(fetched.buffer);
    expect(value?.toString()).toBe('bc');
  });

  test('are a copy where that was asked for', () => {
    const own = Buffer.from('abcdef');
    const value = bytes({ copy: true }).deserialize(own.subarray(1, 3), anyRecord);
    own.fill(0);
    expect(value?.toString()).toBe('bc');
  });

  test('are written as they are, whatever view of bytes they are', () => {
    const value = new Uint8Array([1, 2]);
    expect(bytes().serialize(value, 'topic', 'value')).toBe(value);
    expect(() => bytes().serialize('text' as unknown as Uint8Array, 'topic', 'value')).toThrow(
      'a Uint8Array is needed, a value of type string was given',
    );
  });

  test('a record without value is passed over, one without bytes is not', () => {
    expect(bytes().deserialize(null, anyRecord)).toBeNull();
    expect(bytes().deserialize(Buffer.alloc(0), anyRecord)).toEqual(Buffer.alloc(0));
    expect(bytes({ copy: true }).deserialize(null, anyRecord)).toBeNull();
  });
});

describe('json', () => {
  const parse = (text: string) => json().deserialize(Buffer.from(text), anyRecord);

  test('brings back what JSON can hold', () => {
    const value = { card: 'ключ', cents: [1, 2.5, null], nested: { ok: true } };
    expect(parse(json().serialize(value, 'topic', 'value') as string)).toEqual(value);
  });

  test.each(['', '{', 'nul', '\uFEFF{}', '{}{}'])('%j is poison', text => {
    const error = errorOf(() => parse(text));
    expect(error).toBeInstanceOf(SyntaxError);
    expect(isPoison(error)).toBe(true);
  });

  test('bytes that are not UTF-8 are poison, and nothing is replaced', () => {
    expect(() => json().deserialize(notUtf8, anyRecord)).toThrow('it is not UTF-8');
  });

  test('the JSON value null and a record without value are passed over', () => {
    expect(parse('null')).toBeNull();
    expect(json().deserialize(null, anyRecord)).toBeNull();
    expect(json({ schema: z.object({}) }).deserialize(null, anyRecord)).toBeNull();
  });

  test('null is written as a record without value; what JSON has nothing for is refused', () => {
    expect(json().serialize(null, 'topic', 'value')).toBeNull();
    expect(() => json().serialize(undefined, 'topic', 'value')).toThrow(
      'JSON has nothing for a value of type undefined',
    );
    expect(() => json().serialize({ cents: 1n }, 'topic', 'value')).toThrow('BigInt');
  });

  test('a schema validates and changes what is read', () => {
    const schema = z.object({ cents: z.number(), at: z.coerce.date() });
    const value: { cents: number; at: Date } | null | undefined = json({ schema }).deserialize(
      Buffer.from('{"cents":5,"at":"2026-01-02","more":1}'),
      anyRecord,
    );
    expect(value).toEqual({ cents: 5, at: new Date('2026-01-02') });
  });

  test('what does not validate is poison that names every issue', () => {
    const schema = z.object({ cents: z.number(), card: z.object({ id: z.string() }) });
    const error = errorOf(() => json({ schema }).deserialize(Buffer.from('{"cents":"5","card":{}}'), anyRecord));
    expect(isPoison(error)).toBe(true);
    expect(String(error)).toMatch(/cents: .*number.*; card\.id: .*string/);
  });

  test('a schema that answers later is no poison but the fault of the job', () => {
    const schema = z.number().refine(async () => false);
    const error = errorOf(() => json({ schema }).deserialize(Buffer.from('1'), anyRecord));
    expect(isPoison(error)).toBe(false);
    expect(error).toBeInstanceOf(JobDefinitionError);
    expect(String(error)).toMatch(/answers asynchronously: give one that answers at once/);
  });

  test('an option that is none, and a schema that is none, are refused', () => {
    const wrong = { schema: {}, shema: z.string() } as unknown as { schema: z.ZodType };
    const error = errorOf(() => json(wrong));
    expect(error).toBeInstanceOf(SettingsError);
    expect(String(error)).toMatch(/schema: .*Standard Schema/);
    expect(String(error)).toMatch(/"shema" is not a setting here; did you mean "schema"/);
  });
});

describe('custom', () => {
  const upper = custom<string>({
    deserialize: (bytes, { topic, offset }) => (bytes === null ? `${topic}@${offset}` : bytes.toString().toUpperCase()),
    serialize: (value, topic, part) => `${topic}/${part}: ${value}`,
  });

  test("reads and writes with the user's functions, which see records without value", () => {
    expect(upper.deserialize(Buffer.from('abc'), anyRecord)).toBe('ABC');
    expect(upper.deserialize(null, anyRecord)).toBe('payments@7');
    expect(upper.serialize('x', 'totals', 'key')).toBe('totals/key: x');
  });

  test('undefined passes a record over, and what it throws is poison', () => {
    expect(custom({ deserialize: () => undefined }).deserialize(Buffer.from('1'), anyRecord)).toBeUndefined();
    const thrown = new Error('odd');
    const failing = custom({
      deserialize() {
        throw thrown;
      },
    });
    expect(errorOf(() => failing.deserialize(null, anyRecord))).toBe(thrown);
    expect(isPoison(thrown)).toBe(true);
  });

  test('functions that answer later, or nothing that can be written, are the fault of the job', () => {
    const later = custom({ deserialize: async () => 'x', serialize: (async () => 'x') as unknown as () => string });
    const nothing = custom({ serialize: (() => 5) as unknown as () => string });
    for (const work of [
      () => later.deserialize(null, anyRecord),
      () => later.serialize(Promise.resolve('x'), 'topic', 'value'),
      () => nothing.serialize('x', 'topic', 'value'),
    ]) {
      expect(errorOf(work)).toBeInstanceOf(JobDefinitionError);
    }
  });

  test('a function that is missing, or none, is named', () => {
    const reading = custom({ deserialize: () => 'x' }) as typeof upper;
    expect(() => reading.serialize('x', 'topic', 'value')).toThrow('has no function serialize');
    expect(() => custom({} as { deserialize(): string })).toThrow('nothing was given');
    expect(() => custom({ deserialise: () => 'x' } as unknown as { deserialize(): string })).toThrow('deserialise');
  });
});

test('of the errors of Tidemark, only one about a record is poison', () => {
  expect(isPoison(new BadRecordError('cut off'))).toBe(true);
  expect(isPoison(new ExternalError('the registry is gone'))).toBe(false);
  expect(isPoison('thrown text')).toBe(true);
});
