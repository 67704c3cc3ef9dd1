import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll } from 'vitest';
import { redisStore } from '../../../connectors/redis/index.ts';
import { taskKeys } from '../../../connectors/redis/keys.ts';
import type { SnapshotStore } from '../../../lib/checkpoint/snapshot-store.ts';
import { snapshotStoreContract } from '../../contract/snapshot-store.contract.ts';

const url = process.env.REDIS_URL as string;
let direct: Redis;
beforeAll(() => {
  direct = new Redis(url);
});
afterAll(() => direct.quit());

snapshotStoreContract(
  'Redis store',
  () => {
    const prefix = `spec:${randomUUID()}`;
    const opened: SnapshotStore[] = [];
    return {
      open() {
        const store = redisStore({ url, prefix });
        opened.push(store);
        return store;
      },
      async damageManifest(ref, id, token) {
        const { manifests } = taskKeys(prefix, ref);
        const text = (await direct.hget(manifests, `${id}-${token}`)) as string;
        await direct.hset(manifests, `${id}-${token}`, text.replace('flights', 'flyghts'));
      },
      async removeManifest(ref, id, token) {
        await direct.hdel(taskKeys(prefix, ref).manifests, `${id}-${token}`);
      },
      async removeSegment(ref, name) {
        await direct.unlink(taskKeys(prefix, ref).segment(name));
      },
      async dispose() {
        for (const store of opened) await store.close();
        const keys = await direct.keys(`${prefix}*`);
        if (keys.length > 0) await direct.unlink(keys);
      },
    };
  },
  { runs: 40, canBeDamaged: true },
);
