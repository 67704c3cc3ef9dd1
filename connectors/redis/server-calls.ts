import type { Redis } from 'ioredis';
import type { ServerCalls } from './durability.ts';

/** One connection of ioredis, as far as durability is concerned. */
export function serverCalls(node: Redis): ServerCalls {
  return {
    address: addressOf(node),
    info: () => node.info(),
    wait: (replicas, timeoutMs) => node.wait(replicas, timeoutMs),
    waitAof: async timeoutMs => Number(((await node.call('WAITAOF', 1, 0, timeoutMs)) as unknown[])[0]),
  };
}

/** `host:port` of the server that the connection is to, which Sentinels or a cluster may have chosen. */
export function addressOf(node: Redis): string {
  const { remoteAddress, remotePort } = node.stream ?? {};
  if (remoteAddress && remotePort)
    return `${remoteAddress.includes(':') ? `[${remoteAddress}]` : remoteAddress}:${remotePort}`;
  return node.options.path ?? `${node.options.host}:${node.options.port}`;
}
