import { StoreUnavailableError } from '../../lib/index.ts';
import type { Connection } from './connection.ts';
import { waitUntilDurable } from './durability.ts';
import { serverCalls } from './server-calls.ts';

/**
 * Writes, then waits until that is durable. WAIT and WAITAOF speak of what their connection wrote, so when there was a
 * reconnection in between everything is done again: `write` must allow that, and write something each time.
 */
export async function durably<T>(connection: Connection, action: string, write: () => Promise<T>): Promise<T> {
  const { commandTimeoutMs, replicas, location } = connection.settings;
  const settings = {
    replicas,
    timeoutMs: Math.ceil(commandTimeoutMs * 0.8),
    mustHaveReplica: (address: string, has: boolean) => connection.hadReplica(address, has),
  };
  for (let attempt = 0; attempt < 3; attempt++) {
    const epoch = connection.epoch();
    const answer = await write();
    await connection.run(`wait until "${action}" is durable`, () =>
      Promise.all(connection.masters().map(node => waitUntilDurable(serverCalls(node), settings))),
    );
    if (connection.epoch() === epoch) return answer;
  }
  throw new StoreUnavailableError(
    `The connections to Redis at ${location} broke again and again while it was to ${action}. Look at the network and at the ` +
      'log of the server.',
  );
}
