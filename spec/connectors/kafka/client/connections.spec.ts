import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { kafkaClient } from '../../../../connectors/kafka/client/kafkajs/kafka-client.ts';
import type { KafkaClient, KafkaNode } from '../../../../connectors/kafka/client/port.ts';
import { KafkaAnswerError, KafkaConnectionError } from '../../../../connectors/kafka/errors.ts';
import type { KafkaConnectionOptions } from '../../../../connectors/kafka/options.ts';
import { freePort } from '../../../../tools/services/free-port.ts';
import { KeptLog } from '../../../services/kafka/client/log.ts';
import { type Asked, FakeBroker } from './fake-broker.ts';

const api = { produce: 0, fetch: 1, listOffsets: 2, metadata: 3, findCoordinator: 10, versions: 18, endTxn: 26 };

let broker: FakeBroker;
let client: KafkaClient;
let log: KeptLog;

beforeEach(async () => {
  broker = await new FakeBroker().listen();
});
afterEach(async () => {
  await client.close();
  await broker[Symbol.asyncDispose]();
});

function clientOf(options: KafkaConnectionOptions = {}): KafkaClient {
  log = new KeptLog();
  client = kafkaClient({ brokers: broker.address, ...options }, log);
  return client;
}

/** The broker says of itself that it coordinates everything. */
const coordinates = ({ api: asked, answer }: Asked): boolean => {
  if (asked !== api.findCoordinator) return false;
  answer(into => into.int32(0).int16(0).string(null).int32(1).string('127.0.0.1').int32(broker.port));
  return true;
};

const me = { transactionalId: 'me', producerId: 1, producerEpoch: 0 };
const endTxn = (node: KafkaNode) => node.endTxn(me, 'commit');

async function coordinatorOf(client: KafkaClient): Promise<KafkaNode> {
  return await client.coordinator('transaction', 'me');
}

const failureOf = (work: Promise<unknown>): Promise<Error> =>
  work.then(
    () => new Error('it did not fail'),
    (error: Error) => error,
  );

describe('looking for a coordinator', () => {
  it('takes another connection where the one that is there says nothing any more', async () => {
    await clientOf().connect();
    broker.onRequest = asked => asked.connection === 1 || coordinates(asked);
    expect((await coordinatorOf(client)).id).toBe(1);
    expect(broker.asked.filter(({ api: asked }) => asked === api.findCoordinator)).toEqual([
      { api: api.findCoordinator, connection: 1 },
      { api: api.findCoordinator, connection: 2 },
    ]);
  });

  it('fails in time where no connection says anything', async () => {
    await clientOf({ requestTimeout: '1500ms', connectTimeout: '500ms' }).connect();
    broker.onRequest = () => true;
    const error = await failureOf(coordinatorOf(client));
    expect(error).toBeInstanceOf(KafkaConnectionError);
    expect(error.message).toContain('did not answer');
  });
});

describe('connecting', () => {
  it('is tried again until a broker is there', async () => {
    const port = await freePort();
    const late = new FakeBroker();
    try {
      const connecting = clientOf({ brokers: `127.0.0.1:${port}` }).connect();
      await late.listen(port);
      await connecting;
      expect(await client.clusterId()).toBe('fake-cluster');
    } finally {
      await client.close();
      await late[Symbol.asyncDispose]();
    }
  });

  it('fails within its time and names the brokers', async () => {
    const nobody = [await freePort(), await freePort()].map(port => `127.0.0.1:${port}`);
    const startedAt = performance.now();
    const error = await failureOf(clientOf({ brokers: nobody, connectTimeout: 400 }).connect());
    expect(error).toBeInstanceOf(KafkaConnectionError);
    for (const address of nobody) expect(error.message).toContain(address);
    expect(error.message).toMatch(/within 400 ms.*ECONNREFUSED.*KAFKA_BROKERS/s);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it('goes on to the next broker when the first says nothing', async () => {
    await using silent = await new FakeBroker().listen();
    silent.onRequest = () => true;
    await clientOf({ brokers: [silent.address, broker.address], requestTimeout: 100 }).connect();
    expect(await client.clusterId()).toBe('fake-cluster');
  });

  it('is one for all who ask for it at once', async () => {
    await Promise.all([clientOf().connect(), client.connect(), client.clusterId()]);
    expect(broker.openConnections).toBe(1);
  });
});

describe('a lost connection', () => {
  it('fails what was asked, and is made again for the next request', async () => {
    let calls = 0;
    broker.onRequest = asked => {
      if (asked.api !== api.endTxn) return coordinates(asked);
      calls++;
      if (calls === 1) asked.hangUp();
      else asked.answer(into => into.int32(0).int16(0));
      return true;
    };
    const node = await coordinatorOf(clientOf());
    const error = await failureOf(endTxn(node));
    expect(error).toBeInstanceOf(KafkaConnectionError);
    expect(error.message).toContain(broker.address);
    const next = endTxn(node);
    await new Promise(setImmediate);
    expect([await next, await endTxn(node)]).toEqual(['NONE', 'NONE']);
    expect(calls, 'what may have taken effect is not repeated').toBe(3);
  });

  it('carries nothing before it is ready again', async () => {
    let hangUp = () => {};
    broker.onRequest = asked => {
      if (asked.api !== api.endTxn) return coordinates(asked);
      hangUp = asked.hangUp;
      asked.answer(into => into.int32(0).int16(0));
      return true;
    };
    const node = await coordinatorOf(clientOf());
    await endTxn(node);
    hangUp();
    await failureOf(endTxn(node));
    const asked = [endTxn(node)];
    for (let turn = 0; turn < 3; turn++) {
      await Promise.resolve();
      asked.push(endTxn(node));
    }
    expect(await Promise.all(asked)).toEqual(['NONE', 'NONE', 'NONE', 'NONE']);
    expect([...broker.first.values()], 'first on every connection').toEqual([api.versions, api.versions]);
  });

  it('is noticed while nothing is asked', async () => {
    let hangUp = () => {};
    broker.onRequest = asked => {
      hangUp = asked.hangUp;
      return coordinates(asked);
    };
    const node = await coordinatorOf(clientOf());
    hangUp();
    broker.onRequest = asked => {
      asked.answer(into => into.int32(0).int16(0));
      return true;
    };
    while (broker.openConnections > 0) await new Promise(setImmediate);
    await new Promise(setImmediate); // the client sees it a turn after the broker
    await new Promise(setImmediate);
    expect(await endTxn(node)).toBe('NONE');
  });
});

describe('a broker that does not answer', () => {
  it('fails the request in its time; the next one finds another connection', async () => {
    const connections: number[] = [];
    broker.onRequest = asked => {
      if (asked.api !== api.endTxn) return coordinates(asked);
      connections.push(asked.connection);
      if (connections.length > 2) asked.answer(into => into.int32(0).int16(0));
      return true;
    };
    const node = await coordinatorOf(clientOf({ requestTimeout: 150 }));
    const errors = await Promise.all([failureOf(endTxn(node)), failureOf(endTxn(node))]);
    for (const error of errors) expect(error).toBeInstanceOf(KafkaConnectionError);
    expect(await endTxn(node)).toBe('NONE');
    expect(connections[2]).not.toBe(connections[1]);
  });

  it('has as long for a fetch as the fetch may wait', async () => {
    broker.onRequest = asked => {
      if (asked.api !== api.fetch) return coordinates(asked);
      setTimeout(() => asked.answer(into => into.int32(0).int16(0).int32(0).int32(0)), 300);
      return true;
    };
    const node = await coordinatorOf(clientOf({ requestTimeout: 150 }));
    const partitions = [{ topic: 't', partition: 0, offset: 0, maxBytes: 1 }];
    const request = { isolation: 'read_committed', minBytes: 1, maxBytes: 1, partitions } as const;
    expect(await node.fetch({ ...request, maxWaitMs: 500 })).toEqual([]);
  });

  it('answers unreadably: that is told, and nothing hangs', async () => {
    broker.onRequest = asked => {
      if (asked.api !== api.endTxn) return coordinates(asked);
      asked.answer(into => into.int16(0));
      return true;
    };
    const error = await failureOf(endTxn(await coordinatorOf(clientOf())));
    expect(error.message).toMatch(/EndTxn: its answer cannot be read/);
  });
});

describe('requests', () => {
  it('go out in the order in which they were asked, also those that waited for the connection', async () => {
    const seen: string[] = [];
    broker.onRequest = asked => {
      if (asked.api !== api.produce) return coordinates(asked);
      seen.push(asked.body.nullableString() ?? '');
      asked.answer(into => into.int32(0).int32(0));
      return true;
    };
    const node = await coordinatorOf(clientOf());
    const produce = (name: string) => node.produce({ acks: -1, timeoutMs: 1_000, transactionalId: name, batches: [] });
    const first = ['a', 'b', 'c'].map(produce);
    const then = first[0]?.then(() => produce('e'));
    const while_ = new Promise(setImmediate).then(() => produce('d'));
    await Promise.all([...first, then, while_]);
    expect(seen.join('')).toMatch(/^abc(de|ed)$/);
  });

  it('are not sent to a broker that is too old for them', async () => {
    broker.versions = { ...broker.versions, 9: [0, 5] };
    broker.onRequest = coordinates;
    const error = await failureOf((await coordinatorOf(clientOf())).offsetFetch('g', undefined, true));
    expect(error).toBeInstanceOf(KafkaAnswerError);
    expect(error).toMatchObject({ errorName: 'UNSUPPORTED_VERSION', retriable: false });
    expect(error.message).toMatch(/OffsetFetch.*0 to 5.*2\.5/);
  });

  it('for the same coordinator at once are one; forgotten, it is asked for again', async () => {
    broker.onRequest = coordinates;
    const nodes = await Promise.all([coordinatorOf(clientOf()), coordinatorOf(client)]);
    expect(nodes[0]).toBe(nodes[1]);
    expect(client.coordinator('transaction', 'me')).toBe(nodes[0]);
    client.forgetCoordinator('transaction', 'me');
    expect(await client.coordinator('transaction', 'me')).toBe(nodes[0]);
    expect(broker.asked.filter(asked => asked.api === api.findCoordinator)).toHaveLength(2);
  });

  it('for a coordinator are repeated while its topic is being made', async () => {
    let calls = 0;
    broker.onRequest = asked => {
      if (asked.api !== api.findCoordinator || ++calls > 2) return coordinates(asked);
      asked.answer(into => into.int32(0).int16(15).string(null).int32(-1).string('').int32(-1));
      return true;
    };
    expect((await coordinatorOf(clientOf())).id).toBe(1);
  });
});

describe('closing', () => {
  it('fails what waits for an answer, leaves no connection, and may be repeated', async () => {
    broker.onRequest = asked => asked.api === api.endTxn || coordinates(asked);
    const node = await coordinatorOf(clientOf());
    const waiting = failureOf(endTxn(node));
    while (!broker.asked.some(asked => asked.api === api.endTxn)) await new Promise(setImmediate);
    await client.close();
    await client.close();
    expect((await waiting).message).toMatch(/closed/);
    expect((await failureOf(endTxn(node))).message).toMatch(/closed/);
    expect((await failureOf(client.connect())).message).toMatch(/closed/);
    while (broker.openConnections > 0) await new Promise(setImmediate);
  });

  it('ends a connection attempt', async () => {
    const error = failureOf(clientOf({ brokers: `127.0.0.1:${await freePort()}` }).connect());
    await client.close();
    expect(await error).toBeInstanceOf(KafkaConnectionError);
  });
});
