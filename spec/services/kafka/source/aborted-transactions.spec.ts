import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { string } from '../../../../connectors/kafka/format/string.ts';
import { kafkaSource } from '../../../../connectors/kafka/source/source.ts';
import { contentOf } from '../harness/topic-content.ts';
import { SourceCluster } from './source-cluster.ts';

// Two transactions of two producers in one partition, whose records interleave, and whose markers come in either order.
const cluster = new SourceCluster();
beforeAll(() => cluster.connect());
afterEach(() => cluster.closeProbes());
afterAll(() => cluster.close());

type Ending = readonly ['first' | 'second', 'commit' | 'abort'];
const orders: readonly (readonly [Ending, Ending])[] = [
  [
    ['first', 'abort'],
    ['second', 'abort'],
  ],
  [
    ['second', 'abort'],
    ['first', 'abort'],
  ],
  [
    ['first', 'abort'],
    ['second', 'commit'],
  ],
  [
    ['second', 'commit'],
    ['first', 'abort'],
  ],
  [
    ['first', 'commit'],
    ['second', 'abort'],
  ],
  [
    ['second', 'abort'],
    ['first', 'commit'],
  ],
];
const zeros = Buffer.alloc(4);

/** Values by the offset that they were written at. */
type Written = Map<number, string>;

async function interleaved(
  endings: readonly [Ending, Ending],
): Promise<{ topic: string; visible: Written; end: number }> {
  const topic = await cluster.topic();
  const transactions = { first: await cluster.transaction(), second: await cluster.transaction() };
  const written: Record<'first' | 'second' | 'plain', Written> = {
    first: new Map(),
    second: new Map(),
    plain: new Map(),
  };
  const write = async (by: 'first' | 'second' | 'plain', step: number) => {
    const values = [`${by} ${step}a`, `${by} ${step}b`];
    const records = values.map(value => ({ key: zeros, value }));
    const base =
      by === 'plain' ? await cluster.write(topic, 0, records) : await transactions[by].write(topic, 0, records);
    values.forEach((value, index) => {
      written[by].set(base + index, value);
    });
  };
  await write('plain', 0);
  for (const step of [1, 2]) for (const by of ['first', 'second', 'plain'] as const) await write(by, step);
  await transactions[endings[0][0]].end(endings[0][1], topic, 0);
  // Between the markers: records of the one that is still open, and of none.
  await write(endings[1][0], 3);
  await write('plain', 3);
  await transactions[endings[1][0]].end(endings[1][1], topic, 0);
  await write('plain', 4);
  const visible: Written = new Map(written.plain);
  for (const [by, outcome] of endings) {
    if (outcome === 'commit') for (const [offset, value] of written[by]) visible.set(offset, value);
  }
  return { topic, visible, end: await cluster.end(topic, 0) };
}

const inOrder = (visible: Written, from: number) =>
  [...visible]
    .filter(([offset]) => offset >= from)
    .sort(([a], [b]) => a - b)
    .map(([, value]) => value);

describe.each(orders)('two interleaved transactions that end with %j, then %j', (...endings) => {
  test('show no aborted record from any fetch position, and each of the others', async () => {
    const { topic, visible, end } = await interleaved(endings);
    expect(visible.size).toBeGreaterThanOrEqual(10);
    for (let from = 0; from <= end; from++) {
      const start = { offsets: { [topic]: { 0: from } } };
      const source = kafkaSource({ topic, value: string(), start, stop: 'latest', maxWait: 20 });
      const probe = await cluster.read(source);
      expect(probe.values, `from ${from}`).toEqual(inOrder(visible, from));
      await probe.close();
    }
    const asOthersSee = await contentOf(process.env.KAFKA_BROKERS as string, topic);
    expect(asOthersSee.map(({ value }) => value)).toEqual(inOrder(visible, 0));
  });

  test('show the same in small answers', async () => {
    const { topic, visible } = await interleaved(endings);
    // Some batches an answer, whatever they belong to.
    const small = { maxPartitionBytes: 1_024, maxRequestBytes: 1_024, maxBufferedBytes: 1_024 };
    const probe = await cluster.read(
      kafkaSource({ topic, value: string(), start: 'earliest', stop: 'latest', maxWait: 20, ...small }),
    );
    expect(probe.values).toEqual(inOrder(visible, 0));
  });
});

test('a record whose key is four zero bytes is given, in a transaction and outside of one', async () => {
  const topic = await cluster.topic();
  const aborted = await cluster.transaction();
  await aborted.write(topic, 0, [{ key: zeros, value: 'aborted' }]);
  await cluster.write(topic, 0, [{ key: zeros, value: 'plain' }]);
  await aborted.write(topic, 0, [{ key: zeros, value: 'aborted again' }]);
  await aborted.end('abort', topic, 0);
  const committed = await cluster.transaction();
  await committed.write(topic, 0, [{ key: zeros, value: 'committed' }]);
  await committed.end('commit', topic, 0);
  const keys: string[] = [];
  const value = {
    deserialize: (bytes: Buffer | null, { key }: { readonly key: Buffer | null }) => {
      keys.push(`${key?.toString('hex')}`);
      return `${bytes}`;
    },
  };
  const probe = await cluster.read(kafkaSource({ topic, value, start: 'earliest', stop: 'latest', maxWait: 20 }));
  expect(probe.values).toEqual(['plain', 'committed']);
  expect(keys).toEqual(['00000000', '00000000']);
});
