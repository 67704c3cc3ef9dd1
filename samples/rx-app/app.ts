import { readFileSync } from 'node:fs';
import path from 'node:path';
import fastify, { type FastifyInstance } from 'fastify';
import type { Observable, Subject } from 'rxjs';
import type { PageEvent } from './board.ts';
import { parseReadings, type Reading } from './readings.ts';
import { sendEvents } from './server-sent-events.ts';

export interface AppOptions {
  /** The hot Observable of the app. */
  readonly readings$: Subject<Reading>;
  /** What each page is told. */
  readonly events$: Observable<PageEvent>;
  /** Whether somebody handles readings; while nobody does they are refused, so that the sender can try again. */
  isTaking(): boolean;
}

/** The app: takes readings, serves the page, and tells it what happens. */
export function rxApp({ readings$, events$, isTaking }: AppOptions): FastifyInstance {
  const app = fastify({ forceCloseConnections: true });
  const page = readFileSync(path.join(import.meta.dirname, 'page.html'), 'utf8');

  app.get('/', (_request, reply) => reply.type('text/html; charset=utf-8').send(page));

  app.get('/events', (_request, reply) => sendEvents(reply, events$));

  app.post('/readings', (request, reply) => {
    let readings: Reading[];
    try {
      readings = parseReadings(request.body, Date.now());
    } catch (error) {
      return reply.code(400).send({ error: (error as Error).message });
    }
    if (!isTaking()) return reply.code(503).header('retry-after', '1').send({ error: 'The job is not running.' });
    for (const reading of readings) readings$.next(reading);
    return reply.code(202).send({ taken: readings.length });
  });

  return app;
}
