import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from 'vitest';
import { avro } from '../../../../connectors/kafka/format/avro/avro.ts';
import type { Deserializer, RecordView } from '../../../../connectors/kafka/format/deserializer.ts';
import { json } from '../../../../connectors/kafka/format/json.ts';
import { schemaRegistry } from '../../../../connectors/kafka/format/registry/schema-registry.ts';
import { string } from '../../../../connectors/kafka/format/string.ts';
import { type WithMetadata, withMetadata } from '../../../../connectors/kafka/format/with-metadata.ts';
import { anyRecord } from './record-view.ts';
import { RegistryServer } from './registry-server.ts';

interface Payment {
  readonly cents: number;
}

const bytes = Buffer.from('{"cents":5}');
const beside = {
  topic: 'payments',
  partition: 2,
  offset: 7,
  timestamp: 1_700_000_000_000,
  headers: [['trace', Buffer.from('t1')]],
};

describe('a value with its metadata', () => {
  test('has what stands beside it in its record; the key is bytes', () => {
    const reading = withMetadata(json<Payment>());
    expectTypeOf(reading).toEqualTypeOf<Deserializer<WithMetadata<Payment>>>();
    expect(reading.deserialize(bytes, anyRecord)).toEqual({
      value: { cents: 5 },
      key: Buffer.from('card'),
      ...beside,
    });
  });

  test('has its key read by another format, and null where there is none', () => {
    const reading = withMetadata(json<Payment>(), { key: string() });
    expectTypeOf(reading).toEqualTypeOf<Deserializer<WithMetadata<Payment, string>>>();
    expect(reading.deserialize(bytes, anyRecord)?.key).toBe('card');
    expect(reading.deserialize(bytes, { ...anyRecord, key: null })?.key).toBeNull();
  });

  test('is passed over where the value is, and kept for a record without value when that was asked for', () => {
    expect(withMetadata(json()).deserialize(null, anyRecord)).toBeNull();
    const keeping = withMetadata(json<Payment>(), { key: string(), tombstones: 'keep' });
    expectTypeOf(keeping).toEqualTypeOf<Deserializer<WithMetadata<Payment | null, string>>>();
    expect(keeping.deserialize(null, anyRecord)).toEqual({ value: null, key: 'card', ...beside });
    expect(keeping.deserialize(Buffer.from('null'), anyRecord)).toBeNull();
  });

  test('is poison where value or key is', () => {
    const reading = withMetadata(json(), { key: json() });
    expect(() => reading.deserialize(Buffer.from('{'), anyRecord)).toThrow(SyntaxError);
    expect(() => reading.deserialize(bytes, anyRecord)).toThrow(SyntaxError);
  });
});

describe('formats that have to load something', () => {
  let server: RegistryServer;
  beforeEach(async () => {
    server = await RegistryServer.start();
  });
  afterEach(() => server[Symbol.asyncDispose]());

  const framed = (id: number, text: string) =>
    Buffer.concat([Buffer.from([0, 0, 0, 0, id, text.length * 2]), Buffer.from(text)]);

  test('are asked for value and key, whose ids may be of two registries', async () => {
    await using other = await RegistryServer.start();
    server.add('payments-value', '"string"');
    other.add('padding', '"int"');
    other.add('payments-key', '"string"');
    const reading = withMetadata(avro<string>({ registry: server.url }), {
      key: avro<string>({ registry: schemaRegistry(other.url) }),
    });
    const record: RecordView = { ...anyRecord, key: framed(2, 'card') };
    const value = framed(1, 'paid');
    for (let rounds = 0; rounds < 2; rounds++) {
      const id = reading.missing?.(value, record);
      expect(id).toBeDefined();
      await reading.load?.(new Set([id ?? -1]));
    }
    expect(reading.missing?.(value, record)).toBeUndefined();
    expect(reading.deserialize(value, record)).toMatchObject({ value: 'paid', key: 'card' });
    expect([server.requests, other.requests]).toEqual([['GET /schemas/ids/1'], ['GET /schemas/ids/2']]);
  });

  test('load both at once, and are checked both', async () => {
    const id = server.add('payments-value', '"string"');
    const format = avro<string>({ registry: server.url });
    const reading = withMetadata(format, { key: avro<string>({ registry: server.url }) });
    await reading.load?.(new Set([id * 2, id * 2 + 1]));
    expect(reading.missing?.(framed(id, 'a'), { ...anyRecord, key: framed(id, 'b') })).toBeUndefined();
    await reading.check?.();
    expect(server.requests.filter(request => request === 'GET /schemas/types')).toHaveLength(2);
  });

  test('are not asked for every record where none has anything to load', () => {
    expect(withMetadata(json(), { key: string() }).missing).toBeUndefined();
  });
});
