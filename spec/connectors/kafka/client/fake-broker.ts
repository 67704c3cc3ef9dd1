import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { ByteReader } from '../../../../connectors/kafka/client/wire/byte-reader.ts';
import { ByteWriter } from '../../../../connectors/kafka/client/wire/byte-writer.ts';

/** A request that has come in: which, and how to go about it. */
export interface Asked {
  readonly api: number;
  readonly version: number;
  /** Behind its header. */
  readonly body: ByteReader;
  /** Counts the connections, from 1 on. */
  readonly connection: number;
  answer(write: (into: ByteWriter) => unknown): void;
  hangUp(): void;
}

/** Speaks enough of Kafka's protocol to be asked; what it does with a request, a spec says. */
export class FakeBroker implements AsyncDisposable {
  /** In the order received; without those for versions. */
  readonly asked: { readonly api: number; readonly connection: number }[] = [];
  /** What came first on each connection. */
  readonly first = new Map<number, number>();
  versions: Record<number, readonly [lowest: number, highest: number]> = Object.fromEntries(
    Array.from({ length: 40 }, (_, key) => [key, [0, key === 3 ? 7 : 11]]),
  );
  /** Whether it took care of the request; what it does not, is answered or left. */
  onRequest: (asked: Asked) => boolean = () => false;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #connections = 0;
  port = 0;

  constructor() {
    this.#server = createServer(socket => this.#serve(socket));
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  async listen(port = 0): Promise<this> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (address !== null && typeof address === 'object') this.port = address.port;
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise(resolve => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    const connection = ++this.#connections;
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => this.#sockets.delete(socket));
    let unread = Buffer.alloc(0);
    socket.on('data', data => {
      unread = Buffer.concat([unread, data]);
      while (unread.length >= 4 && unread.length >= 4 + unread.readInt32BE(0)) {
        const frame = unread.subarray(4, 4 + unread.readInt32BE(0));
        unread = unread.subarray(4 + frame.length);
        this.#handle(frame, socket, connection);
      }
    });
  }

  #handle(frame: Buffer, socket: Socket, connection: number): void {
    const body = new ByteReader(frame);
    const [api, version, correlationId] = [body.int16(), body.int16(), body.int32()];
    body.nullableString();
    if (!this.first.has(connection)) this.first.set(connection, api);
    const answer = (write: (into: ByteWriter) => unknown) => {
      const into = new ByteWriter();
      into.int32(0).int32(correlationId);
      write(into);
      socket.write(into.int32At(into.length - 4, 0).written());
    };
    if (api === 18) {
      answer(into => this.#writeVersions(into));
      return;
    }
    this.asked.push({ api, connection });
    if (this.onRequest({ api, version, body, connection, answer, hangUp: () => socket.destroy() })) return;
    if (api === 3) answer(into => this.#writeMetadata(into));
  }

  #writeVersions(into: ByteWriter): void {
    into.int16(0).array(Object.entries(this.versions), ([key, [lowest, highest]]) => {
      into.int16(Number(key)).int16(lowest).int16(highest);
    });
  }

  /** One broker, itself; no topic. */
  #writeMetadata(into: ByteWriter): void {
    into.int32(0).int32(1).int32(1).string('127.0.0.1').int32(this.port).string(null);
    into.string('fake-cluster').int32(1).int32(0);
  }
}
