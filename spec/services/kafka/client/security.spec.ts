import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { kafkaClient } from '../../../../connectors/kafka/client/kafkajs/kafka-client.ts';
import type { KafkaClient } from '../../../../connectors/kafka/client/port.ts';
import { KafkaConnectionError, KafkaSecurityError } from '../../../../connectors/kafka/errors.ts';
import type { KafkaConnectionOptions } from '../../../../connectors/kafka/options.ts';
import { freePort } from '../../../../tools/services/free-port.ts';
import { type KafkaServer, startKafka } from '../../../../tools/services/kafka/kafka.ts';
import { type Certificate, certificate } from './certificates.ts';
import { batchOf, leaderOf, newTopic } from './cluster.ts';
import { KeptLog } from './log.ts';

const user = 'alice';
const password = 'Th3-s3cret:of+alice';
const modules = 'org.apache.kafka.common.security';

let folder: string;
let server: KafkaServer;
let broker: Certificate;
let me: Certificate;
/** TLS and SASL, and TLS with certificates on both sides. */
let ports: { sasl: number; mutual: number };
let log: KeptLog;
let client: KafkaClient | undefined;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'tidemark-certificates-'));
  broker = certificate(folder, 'broker');
  me = certificate(folder, 'client');
  const [port, controllerPort] = [await freePort(), await freePort()];
  ports = { sasl: await freePort(), mutual: await freePort() };
  const listeners = { PLAINTEXT: port, SASL: ports.sasl, MUTUAL: ports.mutual };
  const at = (host: string) => Object.entries(listeners).map(([name, port]) => `${name}://${host}:${port}`);
  server = await startKafka({
    port,
    controllerPort,
    morePorts: [ports.sasl, ports.mutual],
    scramUsers: { [user]: password },
    settings: {
      listeners: [...at('0.0.0.0'), `CONTROLLER://127.0.0.1:${controllerPort}`].join(','),
      'advertised.listeners': at('localhost').join(','),
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_SSL,MUTUAL:SSL',
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': broker.store,
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': me.certFile,
      'listener.name.mutual.ssl.client.auth': 'required',
      'listener.name.sasl.sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-512,OAUTHBEARER',
      'listener.name.sasl.plain.sasl.jaas.config': `${modules}.plain.PlainLoginModule required user_${user}="${password}";`,
      'listener.name.sasl.oauthbearer.connections.max.reauth.ms': '60000',
      'listener.name.sasl.scram-sha-512.sasl.jaas.config': `${modules}.scram.ScramLoginModule required;`,
      'listener.name.sasl.oauthbearer.sasl.jaas.config': `${modules}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
    },
  });
}, 120_000);
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});
afterEach(() => client?.close());

function clientOf(options: KafkaConnectionOptions, port = ports.sasl): KafkaClient {
  log = new KeptLog();
  client = kafkaClient(
    { brokers: `localhost:${port}`, ssl: { ca: broker.cert }, connectTimeout: '60s', ...options },
    log,
  );
  return client;
}

/** All of an error that a log could show. */
const allOf = (error: unknown) => inspect(error, { depth: 10, showHidden: true });

async function refused(client: KafkaClient): Promise<Error> {
  const startedAt = performance.now();
  const error = await client.connect().then(
    () => new Error('it was let in'),
    (error: Error) => error,
  );
  expect(performance.now() - startedAt, 'promptly').toBeLessThan(30_000);
  return error;
}

/** A token that is not signed, as the broker's own verifier for tests takes it. */
function unsignedToken(claims: object): string {
  const part = (content: object) => Buffer.from(JSON.stringify(content)).toString('base64url');
  return `${part({ alg: 'none' })}.${part(claims)}.`;
}

const soon = () => Math.floor(Date.now() / 1000) + 60;

describe('a client is let in', () => {
  it.each(['scram-sha-512', 'plain'] as const)('with %s over TLS, on all of its connections', async mechanism => {
    const client = clientOf({ sasl: { mechanism, username: user, password } });
    await client.connect();
    const topic = await newTopic(client);
    const node = await leaderOf(client, topic);
    const batches = [{ topic, partition: 0, records: batchOf(['v']) }];
    const produced = await node.produce({ acks: -1, timeoutMs: 5_000, transactionalId: undefined, batches });
    expect(produced).toMatchObject([{ error: 'NONE' }]);
    const partitions = [{ topic, partition: 0, offset: 0, maxBytes: 1_000_000 }];
    const limits = { maxWaitMs: 2_000, minBytes: 1, maxBytes: 1_000_000 };
    expect(await node.fetch({ isolation: 'read_committed', ...limits, partitions })).toMatchObject([{ error: 'NONE' }]);
    expect(log.lines.join('\n')).not.toContain(password);
  });

  it('with a token of OAUTHBEARER, which is asked for on every connection', async () => {
    let asked = 0;
    const token = async () => {
      asked++;
      return { value: unsignedToken({ sub: user, exp: soon(), iat: soon() - 120 }), extensions: { team: 'tides' } };
    };
    const client = clientOf({ sasl: { mechanism: 'oauthbearer', token } });
    const topic = await newTopic(client);
    const node = await leaderOf(client, topic);
    const batches = [{ topic, partition: 0, records: batchOf(['v']) }];
    await node.produce({ acks: -1, timeoutMs: 5_000, transactionalId: undefined, batches });
    expect(asked).toBe(2);
  });

  it('with a certificate of its own', async () => {
    const client = clientOf({ ssl: { ca: broker.cert, cert: me.cert, key: me.key } }, ports.mutual);
    expect(await client.clusterId()).not.toBe('');
  });

  it('again on the same connection, in time before its session ends', async () => {
    let asked = 0;
    // The session ends with the token, and is renewed 10 s before.
    const token = async () => {
      asked++;
      return { value: unsignedToken({ sub: user, exp: soon() - 48, iat: soon() - 120 }) };
    };
    const client = clientOf({ sasl: { mechanism: 'oauthbearer', token } });
    while (asked < 3) await Promise.all([client.topics(['a']), client.topics(['b'])]);
    expect(log.lines).toEqual([]);
  });
});

describe('a session that is about to end whenever it begins', () => {
  it('is renewed no oftener than the broker allows', async () => {
    let asked = 0;
    const token = async () => {
      asked++;
      return { value: unsignedToken({ sub: user, exp: soon() - 51, iat: soon() - 120 }) };
    };
    const client = clientOf({ sasl: { mechanism: 'oauthbearer', token } });
    while (asked < 2) await Promise.all([client.topics(['a']), client.topics(['b'])]);
    expect(await client.topics(['a'])).toEqual([]);
    expect(log.lines).toEqual([]);
  });
});

describe('a client is refused', () => {
  it.each(['scram-sha-512', 'plain'] as const)(
    'with a wrong password for %s, which nothing repeats',
    async mechanism => {
      const wrong = 'not-the-s3cret';
      const error = await refused(clientOf({ sasl: { mechanism, username: user, password: wrong } }));
      expect(error).toBeInstanceOf(KafkaSecurityError);
      expect(error.message).toMatch(/localhost:\d+.*authentication failed.*Check sasl/is);
      for (const text of [allOf(error), ...log.lines]) {
        expect(text).not.toContain(wrong);
        expect(text).not.toContain(Buffer.from(`\0${user}\0${wrong}`).toString('base64'));
      }
    },
  );

  it('with a token that is no longer good', async () => {
    const value = unsignedToken({ sub: user, exp: soon() - 3_600, iat: soon() - 7_200 });
    const error = await refused(clientOf({ sasl: { mechanism: 'oauthbearer', token: async () => ({ value }) } }));
    expect(error).toBeInstanceOf(KafkaSecurityError);
    expect(error.message).toMatch(/token was refused/);
    for (const text of [allOf(error), ...log.lines]) expect(text).not.toContain(value);
  });

  it('when its token cannot be had', async () => {
    const token = async () => Promise.reject(new Error('the identity provider is down'));
    const error = await refused(clientOf({ connectTimeout: 1_000, sasl: { mechanism: 'oauthbearer', token } }));
    expect(error.message).toContain('the identity provider is down');
  });

  it('with a mechanism that the broker does not have', async () => {
    const error = await refused(clientOf({ sasl: { mechanism: 'scram-sha-256', username: user, password } }));
    expect(error).toBeInstanceOf(KafkaSecurityError);
    expect(error.message).toMatch(/SASL mechanism/);
  });

  it('when it does not trust the certificate of the broker', async () => {
    const error = await refused(clientOf({ ssl: true, sasl: { mechanism: 'plain', username: user, password } }));
    expect(error).toBeInstanceOf(KafkaSecurityError);
    expect(error.message).toMatch(/certificate.*Check ssl/is);
  });

  it('without a certificate where the broker wants one', async () => {
    const error = await refused(clientOf({ ssl: { ca: broker.cert } }, ports.mutual));
    expect(error).toBeInstanceOf(KafkaSecurityError);
    expect(error.message).toMatch(/Check ssl/);
  });

  it('without TLS where the broker wants it, and the other way round', async () => {
    const plain = await refused(clientOf({ ssl: false, connectTimeout: 1_000 }));
    expect(plain).toBeInstanceOf(KafkaConnectionError);
    const tls = await refused(clientOf({ connectTimeout: 1_000 }, server.port));
    expect(tls.message).toMatch(/TLS/);
  });
});
