import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { JoinedSockets } from '../../harness/joined-sockets.ts';

/**
 * What becomes of a request. 'lose request': the broker never gets it and the connection is cut. 'lose answer': the broker
 * has done its work, then the connection is cut. 'swallow …': the same, and the connection stays. A number: the
 * answer, and whatever comes after it on that connection, comes so many ms later.
 */
export type Fate = 'pass' | 'lose request' | 'lose answer' | 'swallow request' | 'swallow answer' | number;

const loopback = '127.0.0.1';

// https://kafka.apache.org/protocol#protocol_api_keys
const apis = {
  Produce: 0,
  Fetch: 1,
  ListOffsets: 2,
  Metadata: 3,
  OffsetCommit: 8,
  OffsetFetch: 9,
  FindCoordinator: 10,
  Heartbeat: 12,
  ApiVersions: 18,
  InitProducerId: 22,
  AddPartitionsToTxn: 24,
  AddOffsetsToTxn: 25,
  EndTxn: 26,
  TxnOffsetCommit: 28,
} as const;

export type ApiName = keyof typeof apis;

const nameOf = new Map<number, ApiName>(Object.entries(apis).map(([name, key]) => [key, name as ApiName]));

/**
 * Stands before a broker on the loopback interface: sees each request, and decides what becomes of it and of its answer.
 * The addresses in answers are changed to its own, so clients that begin here stay here; it serves any broker, unprepared.
 */
export class TcpProxy implements AsyncDisposable {
  /** Asked for each request in order; `next` comes first. */
  fate: (api: ApiName | undefined) => Fate = () => 'pass';
  /** How often a client connected. */
  connections = 0;
  /** How often one was turned away. */
  refused = 0;
  /** The requests that came, by API. */
  readonly requests = new Map<ApiName | undefined, number>();
  readonly #brokerPort: number;
  readonly #server: Server;
  readonly #sockets = new JoinedSockets();
  readonly #once = new Map<ApiName, { readonly fate: Fate; readonly seen: () => void }[]>();
  #refuses = false;
  readonly #host: string;

  private constructor(brokerPort: number, host: string) {
    this.#brokerPort = brokerPort;
    this.#host = host;
    this.#server = createServer(client => this.#accept(client));
  }

  /** `host:port` of one broker. It listens at `host`, which must be as long as 127.0.0.1. */
  static async to(broker: string, host: string = loopback): Promise<TcpProxy> {
    const proxy = new TcpProxy(Number(broker.split(':').at(-1)), host);
    await new Promise<void>(resolve => proxy.#server.listen(0, host, resolve));
    return proxy;
  }

  /** What clients are to connect to. */
  get brokers(): string {
    return `${this.#host}:${this.#port}`;
  }

  /** For one coming request of this API; resolves when that request was decided about. */
  next(api: ApiName, fate: Fate): Promise<void> {
    const { promise, resolve: seen } = Promise.withResolvers<void>();
    this.#once.set(api, [...(this.#once.get(api) ?? []), { fate, seen }]);
    return promise;
  }

  /** Breaks every connection that is there. */
  cut(): void {
    this.#sockets.cut();
  }

  /** Breaks every connection, also those to come. */
  refuse(): void {
    this.#refuses = true;
    this.cut();
  }

  accept(): void {
    this.#refuses = false;
  }

  /** Every connection stays, also those to come are taken, and nothing passes any more. */
  stall(): void {
    this.#sockets.stall();
  }

  /** What was on its way arrives. */
  flow(): void {
    this.#sockets.flow();
  }

  /** The connections that are there stay and are silent for good, as when a firewall has forgotten them; others work. */
  forgetConnections(): void {
    for (const socket of this.#sockets) socket.pause().removeAllListeners('data');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.refuse();
    await new Promise(resolve => this.#server.close(resolve));
  }

  get #port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #accept(client: Socket): void {
    if (this.#refuses) {
      this.refused++;
      client.destroy();
      return;
    }
    this.connections++;
    const broker = connect(this.#brokerPort, loopback);
    const cut = () => {
      client.destroy();
      broker.destroy();
    };
    this.#sockets.join(client, broker);
    for (const socket of [client, broker]) socket.setNoDelay(true);
    const fates = new Map<number, Fate>();
    let later: Promise<void> | undefined;
    client.on(
      'data',
      frames(frame => {
        const fate = this.#fateOf(nameOf.get(frame.readInt16BE(4)));
        if (fate === 'lose request') return cut();
        if (fate === 'swallow request') return;
        if (fate !== 'pass') fates.set(frame.readInt32BE(8), fate);
        broker.write(frame);
      }),
    );
    broker.on(
      'data',
      frames(frame => {
        const fate = fates.get(frame.readInt32BE(4)) ?? 'pass';
        if (fate === 'lose answer') return cut();
        if (fate === 'swallow answer') return;
        const send = () => void client.write(this.#withOwnAddress(frame));
        if (typeof fate === 'number') {
          const before = later ?? Promise.resolve();
          later = before.then(() => new Promise(resolve => setTimeout(resolve, fate)));
        }
        if (later) later = later.then(send);
        else send();
      }),
    );
  }

  #fateOf(api: ApiName | undefined): Fate {
    this.requests.set(api, (this.requests.get(api) ?? 0) + 1);
    const once = api && this.#once.get(api)?.shift();
    once?.seen();
    return once ? once.fate : this.fate(api);
  }

  /** Wherever an answer names the broker's address, it names this one's: both are of the same length. */
  #withOwnAddress(frame: Buffer): Buffer {
    const host = Buffer.from(loopback);
    const own = Buffer.from(this.#host);
    for (let at = frame.indexOf(host); at >= 0; at = frame.indexOf(host, at + 1)) {
      const port = at + host.length;
      if (port + 4 <= frame.length && frame.readInt32BE(port) === this.#brokerPort) {
        own.copy(frame, at);
        frame.writeInt32BE(this.#port, port);
      }
    }
    return frame;
  }
}

/** Cuts a stream of bytes into frames, each with its length in front. */
function frames(each: (frame: Buffer) => void): (bytes: Buffer) => void {
  let parts: Buffer[] = [];
  let held = 0;
  return bytes => {
    parts.push(bytes);
    held += bytes.length;
    let all: Buffer | undefined;
    while (held >= 4) {
      all ??= parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
      const length = 4 + all.readInt32BE(0);
      if (held < length) break;
      each(all.subarray(0, length));
      all = all.subarray(length);
      held -= length;
      parts = [all];
    }
    if (all) parts = [all];
  };
}
