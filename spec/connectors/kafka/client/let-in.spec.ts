import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { kafkaClient } from '../../../../connectors/kafka/client/kafkajs/kafka-client.ts';
import type { KafkaClient } from '../../../../connectors/kafka/client/port.ts';
import { KafkaConnectionError, KafkaSecurityError } from '../../../../connectors/kafka/errors.ts';
import type { KafkaConnectionOptions, KafkaSasl } from '../../../../connectors/kafka/options.ts';
import { KeptLog } from '../../../services/kafka/client/log.ts';
import { type Asked, FakeBroker } from './fake-broker.ts';

const handshake = 17;
const authenticate = 36;
const plain: KafkaSasl = { mechanism: 'plain', username: 'app', password: 's3cret' };

let broker: FakeBroker;
let client: KafkaClient | undefined;

beforeEach(async () => {
  broker = await new FakeBroker().listen();
  broker.versions = { ...broker.versions, [handshake]: [0, 1], [authenticate]: [0, 1] };
});
afterEach(async () => {
  await client?.close();
  await broker[Symbol.asyncDispose]();
});

/** A broker with one mechanism of SASL, which does something of its own when it is to decide. */
function decides(mechanism: string, decide: (asked: Asked) => void): void {
  broker.onRequest = asked => {
    if (asked.api === handshake)
      asked.answer(into => into.int16(0).array([mechanism.toUpperCase()], m => into.string(m)));
    else if (asked.api === authenticate) decide(asked);
    else return false;
    return true;
  };
}

async function failureOfConnecting(options: KafkaConnectionOptions): Promise<unknown> {
  client = kafkaClient(
    { brokers: broker.address, requestTimeout: 200, connectTimeout: 1_000, ...options },
    new KeptLog(),
  );
  return await client.connect().then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('a broker that does not say whether it lets a client in', () => {
  // Else a rolling restart of the cluster would end jobs for good.
  it.each([
    ['hangs up', (asked: Asked) => asked.hangUp()],
    ['says nothing', () => {}],
  ])('because it %s is a lost connection, which is tried again', async (_, decide) => {
    decides('plain', decide);
    const error = await failureOfConnecting({ sasl: plain });
    expect(error).toBeInstanceOf(KafkaConnectionError);
    expect(error).toMatchObject({ retriable: true });
  });

  it('lets it in at a later try', async () => {
    let tries = 0;
    decides('plain', asked => {
      if (tries++ === 0) asked.hangUp();
      else asked.answer(into => into.int16(0).string(null).int32(0).int64(0));
    });
    expect(await failureOfConnecting({ sasl: plain, connectTimeout: 10_000 })).toBeUndefined();
  });
});

it('a broker that refuses a client has refused it', async () => {
  decides('plain', asked => asked.answer(into => into.int16(58).string('wrong password').int32(0).int64(0)));
  const error = await failureOfConnecting({ sasl: plain });
  expect(error).toBeInstanceOf(KafkaSecurityError);
});

it('a function that never gives its token holds nobody up', async () => {
  decides('oauthbearer', () => {});
  const token = () => new Promise<never>(() => {});
  const failure = failureOfConnecting({ sasl: { mechanism: 'oauthbearer', token } });
  const late = sleep(10_000, 'still waiting', { ref: false });
  expect(await Promise.race([failure, late])).toBeInstanceOf(KafkaConnectionError);
});

it('a first broker that takes connections and says nothing leaves time for the second', async () => {
  const silent = createServer(() => {});
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', () => resolve()));
  const { port } = silent.address() as { port: number };
  try {
    const brokers = [`127.0.0.1:${port}`, broker.address];
    expect(await failureOfConnecting({ brokers, connectTimeout: 2_000, requestTimeout: 30_000 })).toBeUndefined();
  } finally {
    await client?.close();
    silent.close();
  }
});
