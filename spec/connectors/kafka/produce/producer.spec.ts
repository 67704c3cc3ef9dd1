import { beforeEach, describe, expect, test, vi } from 'vitest';
import { KafkaSecurityError } from '../../../../connectors/kafka/errors.ts';
import type { ProducerOptions } from '../../../../connectors/kafka/produce/options.ts';
import { Producer } from '../../../../connectors/kafka/produce/producer.ts';
import { answered, FakeCluster, noConnection, turn, until } from './fake-cluster.ts';

let cluster: FakeCluster;
let told: { acknowledged: number[]; failures: unknown[] };

beforeEach(() => {
  cluster = new FakeCluster();
  told = { acknowledged: [], failures: [] };
});

function producerWith(options: ProducerOptions = {}): Producer {
  const listener = {
    acknowledged: (records: number) => void told.acknowledged.push(records),
    failed: (error: unknown) => void told.failures.push(error),
  };
  return new Producer(cluster.client, { lingerMs: 0, ...options }, listener);
}

/** Written, and sent at once as a batch of its own. */
async function send(producer: Producer, topic: string, partition: number, ...values: string[]): Promise<void> {
  for (const value of values) producer.write(topic, partition, 0, null, value);
  await turn();
}

describe('an idempotent producer', () => {
  test('takes a producer id once, then sends what is written in one turn as one batch of each partition', async () => {
    const producer = producerWith();
    for (const value of ['a', 'b', 'c', 'd']) producer.write('t', value < 'c' ? 0 : 2, 0, null, value);
    expect(cluster.seen).toEqual([]);
    await producer.flush();

    expect(cluster.seen.map(({ api }) => api)).toEqual(['initProducerId', 'produce']);
    expect(cluster.batches).toEqual(['0: t/0@0 a b', '0: t/2@0 c d']);
    expect(cluster.of('produce')[0]?.batches[0]).toMatchObject({
      producerId: 7,
      producerEpoch: 0,
      isTransactional: false,
    });
    expect(told.acknowledged).toEqual([2, 2]);
    await send(producer, 't', 0, 'e');
    expect(cluster.of('initProducerId')).toHaveLength(1);
    expect(cluster.batches.at(-1)).toBe('0: t/0@2 e');
  });

  test('asks again for its id, perhaps another broker, until there is one', async () => {
    cluster.next('initProducerId', () => ({
      error: 'COORDINATOR_LOAD_IN_PROGRESS',
      producerId: -1,
      producerEpoch: -1,
    }));
    cluster.next('initProducerId', noConnection);
    const producer = producerWith();
    producer.write('t', 0, 0, null, 'a');
    await producer.flush();
    expect(cluster.of('initProducerId')).toHaveLength(3);
    expect(cluster.forgotten).toContain('t/0');
  });

  test('fails with what the user lacks when it may have no id', async () => {
    cluster.next('initProducerId', () => ({
      error: 'CLUSTER_AUTHORIZATION_FAILED',
      producerId: -1,
      producerEpoch: -1,
    }));
    const producer = producerWith();
    producer.write('t', 0, 0, null, 'a');
    await expect(producer.flush()).rejects.toThrow('IDEMPOTENT_WRITE');
    expect(told.failures).toHaveLength(1);
  });

  test('sends a partition again that the answer leaves out, as the same batch, and no other', async () => {
    const producer = producerWith();
    cluster.next('produce', ({ batches }) => answered(batches.slice(0, 1), 'NONE'));
    producer.write('t', 0, 0, null, 'a');
    producer.write('t', 2, 0, null, 'b');
    await producer.flush();
    expect(cluster.batches).toEqual(['0: t/0@0 a', '0: t/2@0 b', '0: t/2@0 b']);
    expect(told.acknowledged).toEqual([1, 1]);
  });

  test('follows a partition to its new leader, with what it had sent there after', async () => {
    const producer = producerWith();
    await send(producer, 't', 0, 'a');
    const release = cluster.hold('produce', ({ batches }) => answered(batches, 'NOT_LEADER_OR_FOLLOWER'));
    cluster.next('produce', ({ batches }) => answered(batches, 'NOT_LEADER_OR_FOLLOWER'));
    await send(producer, 't', 0, 'b');
    await send(producer, 't', 0, 'c');
    cluster.leaders.set('t', 5);
    release();
    await producer.flush();
    expect(cluster.batches).toEqual(['0: t/0@0 a', '0: t/0@1 b', '0: t/0@2 c', '5: t/0@1 b', '5: t/0@2 c']);
  });

  test('has at most so many requests on a connection, and none waits for another broker', async () => {
    const producer = producerWith({ maxInFlight: 2 });
    await send(producer, 't', 0, 'a');
    const release = [cluster.hold('produce'), cluster.hold('produce')];
    await send(producer, 't', 0, 'b');
    await send(producer, 't', 0, 'c');
    await send(producer, 't', 0, 'd');
    await send(producer, 't', 1, 'x');
    expect(cluster.batches).toEqual(['0: t/0@0 a', '0: t/0@1 b', '0: t/0@2 c', '1: t/1@0 x']);
    for (const one of release) one();
    await producer.flush();
    expect(cluster.batches.at(-1)).toBe('0: t/0@3 d');
  });

  test('gathers what is written while no more may be sent', async () => {
    const producer = producerWith();
    const release = cluster.hold('produce');
    await send(producer, 't', 0, 'a');
    for (const value of ['b', 'c', 'd']) await send(producer, 't', 0, value);
    release();
    await producer.flush();
    expect(cluster.batches).toEqual(['0: t/0@0 a', '0: t/0@1 b c d']);
  });

  test('sends a first batch alone again after a rest in which brokers forget producers', async () => {
    const producer = producerWith();
    await send(producer, 't', 0, 'a');
    await turn();
    const later = performance.now() + 6 * 60_000;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => later);
    const release = cluster.hold('produce');
    await send(producer, 't', 0, 'b');
    await send(producer, 't', 0, 'c');
    clock.mockRestore();
    expect(cluster.batches).toEqual(['0: t/0@0 a', '0: t/0@1 b']);
    release();
    await producer.flush();
    expect(cluster.batches.at(-1)).toBe('0: t/0@2 c');
  });

  test('closes a batch when it is full', async () => {
    const producer = producerWith({ batchBytes: 300 });
    for (let i = 0; i < 10; i++) producer.write('t', 0, 0, null, 'x'.repeat(50));
    await producer.flush();
    expect(cluster.batches.length).toBeGreaterThan(2);
    expect(told.acknowledged.reduce((a, b) => a + b)).toBe(10);
  });

  test('resolves a flush when all before it is there, whatever came since', async () => {
    const producer = producerWith();
    await send(producer, 't', 0, 'a');
    const release = [cluster.hold('produce'), cluster.hold('produce')];
    producer.write('t', 0, 0, null, 'b');
    let isFlushed = false;
    const flushed = producer.flush().then(() => {
      isFlushed = true;
    });
    await send(producer, 't', 0, 'c');
    expect(isFlushed).toBe(false);
    release[0]?.();
    await flushed;
    expect(producer.bufferedRecords).toBe(1);
    release[1]?.();
    await producer.flush();
    expect(producer.bufferedRecords).toBe(0);
  });

  test('says how much it holds', async () => {
    const producer = producerWith({ bufferBytes: 1_000 });
    producer.write('t', 0, 0, null, 'x'.repeat(600));
    expect(producer.isFull).toBe(false);
    producer.write('t', 1, 0, null, 'x'.repeat(600));
    expect(producer.isFull).toBe(true);
    expect(producer.bufferedBytes).toBeGreaterThan(1_200);
    await producer.flush();
    expect([producer.isFull, producer.bufferedBytes, producer.bufferedRecords]).toEqual([false, 0, 0]);
  });

  test('leaves the bytes alone that a lost request may still read', async () => {
    const producer = producerWith();
    let lostBytes: Buffer = Buffer.alloc(0);
    cluster.next('produce', ({ what }) => {
      lostBytes = (what as { batches: { records: Buffer }[] }).batches[0]?.records ?? lostBytes;
      return noConnection();
    });
    producer.write('t', 0, 0, null, 'first');
    await producer.flush();
    const before = Buffer.from(lostBytes);
    for (let i = 0; i < 3; i++) {
      producer.write('t', 0, 0, null, 'other');
      await producer.flush();
    }
    expect(lostBytes.equals(before)).toBe(true);
  });

  test.each([
    ['MESSAGE_TOO_LARGE', 'KAFKA_ANSWER', /max\.message\.bytes/],
    ['TOPIC_AUTHORIZATION_FAILED', 'KAFKA_SECURITY', /needs WRITE/],
    ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'PRODUCER_BROKEN', /restart from the last checkpoint/],
    ['INVALID_PRODUCER_EPOCH', 'PRODUCER_BROKEN', /restart from the last checkpoint/],
  ])('fails once when the broker refuses: %s', async (name, code, message) => {
    const producer = producerWith();
    cluster.next('produce', ({ batches }) => answered(batches, name));
    producer.write('t', 0, 0, null, 'a');
    producer.write('t', 1, 0, null, 'b');
    await expect(producer.flush()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(told.failures).toHaveLength(1);
    expect(() => producer.write('t', 0, 0, null, 'c')).toThrow(name);
    await expect(producer.flush()).rejects.toThrow(name);
  });

  test('fails with what is not a lost connection', async () => {
    const producer = producerWith();
    cluster.next('produce', () => {
      throw new KafkaSecurityError('the token has run out');
    });
    producer.write('t', 0, 0, null, 'a');
    await expect(producer.flush()).rejects.toThrow('the token has run out');
    expect(told.failures).toHaveLength(1);
  });

  test('fails when a partition has failed for the delivery timeout', async () => {
    const producer = producerWith({ deliveryTimeoutMs: 40 });
    cluster.answers.set('produce', ({ batches }) => answered(batches, 'NOT_ENOUGH_REPLICAS'));
    producer.write('t', 0, 0, null, 'a');
    await expect(producer.flush()).rejects.toMatchObject({
      code: 'DELIVERY_TIMEOUT',
      retriable: true,
      message: expect.stringMatching(
        /partition 0 of topic "t" of Kafka at kafka:\/\/fake for 40 ms: NOT_ENOUGH_REPLICAS/,
      ),
    });
  });

  test('goes on when a partition comes to have a leader', async () => {
    cluster.leaders.set('t', undefined);
    const producer = producerWith();
    const flushed = send(producer, 't', 0, 'a').then(() => producer.flush());
    await turn();
    cluster.leaders.set('t', 3);
    await flushed;
    expect(cluster.batches).toEqual(['3: t/0@0 a']);
  });

  test('tells who waits that it was closed, and hears of no answer any more', async () => {
    const producer = producerWith();
    const release = cluster.hold('produce');
    await send(producer, 't', 0, 'a');
    const flushed = producer.flush();
    producer.close();
    await expect(flushed).rejects.toThrow('was closed');
    release();
    await turn();
    expect(told).toEqual({ acknowledged: [], failures: [] });
  });
});

describe('a producer that is not idempotent', () => {
  test('has one batch of a partition on its way at a time, without a producer id', async () => {
    const producer = producerWith({ acks: 'leader', batchBytes: 100 });
    cluster.next('produce', noConnection);
    for (const value of ['a', 'b', 'c']) producer.write('t', 0, 0, null, value.repeat(60));
    await until(() => told.acknowledged.length === 3);
    expect(cluster.of('initProducerId')).toEqual([]);
    expect(cluster.of('produce')[0]?.what).toMatchObject({ acks: 1, transactionalId: undefined });
    const [a, b, c] = ['a', 'b', 'c'].map(value => `0: t/0@-1 ${value.repeat(60)}`);
    expect(cluster.batches).toEqual([a, a, b, c]);
  });

  test('lets nothing overtake a batch that failed', async () => {
    const producer = producerWith({ acks: 'leader' });
    await send(producer, 't', 0, 'a');
    const release = cluster.hold('produce', ({ batches }) => answered(batches, 'NOT_LEADER_OR_FOLLOWER'));
    await send(producer, 't', 0, 'b');
    await send(producer, 't', 0, 'c');
    release();
    await producer.flush();
    expect(cluster.batches).toEqual(['a', 'b', 'b', 'c'].map(value => `0: t/0@-1 ${value}`));
  });

  test('counts what is sent as there when nobody acknowledges it', async () => {
    const producer = producerWith({ acks: 'none' });
    producer.write('t', 0, 0, null, 'a');
    await producer.flush();
    expect(told.acknowledged).toEqual([1]);
    expect(cluster.of('produce')[0]?.what).toMatchObject({ acks: 0 });
  });
});
