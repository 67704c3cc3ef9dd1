import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { kafkaClient } from '../../../connectors/kafka/client/kafkajs/kafka-client.ts';
import type { KafkaClient } from '../../../connectors/kafka/client/port.ts';
import { TransactionalProducer } from '../../../connectors/kafka/produce/transactional-producer.ts';
import { startKafka } from '../../../tools/services/kafka/kafka.ts';
import { newTopic } from './client/cluster.ts';
import { KeptLog } from './client/log.ts';
import { type ApiName, type Fate, TcpProxy } from './harness/tcp-proxy.ts';
import { byKey, contentOf } from './harness/topic-content.ts';

const now = 1_700_000_000_000;
const soon = 10_000;
const listener = { failed: () => {} };
let brokers: string;
let proxy: TcpProxy;
/** Through the proxy, and past it. */
let client: KafkaClient;
let direct: KafkaClient;
let topic: string;
let group: string;
let transactionalId: string;

const clientOf = (of: string) => kafkaClient({ brokers: of, requestTimeout: '30s' }, new KeptLog());

beforeEach(async () => {
  brokers = process.env.KAFKA_BROKERS as string;
  proxy = await TcpProxy.to(brokers);
  client = clientOf(proxy.brokers);
  direct = clientOf(brokers);
  topic = await newTopic(direct, 2);
  group = `group-${randomUUID()}`;
  transactionalId = `producer-spec-${randomUUID()}`;
});

afterEach(async () => {
  await client.close();
  await direct.close();
  await proxy[Symbol.asyncDispose]();
});

async function initialised(by = client): Promise<TransactionalProducer> {
  const producer = new TransactionalProducer(by, { lingerMs: 0 }, listener);
  await producer.init(transactionalId, 60_000);
  return producer;
}

/** One record in each partition, and the offsets of checkpoint n; all but the end. */
async function upToTheEnd(producer: TransactionalProducer, n: number): Promise<void> {
  producer.write(topic, 0, now, '0', `${n}`);
  producer.write(topic, 1, now, '1', `${n}`);
  await producer.flush();
  await producer.sendOffsets(group, [{ topic, partition: 0, offset: n, metadata: `checkpoint ${n}` }]);
}

/** What the commit record says. */
async function committed(by = direct): Promise<number> {
  for (;;) {
    const { partitions } = await (await by.coordinator('group', group)).offsetFetch(
      group,
      [{ topic, partition: 0 }],
      true,
    );
    const [found] = partitions;
    if (found?.error === 'NONE') return Math.max(found.offset, 0);
    if (found?.error !== 'UNSTABLE_OFFSET_COMMIT') throw new Error(found?.error);
  }
}

const content = async () => byKey(await contentOf(brokers, topic));
/** The markers that make a transaction visible are written after its end was answered. */
const becomesVisible = (key: string, values: readonly string[] | undefined) =>
  vi.waitFor(async () => expect((await content()).get(key)).toEqual(values), 15_000);
/** The markers of a committed transaction are written after its commit is answered. */
const shows = (all: ReadonlyMap<string, readonly string[]>) =>
  vi.waitFor(async () => expect(await content()).toEqual(all), 15_000);
const upTo = (n: number) => Array.from({ length: n }, (_, i) => `${i + 1}`);

describe('the end of a transaction', () => {
  test.each(['lose answer', 'lose request'] as const)(
    'is asked for again after a broken connection: %s',
    async fate => {
      const producer = await initialised();
      await upToTheEnd(producer, 1);
      const hit = proxy.next('EndTxn', fate);

      expect(await producer.end('commit', soon)).toBe('committed');

      await hit;
      expect(await committed()).toBe(1);
      await becomesVisible('0', ['1']);
      // The request that was lost could still arrive, and end the next transaction.
      expect(producer.mustInitialise).toBe(true);
      expect(() => producer.write(topic, 0, now, '0', '2')).toThrow(/not initialised/);
      await producer.init(transactionalId, 60_000);
      await upToTheEnd(producer, 2);
      expect(await producer.end('commit', soon)).toBe('committed');
      expect(producer.mustInitialise).toBe(false);
      await becomesVisible('1', ['1', '2']);
      producer.close();
    },
  );

  test('is unknown when no answer comes in time, and committed when the broker got the request', async () => {
    const producer = await initialised();
    await upToTheEnd(producer, 1);
    proxy.fate = api => (api === 'EndTxn' ? 'lose answer' : 'pass');

    await expect(producer.end('commit', 300)).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });

    const successor = await initialised(direct);
    expect(await committed()).toBe(1);
    await becomesVisible('0', ['1']);
    expect(() => producer.write(topic, 0, now, '0', '2')).toThrow(/not known/);
    successor.close();
  });

  test('is unknown when no answer comes in time, and aborted when the broker did not get the request', async () => {
    const producer = await initialised();
    await upToTheEnd(producer, 1);
    proxy.fate = api => (api === 'EndTxn' ? 'lose request' : 'pass');

    await expect(producer.end('commit', 300)).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });

    const successor = await initialised(direct);
    expect(await committed()).toBe(0);
    expect((await content()).size).toBe(0);
    successor.close();
  });

  test.each([
    ['lose answer', 1],
    ['lose request', 0],
  ] as const)('may have been a commit when the producer was fenced before it could ask again: %s', async (fate, n) => {
    const producer = await initialised();
    await upToTheEnd(producer, 1);
    const hit = proxy.next('EndTxn', fate);
    proxy.fate = api => (api === 'EndTxn' ? 'lose request' : 'pass');
    const ended = producer.end('commit', soon);
    await hit;
    const successor = await initialised(direct);
    proxy.fate = () => 'pass';

    await expect(ended).rejects.toMatchObject({ code: 'PRODUCER_FENCED', mayHaveCommitted: true });
    expect(await committed()).toBe(n);
    successor.close();
  });
});

describe('within a transaction', () => {
  const apis: ApiName[] = ['InitProducerId', 'AddPartitionsToTxn', 'Produce', 'AddOffsetsToTxn', 'TxnOffsetCommit'];

  test.each(apis)('a lost request or answer of %s changes nothing', async api => {
    for (const fate of ['lose answer', 'lose request'] as const) void proxy.next(api, fate);
    const producer = await initialised();
    await upToTheEnd(producer, 1);
    expect(await producer.end('commit', soon)).toBe('committed');

    expect(await committed()).toBe(1);
    await shows(
      new Map([
        ['0', ['1']],
        ['1', ['1']],
      ]),
    );
    // A batch is known again by its sequence number, whenever it comes.
    expect(producer.mustInitialise).toBe(!['InitProducerId', 'Produce'].includes(api));
    producer.close();
  });

  test('offsets that may still arrive are not followed by newer ones of the same transaction', async () => {
    const producer = await initialised();
    void proxy.next('TxnOffsetCommit', 'lose answer');
    await upToTheEnd(producer, 1);
    producer.write(topic, 0, now, '0', '2');
    await producer.flush();

    await expect(
      producer.sendOffsets(group, [{ topic, partition: 0, offset: 2, metadata: 'checkpoint 2' }]),
    ).rejects.toMatchObject({ code: 'PRODUCER_BROKEN', retriable: true });
  });

  test('offsets that could not be sent in time are sent later', async () => {
    const producer = new TransactionalProducer(client, { deliveryTimeoutMs: 200 }, listener);
    await producer.init(transactionalId, 60_000);
    producer.write(topic, 0, now, '0', '1');
    await producer.flush();
    const offsets = [{ topic, partition: 0, offset: 1, metadata: '' }];
    proxy.fate = api => (api === 'AddOffsetsToTxn' ? 'lose request' : 'pass');
    await expect(producer.sendOffsets(group, offsets)).rejects.toMatchObject({ code: 'DELIVERY_TIMEOUT' });
    await expect(producer.end('commit', soon)).rejects.toMatchObject({ code: 'INTERNAL' });
    proxy.fate = () => 'pass';
    producer.write(topic, 0, now, '0', '2');
    await producer.flush();
    await producer.sendOffsets(group, offsets);

    expect(await producer.end('commit', soon)).toBe('committed');
    await becomesVisible('0', ['1', '2']);
    producer.close();
  });

  test('whatever is lost, each record is committed once, and with its offsets', { timeout: 120_000 }, async () => {
    const hit = new Map<string, number>();
    const hits: ApiName[] = [...apis, 'EndTxn'];
    let random = 20_261_122;
    /** All requests for the end of a transaction are hit in the same way until nobody waits any more. */
    let ends: Fate | undefined;
    proxy.fate = api => {
      if (api === 'EndTxn' && ends) return ends;
      random = (random * 48_271) % 0x7fff_ffff;
      if (api === undefined || !hits.includes(api) || random % 100 >= 14) return 'pass';
      hit.set(api, (hit.get(api) ?? 0) + 1);
      return random % 200 >= 100 ? 'lose answer' : 'lose request';
    };
    const last = 60;
    const unknown = { 'lose answer': 0, 'lose request': 0 };
    let producer = await initialised();
    for (let n = 1; n <= last; n++) {
      const given = n % 10 === 0 && unknown['lose answer'] + unknown['lose request'] < n / 5;
      ends = given ? (unknown['lose request'] * 10 < n ? 'lose request' : 'lose answer') : undefined;
      try {
        if (producer.mustInitialise) await producer.init(transactionalId, 60_000);
        await upToTheEnd(producer, n);
        await producer.end('commit', ends ? 40 : soon);
      } catch (error) {
        expect(error).toMatchObject({ code: 'OUTCOME_UNKNOWN' });
        if (ends === 'lose answer' || ends === 'lose request') unknown[ends]++;
        ends = undefined;
        producer.close();
        producer = await initialised();
        n = await committed(client);
      }
    }
    producer.close();

    expect([...hit.keys()].sort()).toEqual([...hits].sort());
    expect(unknown).toEqual({ 'lose answer': 6, 'lose request': 6 });
    await shows(
      new Map([
        ['0', upTo(last)],
        ['1', upTo(last)],
      ]),
    );
  });
});

test('a transaction goes on after its broker was restarted, and after it was killed', {
  timeout: 180_000,
}, async () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'tidemark-producer-spec-'));
  const settings = { 'broker.session.timeout.ms': '2000', 'broker.heartbeat.interval.ms': '500' };
  let server = await startKafka({ dir, settings });
  const { port } = server;
  brokers = server.brokers;
  const own = clientOf(brokers);
  try {
    topic = await newTopic(own, 2);
    const producer = await initialised(own);
    for (const [n, end] of [() => server.stop(), () => server.kill()].entries()) {
      producer.write(topic, 0, now, '0', `${n * 2 + 1}`);
      await producer.flush();
      await end();
      producer.write(topic, 0, now, '0', `${n * 2 + 2}`);
      producer.write(topic, 1, now, '1', `${n + 1}`);
      const flushed = producer.flush();
      server = await startKafka({ dir, port, settings });
      await flushed;
      await producer.sendOffsets(group, [{ topic, partition: 0, offset: n + 1, metadata: '' }]);
      expect(await producer.end('commit', soon)).toBe('committed');
      expect(await committed(own)).toBe(n + 1);
      if (producer.mustInitialise) await producer.init(transactionalId, 60_000);
    }
    producer.close();

    await shows(
      new Map([
        ['0', upTo(4)],
        ['1', upTo(2)],
      ]),
    );
  } finally {
    await own.close();
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  }
});
