import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  SchemaRegistryError,
  SchemaRegistryUnavailableError,
} from '../../../../connectors/kafka/format/registry/errors.ts';
import type { SchemaRegistryOptions } from '../../../../connectors/kafka/format/registry/options.ts';
import { SchemaRegistry } from '../../../../connectors/kafka/format/registry/schema-registry.ts';
import { SettingsError } from '../../../../lib/index.ts';
import { RegistryServer } from './registry-server.ts';

let server: RegistryServer;

beforeEach(async () => {
  server = await RegistryServer.start();
});

afterEach(() => server[Symbol.asyncDispose]());

const payment = { type: 'record', name: 'shop.Payment', fields: [{ name: 'cents', type: 'long' }] };

const registryAt = (options: Partial<SchemaRegistryOptions> = {}) =>
  new SchemaRegistry({ url: server.url, ...options });

async function errorOf(work: Promise<unknown>): Promise<Error> {
  const error = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (error instanceof Error) return error;
  throw new Error('nothing was thrown');
}

/** An address at which nobody listens. */
async function closedUrl(): Promise<string> {
  await using gone = await RegistryServer.start();
  return gone.url;
}

describe('asking', () => {
  test('the schema of an id is asked for once', async () => {
    const id = server.add('payments-value', payment);
    const registry = registryAt();
    expect(await registry.schema(id)).toEqual({
      schemaType: 'AVRO',
      schema: JSON.stringify(payment),
      references: [],
    });
    await registry.schema(id);
    expect(server.requests).toEqual([`GET /schemas/ids/${id}`]);
  });

  test('what is not there is not cached', async () => {
    const registry = registryAt();
    expect(await registry.schema(1)).toBeUndefined();
    expect(await registry.latest('payments-value')).toBeUndefined();
    expect(await registry.lookUp('payments-value', JSON.stringify(payment))).toBeUndefined();
    const id = server.add('payments-value', payment);
    expect(await registry.schema(1)).toMatchObject({ schema: JSON.stringify(payment) });
    expect(await registry.latest('payments-value')).toMatchObject({ id });
    expect(await registry.lookUp('payments-value', JSON.stringify(payment))).toBe(id);
    expect(await registry.lookUp('payments-value', '"string"')).toBeUndefined();
  });

  test('a schema that is registered again keeps its id, under another subject too', async () => {
    const registry = registryAt();
    const id = await registry.register('a/b c-value', JSON.stringify(payment));
    expect(await registry.register('a/b c-value', JSON.stringify(payment))).toBe(id);
    expect(await registry.register('other', JSON.stringify(payment))).toBe(id);
    expect(server.requests[0]).toBe('POST /subjects/a%2Fb%20c-value/versions');
  });

  test('references come in such an order that each stands behind what it names', async () => {
    server.add('card', { type: 'record', name: 'Card', fields: [{ name: 'id', type: 'string' }] });
    const cardReference = { name: 'Card', subject: 'card', version: 1 };
    server.add(
      'holder',
      { type: 'record', name: 'Holder', fields: [{ name: 'card', type: 'Card' }] },
      { references: [cardReference] },
    );
    const id = server.add(
      'deal',
      {
        type: 'record',
        name: 'Deal',
        fields: [
          { name: 'holder', type: 'Holder' },
          { name: 'card', type: 'Card' },
        ],
      },
      { references: [{ name: 'Holder', subject: 'holder', version: 1 }, cardReference] },
    );
    const found = await registryAt().schema(id);
    expect(found?.references.map(text => (JSON.parse(text) as { name: string }).name)).toEqual(['Card', 'Holder']);
  });

  test('a path in the URL stands in front of those of the registry', async () => {
    const registry = new SchemaRegistry(`${server.url}/api/v7/`);
    const error = await errorOf(registry.schema(3));
    expect(server.requests).toEqual(['GET /api/v7/schemas/ids/3']);
    expect(error.message).toContain('What answers there is no schema registry: check the URL, with its path.');
  });
});

describe('credentials', () => {
  test('a function that never gives its token is like a registry that does not answer', async () => {
    const registry = registryAt({ auth: { token: () => new Promise<never>(() => {}) }, timeout: 50, retries: 0 });
    await expect(registry.check()).rejects.toThrow(SchemaRegistryUnavailableError);
  });

  test('basic authentication and bearer tokens are sent', async () => {
    await registryAt({ auth: { username: 'Aladdin', password: 'öpen' } }).check();
    await registryAt({ auth: { token: 'abc' } }).check();
    let count = 0;
    const renewed = registryAt({ auth: { token: async () => `t${++count}` } });
    await renewed.check();
    await renewed.check();
    const withUser = server.url.replace('//', '//Aladdin:p%40ss%2Fword@');
    await new SchemaRegistry(withUser).check();
    await registryAt().check();
    const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
    expect(server.authorizations).toEqual([
      basic('Aladdin:öpen'),
      'Bearer abc',
      'Bearer t1',
      'Bearer t2',
      basic('Aladdin:p@ss/word'),
      undefined,
    ]);
  });

  test('that are refused are named as such, at once, and not repeated in the error', async () => {
    server.accepts = 'Bearer right';
    const error = await errorOf(new SchemaRegistry(server.url.replace('//', '//aladdin:hushhush@')).schema(1));
    expect(error).toBeInstanceOf(SchemaRegistryError);
    expect(error).toMatchObject({ status: 401, retriable: false });
    expect(error.message).toBe(
      `The schema registry at ${server.url} did not read the schema with id 1 (HTTP 401, code 401): Unauthorized. ` +
        'Check user and password, or the token.',
    );
    expect(server.requests).toHaveLength(1);
  });

  test('show up in no error about the registry', async () => {
    const url = (await closedUrl()).replace('//', '//aladdin:hushhush@');
    const registry = new SchemaRegistry({ url, retries: 0 });
    const error = await errorOf(registry.schema(1));
    for (const text of [String(error), JSON.stringify(error), String(error.cause), registry.location]) {
      expect(text).not.toMatch(/hushhush|aladdin/);
    }
  });
});

describe('outages', () => {
  test('errors that may pass are repeated', async () => {
    const id = server.add('payments-value', payment);
    server.meet({ status: 500, body: '{"error_code":50001,"message":"store"}' }, { kind: 'hang-up' }, { status: 429 });
    expect(await registryAt().schema(id)).toMatchObject({ schemaType: 'AVRO' });
    expect(server.requests).toHaveLength(4);
  });

  test('the last failure counts after the last repeat', async () => {
    server.meet({ status: 503, body: '{"error_code":50003,"message":"no leader"}', times: 9 });
    const error = await errorOf(registryAt({ retries: 1 }).register('totals-value', '"string"'));
    expect(error).toBeInstanceOf(SchemaRegistryUnavailableError);
    expect(error).toMatchObject({ retriable: true, fault: 'external' });
    expect(error.message).toBe(
      `The schema registry at ${server.url} could not register the schema of subject "totals-value" (HTTP 503): no leader`,
    );
    expect(server.requests).toHaveLength(2);
  });

  test('no answer within the timeout is one', async () => {
    server.meet({ kind: 'silence', times: 2 });
    const error = await errorOf(registryAt({ timeout: 30, retries: 1 }).schema(1));
    expect(error).toBeInstanceOf(SchemaRegistryUnavailableError);
    expect(error.message).toContain('could not be asked to read the schema with id 1: no answer within 30 ms');
    expect(server.requests).toHaveLength(2);
  });

  test('nobody there is one, and says what was met', async () => {
    const error = await errorOf(new SchemaRegistry({ url: await closedUrl(), retries: 0 }).check());
    expect(error).toBeInstanceOf(SchemaRegistryUnavailableError);
    expect(error.message).toContain('ECONNREFUSED');
  });

  test('of several URLs the next one is asked, and the one that answered stays the first', async () => {
    await using other = await RegistryServer.start();
    const registry = new SchemaRegistry({ url: [server.url, other.url] });
    server.meet({ kind: 'hang-up' });
    await registry.check();
    await registry.check();
    expect([server.requests.length, other.requests.length]).toEqual([1, 2]);
  });

  test('an abort ends a request and the pauses between them', async () => {
    const reason = new Error('closed');
    server.meet({ kind: 'silence' });
    const asking = new AbortController();
    const asked = errorOf(registryAt().schema(1, asking.signal));
    await expect.poll(() => server.requests.length).toBe(1);
    asking.abort(reason);
    expect(await asked).toBe(reason);

    const pausing = new AbortController();
    const registry = registryAt({ auth: { token: () => 'abc' }, retries: 20 });
    server.meet({ status: 500, times: 100 });
    const repeated = errorOf(registry.schema(1, pausing.signal));
    await expect.poll(() => server.requests.length).toBeGreaterThan(2);
    pausing.abort(reason);
    const ended = await repeated;
    expect(ended === reason || ended.cause === reason).toBe(true);
  });

  test('what answers and is no registry is told from one', async () => {
    server.meet({ status: 200, body: '<html>' }, { status: 404, body: '<html>' }, { status: 200, body: '{"a":1}' });
    for (let i = 0; i < 3; i++) {
      const error = await errorOf(registryAt().schema(1));
      expect(error).toBeInstanceOf(SchemaRegistryError);
      expect(error.message).toMatch(/check the URL, with its path/i);
    }
  });

  test('a registry that does not know how to say what it knows is one nevertheless', async () => {
    server.meet({ status: 404, body: '{"error_code":404,"message":"HTTP 404 Not Found"}' });
    await registryAt().check();
    server.meet({ status: 404, body: '<html>' });
    expect(await errorOf(registryAt().check())).toBeInstanceOf(SchemaRegistryError);
  });
});

describe('options', () => {
  const problemsOf = (options: unknown): string => {
    try {
      new SchemaRegistry(options as SchemaRegistryOptions);
    } catch (error) {
      expect(error).toBeInstanceOf(SettingsError);
      return String(error);
    }
    throw new Error('nothing was thrown');
  };

  test.each([
    ['ftp://host', /"ftp:" was given/],
    ['no url with hushhush in it', /cannot be read as a URL/],
    ['http://user:hush#hush@host', /percent-encoded/],
    ['http://user:%E0%A4%A@host', /percent-encoded/],
    [{ url: [] }, /url/],
    [{ url: 'http://a', timeout: 'soon', retries: 21, retires: 1 }, /timeout[\s\S]*retries: 21[\s\S]*"retires"/],
    [{ url: 'http://a', auth: 'hushhush' }, /auth: accepted is/],
    [{ url: 'http://a', auth: { username: 'u', password: 'hushhush', token: 'hushhush' } }, /auth: accepted is/],
    [{ url: 'http://a', auth: { username: 'u:v', password: 'hushhush' } }, /auth: accepted is/],
    [{ url: 'http://u:hushhush@a', auth: { token: 'hushhush' } }, /it stands in the URL as well/],
  ])('that are wrong are refused without the secrets in them (case %#)', (options, expected) => {
    const problems = problemsOf(options);
    expect(problems).toMatch(expected);
    expect(problems).not.toMatch(/hush/);
  });
});
