import type { FastifyReply } from 'fastify';
import type { Observable } from 'rxjs';
import type { PageEvent } from './board.ts';

/** Bytes that may wait for a page that reads slowly; past them it is cut off, comes back by itself, and is told anew. */
const maxWaiting = 1_000_000;
/** ms; between comments that keep proxies from closing a quiet connection. */
const heartbeat = 15_000;
/** ms after which a page whose connection broke tries again. */
const retry = 500;

/** Answers with a stream of events that lasts until `events$` completes or the page goes. */
export function sendEvents(reply: FastifyReply, events$: Observable<PageEvent>): void {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache, no-transform' });
  raw.write(`retry: ${retry}\n\n`);
  const timer = setInterval(() => raw.write(': still here\n\n'), heartbeat);
  const subscription = events$.subscribe({
    next({ event, data }) {
      if (raw.destroyed) return;
      if (raw.writableLength > maxWaiting) raw.destroy();
      else raw.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    },
    error: () => raw.destroy(),
    complete: () => raw.end(),
  });
  raw.once('close', () => {
    clearInterval(timer);
    subscription.unsubscribe();
  });
}
