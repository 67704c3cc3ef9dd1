import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { redisStore } from '../../../connectors/redis/index.ts';
import { taskKeys } from '../../../connectors/redis/keys.ts';
import type { SnapshotStore } from '../../../lib/checkpoint/snapshot-store.ts';
import { freePort } from '../../../tools/services/free-port.ts';
import { type RedisServer, startRedis } from '../../../tools/services/redis.ts';
import { snapshotStoreContract } from '../../contract/snapshot-store.contract.ts';
import { bytesOf, manifestOf, segment } from '../../contract/snapshot-store.manifests.ts';

let servers: RedisServer[] = [];
let nodes: Redis[] = [];

beforeAll(async () => {
  servers = await Promise.all(
    [0, 1, 2].map(async () =>
      startRedis({ args: ['--cluster-enabled', 'yes', '--cluster-port', `${await freePort()}`] }),
    ),
  );
  nodes = servers.map(({ url }) => new Redis(url));
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
});

afterAll(async () => {
  for (const node of nodes) node.disconnect();
  for (const server of servers) await server.stop();
});

const cluster = () => [`127.0.0.1:${servers[0]?.port}`];
const keysWith = async (prefix: string) => Promise.all(nodes.map(node => node.keys(`${prefix}*`)));

snapshotStoreContract(
  'Redis store on a cluster',
  () => {
    const prefix = `spec:${randomUUID()}`;
    const opened: SnapshotStore[] = [];
    return {
      open() {
        const store = redisStore({ cluster: cluster(), prefix });
        opened.push(store);
        return store;
      },
      async dispose() {
        for (const store of opened) await store.close();
      },
    };
  },
  { runs: 10, canBeDamaged: false },
);

describe('the Redis store on a cluster', () => {
  it('spreads segments over the nodes, and keeps the rest of a task in one place', async () => {
    const prefix = `spec:${randomUUID()}`;
    const ref = { job: 'j', task: '0' };
    const store = redisStore({ cluster: cluster(), prefix });
    const task = store.task(ref);
    const token = await task.acquireFence(0);
    const names = Array.from({ length: 30 }, (_, i) => segment(1, token, `s${i}`));
    for (const name of names) await task.putSegment(token, name, bytesOf(name));
    await task.prepare(token, manifestOf(ref, token, 1, names));
    await task.confirm(token, 1);
    const found = await keysWith(prefix);
    for (const keys of found) expect(keys.filter(key => key.endsWith(':segment')).length).toBeGreaterThan(0);
    const { segment: _, ...others } = taskKeys(prefix, ref);
    const withOthers = found.filter(keys => Object.values(others).some(key => keys.includes(key)));
    expect(withOthers).toHaveLength(1);
    await task.clear(token);
    expect((await keysWith(prefix)).flat().filter(key => key.endsWith(':segment'))).toEqual([]);
    await store.close();
  });

  it('checks every node, and says where it is', async () => {
    const store = redisStore({ cluster: cluster(), prefix: 'spec:check' });
    expect(store.location).toBe(`redis-cluster://127.0.0.1:${servers[0]?.port}`);
    expect(await store.check()).toEqual([]);
    await nodes[2]?.config('SET', 'appendfsync', 'no');
    const notices = await store.check();
    expect(notices.map(({ message }) => message)).toEqual([
      expect.stringContaining(`127.0.0.1:${servers[2]?.port}: appendfsync is no`),
    ]);
    await nodes[2]?.config('SET', 'appendfsync', 'always');
    await store.close();
  });
});
