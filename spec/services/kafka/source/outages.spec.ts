import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { KafkaConnectionError } from '../../../../connectors/kafka/errors.ts';
import { string } from '../../../../connectors/kafka/format/string.ts';
import type { KafkaSourceOptions } from '../../../../connectors/kafka/source/options.ts';
import { kafkaSource } from '../../../../connectors/kafka/source/source.ts';
import { ExternalError } from '../../../../lib/index.ts';
import type { SourceProbe } from '../../../contract/source-probe.ts';
import { TcpProxy } from '../harness/tcp-proxy.ts';
import { SourceCluster } from './source-cluster.ts';

// A proxy stands before the broker: connections break, answers do not come, and the source goes on or says why not.
const cluster = new SourceCluster();
let proxy: TcpProxy;
let topic: string;

beforeAll(async () => {
  await cluster.connect();
  proxy = await TcpProxy.to(process.env.KAFKA_BROKERS as string);
});
afterAll(async () => {
  await cluster.close();
  await proxy[Symbol.asyncDispose]();
});
beforeEach(async () => {
  proxy.accept();
  proxy.fate = () => 'pass';
  topic = await cluster.topic(2);
});

const texts = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => String(from + i));
const source = (options: Partial<KafkaSourceOptions<string>> = {}) =>
  kafkaSource<string>({ topic, value: string(), brokers: proxy.brokers, start: 'earliest', maxWait: 20, ...options });

/** Lets the source's clock run until something is there. */
async function later(probe: SourceProbe<string>, isThere: () => boolean): Promise<void> {
  while (!isThere()) {
    await new Promise(resolve => setTimeout(resolve, 5));
    probe.scheduler.advance(100);
  }
}

async function fill(from: number, to: number): Promise<void> {
  for (let i = from; i < to; i += 100) await cluster.write(topic, (i / 100) % 2, texts(i, i + 100));
}

/** Each partition in order, each record once. */
function verify(probe: SourceProbe<string>, count: number): void {
  expect([...probe.values].sort((a, b) => Number(a) - Number(b))).toEqual(texts(0, count));
  for (const partition of [0, 1]) {
    const numbers = probe.values.map(Number).filter(value => Math.floor(value / 100) % 2 === partition);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  }
}

describe('a source', () => {
  test('loses nothing and gives nothing twice when its connections break, again and again', async () => {
    await fill(0, 2_000);
    const probe = await cluster.open(
      source({ maxPartitionBytes: 1_024, maxRequestBytes: 2_048, maxBufferedBytes: 4_096 }),
    );
    let cuts = 0;
    probe.afterBatch = () => {
      if (probe.batches.length % 3 === 0 && cuts < 6) {
        cuts++;
        proxy.cut();
      }
    };
    probe.start();
    await later(probe, () => probe.values.length >= 2_000);
    expect(cuts).toBeGreaterThan(0);
    verify(probe, 2_000);
    expect(probe.errors).toEqual([]);
    await probe.close();
  });

  test('loses nothing when answers to fetches are lost', async () => {
    await fill(0, 1_000);
    let answers = 0;
    proxy.fate = api => (api === 'Fetch' && answers++ % 3 === 0 ? 'lose answer' : 'pass');
    const probe = (await cluster.open(source({ maxPartitionBytes: 1_024, maxRequestBytes: 2_048 }))).start();
    await later(probe, () => probe.values.length >= 1_000);
    verify(probe, 1_000);
    await probe.close();
  });

  test('goes on when the broker is back, and fails with an error that a restart may mend when it stays away too long', async () => {
    await fill(0, 200);
    const probe = (await cluster.open(source({ retryTimeout: '1m' }))).start();
    await later(probe, () => probe.values.length >= 200);
    proxy.refuse();
    await later(probe, () => probe.log.some(({ message }) => message.includes('trying again')));
    proxy.accept();
    await fill(200, 400);
    await later(probe, () => probe.values.length >= 400);
    verify(probe, 400);
    expect(probe.errors).toEqual([]);
    proxy.refuse();
    await later(probe, () => probe.errors.length > 0);
    expect(probe.errors[0]).toBeInstanceOf(ExternalError);
    expect(probe.errors[0]).toMatchObject({
      retriable: true,
      message: expect.stringContaining('60000 ms (retryTimeout)'),
    });
    await probe.close();
  });

  test('goes on over other connections when those that it has say nothing any more, and nobody breaks them', async () => {
    await fill(0, 400);
    const probe = (await cluster.open(source({ requestTimeout: '1s', retryTimeout: '1h' }))).start();
    await later(probe, () => probe.values.length >= 400);
    proxy.forgetConnections();
    await fill(400, 800);
    await later(probe, () => probe.values.length >= 800);
    verify(probe, 800);
    expect(probe.errors).toEqual([]);
    await probe.close();
  });

  test('that cannot connect at all says so within the connect timeout', async () => {
    proxy.refuse();
    const opening = cluster.open(source({ connectTimeout: '1s' }));
    await expect(opening).rejects.toThrow(KafkaConnectionError);
    await expect(source({ connectTimeout: '1s' }).check?.()).rejects.toThrow(proxy.brokers);
  });
});
