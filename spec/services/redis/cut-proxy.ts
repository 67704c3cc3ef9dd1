import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { JoinedSockets } from '../harness/joined-sockets.ts';

/** A connection to a server that a spec can cut at the worst moment. */
export class CutProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new JoinedSockets();
  #cutAtReply = false;
  #refuses = false;
  /** What clients sent while requests are held. */
  #held: (() => void)[] | undefined;
  /** How often a client connected. */
  connections = 0;

  private constructor(port: number) {
    this.#server = createServer(client => {
      if (this.#refuses) {
        client.destroy();
        return;
      }
      this.connections++;
      const server = connect(port, '127.0.0.1');
      this.#sockets.join(client, server);
      client.on('data', data => {
        const pass = () => server.write(data);
        if (this.#held) this.#held.push(pass);
        else pass();
      });
      server.on('data', data => {
        if (!this.#cutAtReply) {
          client.write(data);
          return;
        }
        this.#cutAtReply = false;
        client.destroy();
      });
    });
  }

  static async to(port: number, host = '127.0.0.1'): Promise<CutProxy> {
    const proxy = new CutProxy(port);
    await new Promise<void>(resolve => proxy.#server.listen(0, host, resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The next reply does not reach the client: the server has done its work, the connection is gone. */
  loseNextReply(): void {
    this.#cutAtReply = true;
  }

  /** What clients send from now on stays on the way, as with a slow network. */
  hold(): void {
    this.#held ??= [];
  }

  /** What was held arrives. */
  letGo(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const pass of held) pass();
  }

  /** From now on connections are broken off, those that are there too. */
  refuse(): void {
    this.#refuses = true;
    this.#sockets.cut();
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

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async close(): Promise<void> {
    this.refuse();
    await new Promise(resolve => this.#server.close(resolve));
  }
}
