import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { KafkaClient } from '../../../../connectors/kafka/client/port.ts';
import { type AvroOptions, avro } from '../../../../connectors/kafka/format/avro/avro.ts';
import type { Deserializer } from '../../../../connectors/kafka/format/deserializer.ts';
import { json } from '../../../../connectors/kafka/format/json.ts';
import { string } from '../../../../connectors/kafka/format/string.ts';
import { withMetadata } from '../../../../connectors/kafka/format/with-metadata.ts';
import { Producer } from '../../../../connectors/kafka/produce/producer.ts';
import type { Header } from '../../../../connectors/kafka/record.ts';
import type { KafkaSourceOptions } from '../../../../connectors/kafka/source/options.ts';
import { kafkaSource } from '../../../../connectors/kafka/source/source.ts';
import { BadRecordError } from '../../../../lib/index.ts';
import { RegistryServer } from '../../../connectors/kafka/format/registry-server.ts';
import { SourceProbe } from '../../../contract/source-probe.ts';
import { newTopic, sharedCluster } from '../client/cluster.ts';

const now = 1_700_000_000_000;
const newer = {
  type: 'record',
  name: 'shop.Payment',
  fields: [
    { name: 'card', type: 'string' },
    { name: 'cents', type: 'long' },
    { name: 'currency', type: 'string', default: 'EUR' },
  ],
};
const older = { ...newer, fields: newer.fields.slice(0, 2) };

let client: KafkaClient;
let registry: RegistryServer;
const probes: SourceProbe<unknown>[] = [];

beforeAll(() => {
  client = sharedCluster();
});
afterAll(() => client.close());

beforeEach(async () => {
  registry = await RegistryServer.start();
});
afterEach(async () => {
  for (const probe of probes.splice(0)) {
    await probe.close();
    expect(probe.violations).toEqual([]);
  }
  await registry[Symbol.asyncDispose]();
});

interface Written {
  readonly key?: string;
  readonly value: Uint8Array | string | null;
  readonly headers?: readonly Header[];
}

async function write(topic: string, records: readonly Written[]): Promise<void> {
  const failures: unknown[] = [];
  const listener = { acknowledged: () => {}, failed: (error: unknown) => void failures.push(error) };
  const producer = new Producer(client, { acks: 'all', batchBytes: 100_000 }, listener);
  for (const { key = null, value, headers } of records) producer.write(topic, 0, now, key, value, headers);
  await producer.flush();
  producer.close();
  expect(failures).toEqual([]);
}

async function open<T>(topic: string, value: Deserializer<T>, more: Partial<KafkaSourceOptions<T>> = {}) {
  const probe = await SourceProbe.open(kafkaSource({ topic, value, stop: 'latest', maxWait: 20, ...more }));
  probes.push(probe as SourceProbe<unknown>);
  return probe.start();
}

const format = (options: Partial<AvroOptions>) => avro<unknown>({ registry: registry.url, ...options });

async function encoded(schema: object, values: readonly unknown[], topic: string): Promise<Written[]> {
  const writing = format({ schema });
  await writing.prepare?.(topic, 'value');
  return values.map(value => ({ value: writing.serialize(value, topic, 'value') }));
}

describe('Avro with a registry', () => {
  test('values of older and newer writers come in order, as the schema of the source has them', async () => {
    const topic = await newTopic(client);
    const first = await encoded(older, [{ card: 'a', cents: 1 }], topic);
    const second = await encoded(newer, [{ card: 'b', cents: 2, currency: 'USD' }], topic);
    const none: Written = { value: null };
    const noise: Written = { value: '{"card":"c"}' };
    await write(topic, [...first, ...second, none, noise, ...first]);

    const probe = await open(topic, format({ schema: newer }), { onBadRecord: 'skip' });
    await probe.untilCompleted();

    expect(probe.values).toEqual([
      { card: 'a', cents: 1, currency: 'EUR' },
      { card: 'b', cents: 2, currency: 'USD' },
      { card: 'a', cents: 1, currency: 'EUR' },
    ]);
    expect(registry.requests.filter(request => request.startsWith('GET /schemas/ids'))).toHaveLength(2);
  });

  test('a schema that does not fit fails the source, which names the record and the schema', async () => {
    const topic = await newTopic(client);
    await write(topic, await encoded(newer, [{ card: 'a', cents: 1, currency: 'USD' }], topic));
    await write(topic, await encoded({ ...older, name: 'shop.Refund' }, [{ card: 'b', cents: 2 }], `${topic}-other`));

    const probe = await open(topic, format({ schema: newer }));
    const error = (await probe.untilError()) as Error;

    expect(error).toBeInstanceOf(BadRecordError);
    expect(error.message).toMatch(/offset 1 .*schema with id 2 \(shop\.Refund\) cannot be read as .*\(shop\.Payment\)/);
    expect(error.message).toContain(topic);
    expect(probe.values).toEqual([{ card: 'a', cents: 1, currency: 'USD' }]);
  });

  test('an outage of the registry holds the records back, and loses and repeats none', async () => {
    const topic = await newTopic(client);
    const values = Array.from({ length: 2_500 }, (_, cents) => ({ card: 'a', cents }));
    await write(topic, [
      ...(await encoded(older, values.slice(0, 1_200), topic)),
      ...(await encoded({ ...newer, doc: 'another id' }, values.slice(1_200), topic)),
    ]);
    registry.meet({ kind: 'hang-up' }, { status: 503 });

    const probe = await open(topic, format({ schema: older }));
    await probe.untilCompleted();

    expect(probe.values).toEqual(values);
  });

  test('a source that waits for a silent registry can be closed', async () => {
    const topic = await newTopic(client);
    await write(topic, await encoded(older, [{ card: 'a', cents: 1 }], topic));
    registry.meet({ kind: 'silence' });
    const before = registry.requests.length;
    const probe = await open(topic, format({ registry: { url: registry.url, timeout: '10m' } }));
    await expect.poll(() => registry.requests.length).toBeGreaterThan(before);

    await probe.close();

    expect(probe.values).toEqual([]);
    expect(probe.errors).toEqual([]);
  });
});

test('what stands beside a value comes with it, and records without value when that was asked for', async () => {
  const topic = await newTopic(client);
  const trace: Header = ['trace', Buffer.from('t1')];
  await write(topic, [
    { key: 'ключ', value: '{"cents":1}', headers: [trace, ['empty', null]] },
    { value: '{"cents":2}' },
    { key: 'gone', value: null },
  ]);

  const probe = await open(topic, withMetadata(json<{ cents: number }>(), { key: string(), tombstones: 'keep' }));
  await probe.untilCompleted();

  const beside = { topic, partition: 0, timestamp: now };
  expect(probe.values).toEqual([
    { ...beside, offset: 0, key: 'ключ', value: { cents: 1 }, headers: [trace, ['empty', null]] },
    { ...beside, offset: 1, key: null, value: { cents: 2 }, headers: [] },
    { ...beside, offset: 2, key: 'gone', value: null, headers: [] },
  ]);
});
