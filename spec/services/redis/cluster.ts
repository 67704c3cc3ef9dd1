import { Redis } from 'ioredis';
import { freePort } from '../../../tools/services/free-port.ts';
import { type RedisServer, startRedis } from '../../../tools/services/redis.ts';

/** A cluster of three masters, all slots served. */
export interface RedisCluster extends AsyncDisposable {
  readonly servers: readonly RedisServer[];
  /** A connection to each of them. */
  readonly nodes: readonly Redis[];
}

export async function startCluster(): Promise<RedisCluster> {
  const servers = await Promise.all(
    [0, 1, 2].map(async () =>
      startRedis({ args: ['--cluster-enabled', 'yes', '--cluster-port', `${await freePort()}`] }),
    ),
  );
  const nodes = servers.map(({ url }) => new Redis(url));
  const slots = [0, 5461, 10923, 16384];
  for (const [i, node] of nodes.entries()) {
    await node.call('CLUSTER', 'ADDSLOTSRANGE', slots[i] as number, (slots[i + 1] as number) - 1);
    await node.call('CONFIG', 'SET', 'cluster-require-full-coverage', 'yes');
  }
  for (const [i, server] of servers.entries()) {
    const [, busPort = ''] = ((await nodes[i]?.config('GET', 'cluster-port')) ?? []) as string[];
    await nodes[0]?.call('CLUSTER', 'MEET', '127.0.0.1', server.port, busPort);
  }
  const isReady = async () => {
    const infos = await Promise.all(nodes.map(node => node.cluster('INFO')));
    return infos.every(info => info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3'));
  };
  // Nodes tell one another by gossip; there is nothing to wait on but their word.
  while (!(await isReady())) await new Promise(resolve => setTimeout(resolve, 20));
  return {
    servers,
    nodes,
    async [Symbol.asyncDispose]() {
      for (const node of nodes) node.disconnect();
      for (const server of servers) await server.stop();
    },
  };
}
