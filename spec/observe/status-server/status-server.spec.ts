import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { Gauge } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import { FencedError } from '../../../lib/errors.ts';
import { ListenError, SettingsError, serveStatus } from '../../../lib/index.ts';
import { openStatusServer, type StatusServer } from '../../../lib/observe/status-server/status-server.ts';
import { FakeHandle } from '../../cli/fake-handle.ts';

const open: Pick<StatusServer, 'close'>[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function served(handle = new FakeHandle()) {
  const server = await serveStatus(handle, { port: 0 });
  open.push(server);
  return { handle, ...server };
}

/** As `fetch`, but on connections of its own. */
async function ask(url: string, { method = 'GET', agent = new Agent() }: { method?: string; agent?: Agent } = {}) {
  const request = httpRequest(url, { method, agent });
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return { code: response.statusCode, headers: response.headers, body: await text(response) };
}

describe('serveStatus', () => {
  it('answers on loopback alone, unless told otherwise, about the job as it is then', async () => {
    const { handle, url, port } = await served();
    expect(url).toBe(`http://127.0.0.1:${port}`);
    expect(await ask(`${url}/readyz`)).toMatchObject({ code: 503, body: 'starting\n' });
    handle.show({ phase: 'running' });
    const { code, body, headers } = await ask(`${url}/readyz`);
    expect({ code, body }).toEqual({ code: 200, body: 'running\n' });
    expect(headers).toMatchObject({ 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
    expect(JSON.parse((await ask(`${url}/status`)).body)).toMatchObject({ job: 'delays', phase: 'running' });
  });

  it('gives the metrics with the content type that Prometheus asks for', async () => {
    const { handle, url } = await served();
    new Gauge({ name: 'lag', help: 'A lag.', registers: [handle.registry] }).set(3);
    const { code, body, headers } = await ask(`${url}/metrics`);
    expect(code).toBe(200);
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(body.split('\n')).toEqual(expect.arrayContaining(['# TYPE lag gauge', 'lag 3']));
  });

  it('says that a metric could not be read, and goes on', async () => {
    const { handle, url } = await served();
    const collect = () => {
      throw new Error('hunter2');
    };
    new Gauge({ name: 'broken', help: 'Throws.', registers: [handle.registry], collect });
    expect(await ask(`${url}/metrics`)).toMatchObject({ code: 500, body: 'A metric could not be read.\n' });
    expect(await ask(`${url}/healthz`)).toMatchObject({ code: 200 });
  });

  it('answers HEAD as GET, without a body', async () => {
    const { url } = await served();
    const got = await ask(`${url}/status`);
    const head = await ask(`${url}/status`, { method: 'HEAD' });
    expect(head).toMatchObject({ code: 200, body: '' });
    expect(head.headers['content-length']).toBe(`${Buffer.byteLength(got.body)}`);
    expect((await ask(`${url}/status`, { method: 'POST' })).headers.allow).toBe('GET, HEAD');
    expect(await ask(`${url}/`)).toMatchObject({ code: 404, body: expect.stringContaining('/healthz, /readyz') });
  });

  it('ends with the job, and with it connections that are kept open or have asked nothing', async () => {
    const { handle, url, port } = await served();
    const agent = new Agent({ keepAlive: true });
    await ask(`${url}/healthz`, { agent });
    const silent = connect(port, '127.0.0.1');
    await once(silent, 'connect');
    // The server knows of it once something that came later was answered.
    await ask(`${url}/healthz`);
    const ended = once(silent, 'close');
    handle.end('stopped');
    await ended;
    await expect(ask(`${url}/healthz`, { agent })).rejects.toThrow(/ECONNREFUSED|ECONNRESET|socket hang up/);
    await expect(ask(`${url}/healthz`)).rejects.toThrow('ECONNREFUSED');
    agent.destroy();
  });

  it('answers what was asked before its end', async () => {
    const { handle, url, close } = await served();
    const asked = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const collect = () => {
      asked.resolve();
      return go.promise;
    };
    new Gauge({ name: 'slow', help: 'Takes its time.', registers: [handle.registry], collect });
    const answer = ask(`${url}/metrics`);
    await asked.promise;
    const closed = close();
    go.resolve();
    expect(await answer).toMatchObject({ code: 200, body: expect.stringContaining('slow') });
    await closed;
  });

  it('does not wait for ever at its end for a metric that never comes', async () => {
    const { handle, url, close } = await served();
    const asked = Promise.withResolvers<void>();
    const collect = () => {
      asked.resolve();
      return new Promise<void>(() => {});
    };
    new Gauge({ name: 'never', help: 'Never there.', registers: [handle.registry], collect });
    const answer = expect(ask(`${url}/metrics`)).rejects.toThrow('socket hang up');
    await asked.promise;
    await close();
    await answer;
  });

  it('stays after a failure to tell of it, until it is closed', async () => {
    const { handle, url, close } = await served();
    handle.fail(new FencedError('another process runs it'));
    await handle.done.catch(() => {});
    expect(await ask(`${url}/healthz`)).toMatchObject({ code: 503, body: 'failed: FENCED: another process runs it\n' });
    expect(await ask(`${url}/status`)).toMatchObject({ code: 200, body: expect.stringContaining('"code":"FENCED"') });
    await Promise.all([close(), close()]);
    await expect(ask(`${url}/healthz`)).rejects.toThrow('ECONNREFUSED');
  });

  it.each([
    [{ port: 65_536 }, /port: 65536 was given; accepted is a whole number from 0 to 65535/],
    [{ port: '9464' as never }, /port: 9464 was given/],
    [{ port: 0, host: '' }, /host: accepted is a name or an address of this machine/],
  ])('refuses %j', async (options, text) => {
    const refused = serveStatus(new FakeHandle(), options);
    await expect(refused).rejects.toThrow(SettingsError);
    await expect(refused).rejects.toThrow(text);
  });

  it('says where a port is taken, or an address is not of this machine', async () => {
    const { port } = await served();
    const taken = serveStatus(new FakeHandle(), { port });
    await expect(taken).rejects.toThrow(ListenError);
    await expect(taken).rejects.toThrow(
      `The status cannot be served at 127.0.0.1:${port}: another process listens on port ${port}. Choose another port, or end that process.`,
    );
    // A documentation address (RFC 5737).
    await expect(serveStatus(new FakeHandle(), { port: 0, host: '192.0.2.1' })).rejects.toThrow(
      '192.0.2.1 is no address of this machine',
    );
  });
});

describe('openStatusServer', () => {
  it('tells that the job is starting until there is one', async () => {
    const server = await openStatusServer({ host: '127.0.0.1', port: 0 });
    open.push(server);
    expect(await ask(`${server.url}/healthz`)).toMatchObject({ code: 200, body: 'starting\n' });
    expect(await ask(`${server.url}/metrics`)).toMatchObject({ code: 503 });
    const handle = new FakeHandle();
    handle.show({ phase: 'running' });
    server.show(handle);
    expect(await ask(`${server.url}/metrics`)).toMatchObject({ code: 200 });
  });
});
