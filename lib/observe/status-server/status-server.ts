import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ListenAddress, urlOf } from './listen-address.ts';
import { ListenError } from './listen-error.ts';
import { type Answer, answer, type StatusSubject } from './routes.ts';

/** Tells over HTTP how a job is. It keeps no process alive. */
export interface StatusServer {
  /** `http://127.0.0.1:9464`, with the port that it has. */
  readonly url: string;
  readonly port: number;
  /** From now on it tells of this job; before, that it is starting. */
  show(subject: StatusSubject): void;
  /** Answers what was asked, and ends every connection. Never rejects. */
  close(): Promise<void>;
}

/** Ample for a probe or a scrape; whoever is slower is cut off. */
const requestTimeoutMs = 10_000;
const closeTimeoutMs = 1_000;
const mostConnections = 100;

/** Listens; rejects with a `ListenError` where that cannot be had. */
export async function openStatusServer(at: ListenAddress): Promise<StatusServer> {
  let subject: StatusSubject | undefined;
  const underWay = new Set<ServerResponse>();
  const server = createServer(
    { requestTimeout: requestTimeoutMs, headersTimeout: requestTimeoutMs },
    (request, response) => {
      underWay.add(response);
      response.once('close', () => underWay.delete(response));
      void respond(request, response, subject);
    },
  );
  server.maxConnections = mostConnections;
  server.on('connection', socket => socket.unref());
  await listen(server, at);
  server.unref();
  const { port } = server.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  return {
    url: urlOf({ host: at.host, port }),
    port,
    show: shown => {
      subject = shown;
    },
    close: () => {
      closing ??= close(server, underWay);
      return closing;
    },
  };
}

function listen(server: Server, at: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => reject(new ListenError(at, error));
    server.once('error', failed);
    server.listen({ host: at.host, port: at.port }, () => {
      server.off('error', failed);
      // Such as a file descriptor too many: it concerns one connection, and not the job.
      server.on('error', () => {});
      resolve();
    });
  });
}

async function respond(request: IncomingMessage, response: ServerResponse, subject?: StatusSubject): Promise<void> {
  // Whoever asks may leave; nothing of that may reach the job.
  response.on('error', () => {});
  request.on('error', () => {});
  request.resume();
  const { code, type, body, headers } = await answerOrFailure(request, subject);
  response.writeHead(code, {
    ...headers,
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}

/** A gauge of the application in the same registry may throw while it is read. */
async function answerOrFailure({ method = '', url = '' }: IncomingMessage, subject?: StatusSubject): Promise<Answer> {
  try {
    return await answer(method, url, subject);
  } catch {
    return { code: 500, type: 'text/plain; charset=utf-8', body: 'A metric could not be read.\n' };
  }
}

/** Connections that are kept open for more requests would hold up the end. */
async function close(server: Server, underWay: ReadonlySet<ServerResponse>): Promise<void> {
  const closed = new Promise<void>(resolve => server.close(() => resolve()));
  const answered = Promise.all([...underWay].map(response => new Promise(resolve => response.once('close', resolve))));
  const patience = Promise.withResolvers<void>();
  const timer = setTimeout(patience.resolve, closeTimeoutMs);
  await Promise.race([answered, patience.promise]);
  clearTimeout(timer);
  server.closeAllConnections();
  await closed;
}
