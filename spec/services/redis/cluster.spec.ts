import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { redisStore } from '../../../connectors/redis/index.ts';
import { taskKeys } from '../../../connectors/redis/keys.ts';
import type { SnapshotStore } from '../../../lib/checkpoint/snapshot-store.ts';
import { snapshotStoreContract } from '../../contract/snapshot-store.contract.ts';
import { bytesOf, manifestOf, segment } from '../../contract/snapshot-store.manifests.ts';
import { type RedisCluster, startCluster } from './cluster.ts';

let running: RedisCluster;
let nodes: readonly Redis[] = [];
let servers: RedisCluster['servers'] = [];

beforeAll(async () => {
  running = await startCluster();
  ({ nodes, servers } = running);
});

afterAll(() => running[Symbol.asyncDispose]());

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
