import avsc from 'avsc';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AvroOptions, avro } from '../../../../connectors/kafka/format/avro/avro.ts';
import { AvroReader } from '../../../../connectors/kafka/format/avro/avro-reader.ts';
import { isPoison } from '../../../../connectors/kafka/format/deserializer.ts';
import type { Format } from '../../../../connectors/kafka/format/format.ts';
import {
  SchemaRegistryError,
  SchemaRegistryUnavailableError,
} from '../../../../connectors/kafka/format/registry/errors.ts';
import { SchemaRegistry } from '../../../../connectors/kafka/format/registry/schema-registry.ts';
import { PLAIN, shapeOf } from '../../../../lib/checkpoint/value-shape.ts';
import { SettingsError } from '../../../../lib/index.ts';
import { anyRecord } from './record-view.ts';
import { RegistryServer } from './registry-server.ts';

let server: RegistryServer;

beforeEach(async () => {
  server = await RegistryServer.start();
});

afterEach(() => server[Symbol.asyncDispose]());

const recordOf = (fields: readonly object[], more: object = {}) => ({
  type: 'record',
  name: 'shop.Payment',
  fields,
  ...more,
});
const payment = recordOf([
  { name: 'card', type: 'string' },
  { name: 'cents', type: 'long' },
]);

const format = <T = unknown>(options: Partial<AvroOptions> = {}): Format<T> =>
  avro<T>({ registry: { url: server.url, retries: 0 }, ...options });

/** The bytes of a value as another producer writes it, under its own registered schema. */
function written(schema: object | string, value: unknown, subject = 'payments-value'): Buffer {
  const id = Buffer.alloc(5);
  id.writeInt32BE(server.add(subject, schema), 1);
  return Buffer.concat([id, avsc.Type.forSchema(schema as avsc.Schema).toBuffer(value)]);
}

/** Reads as a source does: loads what is missing, then deserializes. */
async function read<T>(from: Format<T>, bytes: Buffer): Promise<T | null | undefined> {
  for (let id = from.missing?.(bytes, anyRecord); id !== undefined; id = from.missing?.(bytes, anyRecord)) {
    await from.load?.(new Set([id]));
  }
  return from.deserialize(bytes, anyRecord);
}

async function write<T>(to: Format<T>, value: T, topic = 'totals'): Promise<Buffer> {
  if (!to.isPrepared?.(topic, 'value')) await to.prepare?.(topic, 'value');
  return to.serialize(value, topic, 'value') as Buffer;
}

async function errorOf(work: Promise<unknown>): Promise<Error> {
  const error = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (error instanceof Error) return error;
  throw new Error('nothing was thrown');
}

describe('the wire format', () => {
  test("is a 0, the schema's id as four bytes, and the value", async () => {
    for (let i = 0; i < 300; i++) server.add(`other-${i}`, recordOf([], { name: `Other${i}` }));
    const bytes = await write(format({ schema: payment }), { card: 'a', cents: 1 });
    expect(bytes.toString('hex')).toBe('000000012d' + '02' + '61' + '02');
  });

  test('of values at any size is read again', async () => {
    const both = format<{ card: string; cents: number }>({ schema: payment });
    for (const length of [0, 1_018, 1_019, 1_020, 5_000, 100_000, 3]) {
      const value = { card: 'x'.repeat(length), cents: length };
      expect(await read(both, await write(both, value))).toEqual(value);
    }
  });

  test('a value that was serialized does not change with the next one', async () => {
    const both = format<{ card: string; cents: number }>({ schema: payment });
    const first = await write(both, { card: 'first', cents: 1 });
    await write(both, { card: 'other', cents: 2 });
    expect(await read(both, first)).toEqual({ card: 'first', cents: 1 });
  });

  test('a schema is asked for once, and only for what is in the wire format', async () => {
    const reading = format();
    const bytes = written(payment, { card: 'a', cents: 1 });
    expect(reading.missing?.(Buffer.from('{"a":1}'), anyRecord)).toBeUndefined();
    expect(reading.missing?.(null, anyRecord)).toBeUndefined();
    await read(reading, bytes);
    await read(reading, written(payment, { card: 'b', cents: 2 }));
    expect(server.requests).toEqual(['GET /schemas/ids/1']);
  });

  test('null is a record without value, both ways', () => {
    expect(format().deserialize(null, anyRecord)).toBeNull();
    expect(format().serialize(null, 'totals', 'value')).toBeNull();
  });
});

describe('poison', () => {
  test.each([
    ['', 'it is empty'],
    ['7b2261', 'it begins with 7b2261'],
    ['0000', 'it begins with 0000'],
    ['0100000001', 'it begins with 0100000001'],
  ])('bytes %j in another format', (hex, message) => {
    const bytes = Buffer.from(hex, 'hex');
    expect(format().missing?.(bytes, anyRecord)).toBeUndefined();
    expect(() => format().deserialize(bytes, anyRecord)).toThrow(message);
  });

  test('a value that is cut off, or goes on', async () => {
    const bytes = written(payment, { card: 'abc', cents: 1 });
    const reading = format();
    const short = await errorOf(read(reading, bytes.subarray(0, bytes.length - 1)));
    expect(short.message).toBe(`it is cut off; its schema has id 1 in ${server.url}`);
    const long = await errorOf(read(reading, Buffer.concat([bytes, bytes.subarray(0, 2)])));
    expect(long.message).toBe(`2 bytes are left behind its value; its schema has id 1 in ${server.url}`);
    expect([short, long].every(isPoison)).toBe(true);
  });

  test('a schema that the registry does not have, or not of Avro, or that cannot be used', async () => {
    const id = Buffer.from([0, 0, 0, 0, 77, 2]);
    const absent = await errorOf(read(format(), id));
    expect(absent.message).toBe(`there is no schema with id 77 (registry ${server.url})`);
    id.writeInt32BE(server.add('x', 'syntax = "proto3";', { schemaType: 'PROTOBUF' }), 1);
    expect((await errorOf(read(format(), id))).message).toContain('is one of PROTOBUF, not of Avro');
    id.writeInt32BE(server.add('y', recordOf([{ name: '__proto__', type: 'int' }])), 1);
    expect((await errorOf(read(format(), id))).message).toContain('"__proto__"');
    expect(isPoison(absent)).toBe(true);
  });

  test('an id that the registry did not have is asked for again after a while', async () => {
    let now = 0;
    const reader = new AvroReader(new SchemaRegistry(server.url), undefined, {}, () => now);
    const bytes = Buffer.from([0, 0, 0, 0, 1, 2, 97, 2]);
    await reader.load(new Set([1]));
    expect(reader.missing(bytes)).toBeUndefined();
    expect(() => reader.deserialize(bytes)).toThrow('there is no schema with id 1');
    server.add('payments-value', payment);
    now = 10_001;
    expect(reader.missing(bytes)).toBe(1);
    await reader.load(new Set([1]));
    expect(reader.deserialize(bytes)).toEqual({ card: 'a', cents: 1 });
    now = 1e9;
    expect(reader.missing(bytes)).toBeUndefined();
  });

  test('a registry that cannot be asked is none: the task fails with its error', async () => {
    server.meet({ status: 500 });
    const error = await errorOf(read(format(), written(payment, { card: 'a', cents: 1 })));
    expect(error).toBeInstanceOf(SchemaRegistryUnavailableError);
    expect(isPoison(error)).toBe(false);
  });

  const containers = recordOf([
    { name: 'names', type: { type: 'array', items: 'string' } },
    { name: 'by', type: { type: 'map', values: ['null', 'double'] } },
    { name: 'nothing', type: { type: 'array', items: { type: 'array', items: 'null' } } },
    { name: 'next', type: ['null', 'shop.Payment'] },
  ]);

  test('any bytes at all are a value or poison, and take neither long nor memory', async () => {
    const id = server.add('any', containers);
    const formats = [format(), format({ schema: recordOf([{ name: 'next', type: ['null', 'shop.Payment'] }]) })];
    for (const reading of formats) await reading.load?.(new Set([id]));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), noise => {
        for (const reading of formats) {
          try {
            reading.deserialize(Buffer.concat([Buffer.from([0, 0, 0, 0, id]), noise]), anyRecord);
          } catch (error) {
            expect(isPoison(error)).toBe(true);
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([
    ['more items than bytes', 'feffffff1f'],
    ['more items than can be counted', 'feffffffffffffffff01'],
    ['a block that goes back', '0113'.repeat(3)],
    ['more of nothing than bytes', '0000feff07'],
    ['as much of nothing as bytes', `000002c801${'00'.repeat(200)}`, /fewer items/],
  ])('an array with %s', async (_, hex, message = /cut off|fewer items|invalid union/) => {
    const id = server.add('any', containers);
    const bytes = Buffer.concat([Buffer.from([0, 0, 0, 0, id]), Buffer.from(hex, 'hex'), Buffer.alloc(4)]);
    const removed = format({ schema: recordOf([]) });
    for (const reading of [format(), removed]) {
      expect((await errorOf(read(reading, bytes))).message).toMatch(message);
    }
  });

  test('arrays and maps of many blocks, with their lengths or without, are read', async () => {
    const type = {
      type: 'record',
      name: 'Lists',
      fields: [
        { name: 'list', type: { type: 'array', items: 'int' } },
        { name: 'map', type: { type: 'map', values: 'int' } },
        { name: 'nulls', type: { type: 'array', items: 'null' } },
      ],
    };
    const id = server.add('lists', type);
    // Two blocks each: one with its count, one with its count below 0 and its length.
    const list = '04 0204 01 02 06 00';
    const map = `02 0261 02 01 16 12 ${Buffer.from('__proto__').toString('hex')} 04 00`;
    const hex = `${list} ${map} 06 00`.replaceAll(' ', '');
    const bytes = Buffer.concat([Buffer.from([0, 0, 0, 0, id]), Buffer.from(hex, 'hex')]);
    const value = (await read(format(), bytes)) as { map: object };
    expect(value).toEqual({
      list: [1, 2, 3],
      map: Object.fromEntries([
        ['a', 1],
        ['__proto__', 2],
      ]),
      nulls: [null, null, null],
    });
    expect(Object.keys(value.map)).toEqual(['a', '__proto__']);
    expect(await read(format({ schema: { ...type, fields: [] } }), bytes)).toEqual({});
  });
});

describe('evolution', () => {
  const old = written.bind(undefined, payment, { card: 'a', cents: 5 });

  test('without a schema of its own, a source reads values as they were written', async () => {
    const reading = format();
    expect(await read(reading, old())).toEqual({ card: 'a', cents: 5 });
    const newer = recordOf([...payment.fields, { name: 'shop', type: 'string', default: '?' }]);
    expect(await read(reading, written(newer, { card: 'b', cents: 6, shop: 'x' }))).toEqual({
      card: 'b',
      cents: 6,
      shop: 'x',
    });
  });

  test('an added field has its default in older values, a new one each', async () => {
    const schema = recordOf([
      ...payment.fields,
      { name: 'currency', type: 'string', default: 'EUR' },
      { name: 'tags', type: { type: 'array', items: 'string' }, default: [] },
      { name: 'note', type: ['null', 'string'], default: null },
    ]);
    const reading = format<{ tags: string[] }>({ schema });
    const value = await read(reading, old());
    expect(value).toEqual({ card: 'a', cents: 5, currency: 'EUR', tags: [], note: null });
    value?.tags.push('changed');
    expect((await read(reading, old()))?.tags).toEqual([]);
  });

  test('a removed field is left out', async () => {
    const reading = format({ schema: recordOf([{ name: 'cents', type: 'long' }]) });
    expect(await read(reading, old())).toEqual({ cents: 5 });
  });

  test('a field and a record that were renamed are found by their aliases', async () => {
    const schema = recordOf(
      [
        { name: 'pan', type: 'string', aliases: ['card'] },
        { name: 'cents', type: 'long' },
      ],
      { name: 'shop.v2.Deal', aliases: ['shop.Payment'] },
    );
    expect(await read(format({ schema }), old())).toEqual({ pan: 'a', cents: 5 });
  });

  test('a type that was widened, and a namespace that has moved, are read', async () => {
    const schema = recordOf(
      [
        { name: 'card', type: ['null', 'string'] },
        { name: 'cents', type: 'double' },
      ],
      { name: 'other.Payment' },
    );
    expect(await read(format({ schema }), old())).toEqual({ card: 'a', cents: 5 });
  });

  test('a symbol that the reader does not know is its default', async () => {
    const state = (symbols: string[], more = {}) =>
      recordOf([{ name: 'state', type: { type: 'enum', name: 'State', symbols, ...more } }]);
    const schema = state(['OPEN', 'OTHER'], { default: 'OTHER' });
    expect(await read(format({ schema }), written(state(['OPEN', 'PAID']), { state: 'PAID' }))).toEqual({
      state: 'OTHER',
    });
  });

  test('schemas that do not fit are poison, which names both and why', async () => {
    const schema = recordOf([...payment.fields, { name: 'currency', type: 'string' }]);
    const error = await errorOf(read(format({ schema }), old()));
    expect(isPoison(error)).toBe(true);
    expect(error.message).toBe(
      'its schema with id 1 (shop.Payment) cannot be read as the schema of the source (shop.Payment): ' +
        `no matching field for default-less shop.Payment.currency (registry ${server.url})`,
    );
  });

  test('values of many schemas in turn are resolved each with its own', async () => {
    const reading = format({ schema: recordOf([{ name: 'cents', type: 'double' }]) });
    const wide = recordOf([{ name: 'cents', type: 'double' }, ...[1, 2].map(n => ({ name: `f${n}`, type: 'string' }))]);
    for (let i = 0; i < 3; i++) {
      expect(await read(reading, written(payment, { card: 'x', cents: i }))).toEqual({ cents: i });
      const bytes = written(wide, { cents: i + 0.5, f1: 'a', f2: 'b' }, 'wide-value');
      expect(await read(reading, bytes)).toEqual({ cents: i + 0.5 });
    }
  });

  test('a schema that names others is read with them', async () => {
    server.add('card', { type: 'record', name: 'shop.Card', fields: [{ name: 'id', type: 'string' }] });
    const id = server.add('deal', recordOf([{ name: 'card', type: 'shop.Card' }]), {
      references: [{ name: 'shop.Card', subject: 'card', version: 1 }],
    });
    const bytes = Buffer.from([0, 0, 0, 0, id, 4, 0x61, 0x62]);
    expect(await read(format(), bytes)).toEqual({ card: { id: 'ab' } });
  });
});

describe('values', () => {
  test('are plain objects all the way, as drafts and snapshots need them', async () => {
    const inner = { type: 'record', name: 'Inner', fields: [{ name: 'n', type: 'int' }] };
    const schema = recordOf([
      { name: 'one', type: inner },
      { name: 'list', type: { type: 'array', items: 'Inner' } },
      { name: 'map', type: { type: 'map', values: 'Inner' } },
      { name: 'any', type: ['int', 'float', 'Inner'] },
      { name: 'self', type: ['null', 'shop.Payment'], default: null },
    ]);
    const value = {
      one: { n: 1 },
      list: [{ n: 2 }],
      map: { a: { n: 3 } },
      any: { 'shop.Inner': { n: 4 } },
      self: null,
    };
    const whole = { ...value, self: value };
    for (const reading of [format(), format({ schema })]) {
      const found = await read(reading, written(schema, { ...value, self: value }));
      expect(found).toEqual(whole);
      const visit = (part: unknown): void => {
        if (typeof part !== 'object' || part === null) return;
        if (!Array.isArray(part)) expect(Object.getPrototypeOf(part)).toBe(Object.prototype);
        Object.values(part).forEach(visit);
      };
      visit(found);
      expect(shapeOf(found)).toBe(PLAIN);
      expect(await read(format({ schema }), await write(format({ schema }), found))).toEqual(whole);
    }
  });

  test('bytes are copies, not views of what was fetched', async () => {
    const bytes = written({ type: 'bytes' }, Buffer.from('abc'));
    const value = (await read(format<Buffer>(), bytes)) as Buffer;
    bytes.fill(0);
    expect(value.toString()).toBe('abc');
  });

  test('a long that a number cannot hold exactly is refused, both ways', async () => {
    const bigints = format({ schema: payment, longs: 'bigint' });
    const bytes = await write(bigints, { card: 'a', cents: 2n ** 53n + 1n });
    const error = await errorOf(read(format(), bytes));
    expect(isPoison(error)).toBe(true);
    expect(error.message).toBe(
      "a long in it is beyond 2^53, which a number cannot hold exactly: read longs as bigints, with avro({ …, longs: 'bigint' })",
    );
    const unsafe = await errorOf(write(format({ schema: payment }), { card: 'a', cents: 2 ** 53 }));
    expect(unsafe.message).toContain('cents: 9007199254740992 is no long');
  });

  test('longs are bigints where that was asked for, promoted ints and defaults too', async () => {
    const schema = recordOf([
      ...payment.fields,
      { name: 'fee', type: 'long', default: 3 },
      { name: 'tip', type: ['null', 'long'], default: null },
    ]);
    const both = format({ schema, longs: 'bigint' });
    for (const cents of [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n)]) {
      const value = { card: 'a', cents, fee: 1n, tip: cents };
      expect(await read(both, await write(both, value))).toEqual(value);
    }
    const ints = recordOf([
      { name: 'card', type: 'string' },
      { name: 'cents', type: 'int' },
    ]);
    expect(await read(both, written(ints, { card: 'b', cents: 7 }))).toEqual({
      card: 'b',
      cents: 7n,
      fee: 3n,
      tip: null,
    });
    const refused = await errorOf(write(both, { card: 'a', cents: 5, fee: 1n, tip: null }));
    expect(refused.message).toContain('cents: 5 is no long');
    expect((await errorOf(write(both, { card: 'a', cents: 2n ** 63n, fee: 1n, tip: null }))).message).toContain(
      'cents: 9223372036854775808n is no long',
    );
  });

  test('logical types are what their underlying type is, unless there is a class for them', async () => {
    class Instant extends avsc.types.LogicalType {
      protected override _fromValue(ms: number): Date {
        return new Date(ms);
      }
      protected override _toValue(date: Date): number | undefined {
        return date instanceof Date ? date.getTime() : undefined;
      }
      protected override _resolve(type: avsc.Type): ((ms: number) => Date) | undefined {
        return avsc.Type.isType(type, 'long', 'logical:timestamp-millis') ? this._fromValue : undefined;
      }
    }
    const schema = recordOf([{ name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } }]);
    const bytes = await write(format({ schema }), { at: 86_400_000 });
    expect(await read(format(), bytes)).toEqual({ at: 86_400_000 });
    const logicalTypes = { 'timestamp-millis': Instant };
    for (const dates of [format({ logicalTypes }), format({ schema, logicalTypes })]) {
      expect(await read(dates, bytes)).toEqual({ at: new Date('1970-01-02') });
    }
    const writing = format({ schema, logicalTypes });
    expect(await read(format(), await write(writing, { at: new Date(5) }))).toEqual({ at: 5 });
  });

  test('what does not fit the schema is refused by its path', async () => {
    const writing = format({ schema: payment });
    const error = await errorOf(write(writing, { card: 5, cents: 1.5 }));
    expect(error.message).toBe('it does not fit its schema (card: 5 is no string; cents: 1.5 is no long)');
    const missing = await errorOf(write(writing, { card: 'a' }));
    expect(missing.message).toBe('it does not fit its schema (cents: undefined is no long)');
    expect((await errorOf(write(writing, 'text'))).message).toContain('it: text is no shop.Payment');
    expect((await errorOf(write(writing, undefined))).message).toContain('it does not fit its schema');
  });
});

describe('subjects', () => {
  const strategies = [
    ['topic', 'totals-value'],
    ['record', 'shop.Payment'],
    ['topic-record', 'totals-shop.Payment'],
    [
      ({ topic, part, record }: { topic: string; part: string; record: string | undefined }) =>
        `${part}/${topic}/${record}`,
      'value/totals/shop.Payment',
    ],
  ] as const;

  test.each(strategies)('by %s: the schema is registered under it', async (subject, expected) => {
    await format({ schema: payment, subject }).prepare?.('totals', 'value');
    expect(server.requests).toEqual([`POST /subjects/${encodeURIComponent(expected)}/versions`]);
  });

  test('keys and values have their own', async () => {
    const both = format<unknown>({ schema: '"string"' });
    await both.prepare?.('totals', 'key');
    expect(both.isPrepared?.('totals', 'key')).toBe(true);
    expect(both.isPrepared?.('totals', 'value')).toBe(false);
    expect(() => both.serialize('a', 'totals', 'value')).toThrow(
      'the schema for the values of topic "totals" was not prepared',
    );
    expect(server.requests).toEqual(['POST /subjects/totals-key/versions']);
  });

  test('a schema is registered as it was given, with all of its attributes', async () => {
    const schema = recordOf([{ name: 'cents', type: 'long', default: 0, aliases: ['amount'], doc: 'Euro' }], {
      own: 1,
    });
    await format({ schema }).prepare?.('totals', 'value');
    expect(await new SchemaRegistry(server.url).latest('totals-value')).toMatchObject({
      schema: JSON.stringify(schema),
    });
  });

  test('a schema that is not compatible is refused with what the registry says and what to do', async () => {
    server.add('totals-value', payment);
    const schema = recordOf([...payment.fields, { name: 'shop', type: 'string' }]);
    const error = await errorOf(format({ schema }).prepare?.('totals', 'value') ?? Promise.resolve());
    expect(error).toBeInstanceOf(SchemaRegistryError);
    expect(error).toMatchObject({ status: 409, errorCode: 409, fault: 'user', retriable: false });
    expect(error.message).toMatch(
      /registry at http:\S+ did not register the schema of subject "totals-value" \(HTTP 409, code 409\): .*default-less shop.Payment.shop.*new fields need a default.*compatibility level/,
    );
    server.compatibility.set('totals-value', 'NONE');
    await format({ schema }).prepare?.('totals', 'value');
  });

  test('without autoRegister the schema must be there', async () => {
    const options = { schema: payment, autoRegister: false };
    const error = await errorOf(format(options).prepare?.('totals', 'value') ?? Promise.resolve());
    expect(error.message).toMatch(/does not have this schema under subject "totals-value".*autoRegister: true/);
    server.add('totals-value', payment);
    const writing = format(options);
    await writing.prepare?.('totals', 'value');
    expect(writing.isPrepared?.('totals', 'value')).toBe(true);
    expect(server.requests.every(request => request === 'POST /subjects/totals-value')).toBe(true);
  });

  test('without a schema, the newest of the subject is written', async () => {
    const writing = format();
    const error = await errorOf(writing.prepare?.('totals', 'value') ?? Promise.resolve());
    expect(error.message).toMatch(/has no subject "totals-value": register a schema there, or give the sink one/);
    server.add('totals-value', payment);
    const id = server.add(
      'totals-value',
      recordOf([...payment.fields, { name: 'shop', type: 'string', default: '?' }]),
    );
    const bytes = await write(writing, { card: 'a', cents: 1 });
    expect(bytes.readInt32BE(1)).toBe(id);
    expect(await read(format(), bytes)).toEqual({ card: 'a', cents: 1, shop: '?' });
  });
});

describe('options', () => {
  const problemsOf = (options: unknown): string => {
    try {
      avro(options as AvroOptions);
    } catch (error) {
      expect(error).toBeInstanceOf(SettingsError);
      return String(error);
    }
    throw new Error('nothing was thrown');
  };

  test('that are wrong are all named', () => {
    const problems = problemsOf({ registry: 5, schema: 1, longs: 'numbers', subject: 'topics', autoregister: true });
    for (const name of ['registry', 'schema', 'longs', 'subject', 'did you mean "autoRegister"']) {
      expect(problems).toContain(name);
    }
  });

  test('a schema that is none, and a strategy that needs a name, are refused before anything is asked', () => {
    expect(problemsOf({ registry: server.url, schema: { type: 'recrod' } })).toContain('it is no Avro schema');
    expect(problemsOf({ registry: server.url, schema: '{' })).toContain('it is no Avro schema');
    expect(problemsOf({ registry: server.url, subject: 'record' })).toContain('needs a schema that has a name');
    expect(problemsOf({ registry: server.url, subject: 'record', schema: 'string' })).toContain('has a name');
    expect(server.requests).toEqual([]);
  });

  test('a registry that cannot be asked is noticed by the check', async () => {
    await format().check?.();
    server.meet({ status: 500 });
    await expect(format().check?.()).rejects.toBeInstanceOf(SchemaRegistryUnavailableError);
  });

  test('one registry serves several formats, which ask it once', async () => {
    const registry = new SchemaRegistry(server.url);
    const bytes = written(payment, { card: 'a', cents: 1 });
    await read(format({ registry }), bytes);
    await read(format({ registry }), bytes);
    expect(server.requests).toHaveLength(1);
  });
});
