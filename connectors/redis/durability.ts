import { StoreUnavailableError } from '../../lib/index.ts';
import { hasWaitAof, parseInfo, type ServerInfo } from './server-info.ts';

/** A connection to one server. */
export interface ServerCalls {
  readonly address: string;
  info(): Promise<string>;
  /** WAIT: how many replicas have what this connection wrote. */
  wait(replicas: number, timeoutMs: number): Promise<number>;
  /** WAITAOF 1 0: whether the server has it on disk. */
  waitAof(timeoutMs: number): Promise<number>;
}

export interface DurabilitySettings {
  /** As in the options of the store. */
  readonly replicas: number | undefined;
  readonly timeoutMs: number;
  /** Whether a replica must acknowledge also when none is connected now; told whether one is. */
  mustHaveReplica(address: string, has: boolean): boolean;
}

/**
 * Waits until what this connection wrote is as durable as the server can make it: on its disk where WAITAOF can tell, and on
 * replicas. Older servers have it on disk with `appendfsync always` before they answer, and cannot say so otherwise.
 */
export async function waitUntilDurable(server: ServerCalls, settings: DurabilitySettings): Promise<void> {
  const info = await infoOf(server);
  if (info.isAofOn !== false && (info.version === undefined || hasWaitAof(info)))
    await waitForDisk(server, info, settings);
  const hasReplica = (info.connectedReplicas ?? 0) > 0;
  const demanded = settings.replicas ?? (settings.mustHaveReplica(server.address, hasReplica) || hasReplica ? 1 : 0);
  if (demanded === 0) return;
  const acknowledged = await server.wait(demanded, settings.timeoutMs);
  if (acknowledged >= demanded) return;
  throw new StoreUnavailableError(
    `Redis at ${server.address}: ${acknowledged} of ${demanded} replicas acknowledged what was written within ` +
      `${settings.timeoutMs} ms; there may be a failover. Check the replicas, or set the option "replicas" of the store.`,
  );
}

async function waitForDisk(server: ServerCalls, info: ServerInfo, { timeoutMs }: DurabilitySettings): Promise<void> {
  let written: number;
  try {
    written = await server.waitAof(timeoutMs);
  } catch (error) {
    // Where INFO is not allowed only the attempt tells whether the server has the command, and an append-only file.
    const isNotThere = /unknown command|appendonly is disabled|NOPERM/i.test(String(error));
    if (info.version === undefined && isNotThere) return;
    throw error;
  }
  if (written >= 1) return;
  throw new StoreUnavailableError(
    `Redis at ${server.address} did not bring what was written to its disk within ${timeoutMs} ms. Look at its disk, or raise ` +
      'commandTimeout of the store.',
  );
}

/** What the server says of itself; nothing but its address where INFO is not allowed. */
export async function infoOf(server: Pick<ServerCalls, 'address' | 'info'>): Promise<ServerInfo> {
  try {
    return parseInfo(server.address, await server.info());
  } catch (error) {
    if (/NOPERM/.test(String(error))) return parseInfo(server.address, '');
    throw error;
  }
}
