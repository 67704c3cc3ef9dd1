import { once } from 'node:events';
import { connect } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { concat, NEVER, Observable, of, Subject } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { rxApp } from '../../../samples/rx-app/app.ts';
import type { PageEvent } from '../../../samples/rx-app/board.ts';
import type { Reading } from '../../../samples/rx-app/readings.ts';

const apps: FastifyInstance[] = [];
afterEach(() => Promise.all(apps.splice(0).map(app => app.close())));

function appOf({ events$ = NEVER as Observable<PageEvent>, isTaking = true } = {}) {
  const taken: Reading[] = [];
  const readings$ = new Subject<Reading>();
  readings$.subscribe(reading => taken.push(reading));
  const app = rxApp({ readings$, events$, isTaking: () => isTaking });
  apps.push(app);
  return { app, taken, post: (payload: object) => app.inject({ method: 'POST', url: '/readings', payload }) };
}

const alert: PageEvent = { event: 'alert', data: { kind: 'back', sensor: 'roof', at: 5 } };

describe('the app of the sample rx-app', () => {
  it('gives its Observable the readings that are posted, one or many, with the time of the clock where they have none', async () => {
    const { taken, post } = appOf();
    const before = Date.now();
    expect((await post({ sensor: 'roof', celsius: 30 })).json()).toEqual({ taken: 1 });
    const many = await post([
      { sensor: 'cellar', celsius: 10, at: 7 },
      { sensor: 'cellar', celsius: 11, at: 8 },
    ]);
    expect([many.statusCode, many.json()]).toEqual([202, { taken: 2 }]);
    expect(taken).toEqual([
      { sensor: 'roof', celsius: 30, at: expect.any(Number) },
      { sensor: 'cellar', celsius: 10, at: 7 },
      { sensor: 'cellar', celsius: 11, at: 8 },
    ]);
    expect(taken[0]?.at).toBeGreaterThanOrEqual(before);
    expect(taken[0]?.at).toBeLessThanOrEqual(Date.now());
  });

  it.each([
    [{ sensor: 'a b', celsius: 1 }, 'give 1 to 32 letters'],
    [{ sensor: 'roof', celsius: '30' }, 'give a number'],
    [{ sensor: 'roof', celsius: 1, at: -1 }, 'give whole ms'],
    [{ sensor: 'roof', celsius: 1, at: Date.now() + 3_600_000 }, 'ahead of ours'],
    [{ sensor: 'roof', celsius: 1, room: 2 }, 'room'],
    [[{ sensor: 'roof', celsius: 1 }, {}], 'sensor'],
    [Array.from({ length: 1_001 }, () => ({ sensor: 'roof', celsius: 1 })), 'at most 1,000'],
  ])('refuses what is no reading, and takes none of a list with one: %j', async (posted, reason) => {
    const { taken, post } = appOf();
    const answer = await post(posted);
    expect(answer.statusCode).toBe(400);
    expect(answer.json().error).toContain(reason);
    expect(taken).toEqual([]);
  });

  it('refuses readings while nobody takes them', async () => {
    const { taken, post } = appOf({ isTaking: false });
    const answer = await post({ sensor: 'roof', celsius: 30 });
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '1']);
    expect(taken).toEqual([]);
  });

  it('serves the page', async () => {
    const { app } = appOf();
    const answer = await app.inject({ url: '/' });
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(answer.body).toMatch(/^<!doctype html>/);
  });

  it('sends events until there are no more', async () => {
    const { app } = appOf({ events$: of(alert, alert) });
    const { headers, body } = await app.inject({ url: '/events' });
    expect(headers['content-type']).toBe('text/event-stream');
    const sent = 'event: alert\ndata: {"kind":"back","sensor":"roof","at":5}\n\n';
    expect(body).toBe(`retry: 500\n\n${sent}${sent}`);
  });

  it('leaves the events when a page goes', async () => {
    const left = Promise.withResolvers<void>();
    const events$ = concat(of(alert), new Observable<PageEvent>(() => left.resolve));
    const { app } = appOf({ events$ });
    const page = new AbortController();
    const answer = await fetch(`${await app.listen({ port: 0 })}/events`, { signal: page.signal });
    await answer.body?.getReader().read();
    page.abort();
    await left.promise;
  });

  it('cuts off a page that does not read, and keeps no more than a bounded part of what it is told', async () => {
    const flood: PageEvent = { event: 'alert', data: { kind: 'back', sensor: 'x'.repeat(100_000), at: 5 } };
    let told = 0;
    const left = Promise.withResolvers<void>();
    const { app } = appOf({
      events$: new Observable(subscriber => {
        const timer = setInterval(() => {
          told++;
          subscriber.next(flood);
        });
        return () => {
          clearInterval(timer);
          left.resolve();
        };
      }),
    });
    await app.listen({ port: 0 });
    const { port } = app.server.address() as { port: number };
    const socket = connect(port, '127.0.0.1').pause();
    await once(socket, 'connect');
    socket.write('GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await left.promise;
    socket.destroy();
    // The system takes some megabytes, and the app one.
    expect(told).toBeGreaterThan(10);
    expect(told).toBeLessThan(500);
  });
});
