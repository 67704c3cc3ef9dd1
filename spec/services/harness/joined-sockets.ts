import type { Socket } from 'node:net';

/** The connections through a proxy, each the socket of a client and that of a server: where one closes, the other does. */
export class JoinedSockets {
  readonly #sockets = new Set<Socket>();
  #isStalled = false;

  [Symbol.iterator](): Iterator<Socket> {
    return this.#sockets.values();
  }

  join(client: Socket, server: Socket): void {
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      if (this.#isStalled) socket.pause();
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
  }

  /** Breaks every connection that is there. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Every connection stays, also those to come are taken, and nothing passes any more. */
  stall(): void {
    this.#isStalled = true;
    for (const socket of this.#sockets) socket.pause();
  }

  /** What was on its way arrives. */
  flow(): void {
    this.#isStalled = false;
    for (const socket of this.#sockets) socket.resume();
  }
}
