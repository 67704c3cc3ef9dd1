import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { redisStore } from '../../../connectors/redis/index.ts';
import { checkState, type SnapshotStore } from '../../../lib/index.ts';
import { storedActors } from '../../checkpoint/stored-actors.ts';
import { difference } from '../../checkpoint/strict-equality.ts';
import { actors, output } from '../../fixtures/snapshots/stored-contents.ts';
import { goOn, store, storedJob } from '../../fixtures/snapshots/stored-job.ts';

const url = process.env.REDIS_URL as string;
const prefix = `spec:${randomUUID()}`;
let direct: Redis;
let redis: SnapshotStore;

beforeAll(async () => {
  direct = new Redis(url);
  redis = redisStore({ url, prefix });
  await store(redis);
});

afterAll(async () => {
  await redis.close();
  const keys = await direct.keys(`${prefix}*`);
  if (keys.length > 0) await direct.unlink(...keys);
  await direct.quit();
});

/** All that is under the prefix, as Redis dumps it. */
async function dumped(): Promise<Map<string, string>> {
  const keys = (await direct.keys(`${prefix}*`)).sort();
  const dumps = await Promise.all(keys.map(key => direct.dumpBuffer(key)));
  return new Map(keys.map((key, i) => [key, dumps[i]?.toString('hex') ?? '']));
}

describe('the stored state of a job in Redis', () => {
  it('holds what it does in every store', async () => {
    const task = redis.task({ job: 'stored', task: 'main' });
    const manifest = (await task.manifests()).at(-1)?.manifest;
    if (!manifest) throw new Error('there is no checkpoint');
    const found = await storedActors(task, manifest);
    for (const [name, actor] of Object.entries(actors)) expect(difference(found[name], actor, name)).toBeUndefined();
  });

  it('is compared with the job without any change', async () => {
    const before = await dumped();
    expect(before.size).toBeGreaterThan(2);
    const unread = { kind: 'memory', name: 'sales', bounded: true, open: () => expect.unreachable() };
    const job = storedJob(
      unread,
      () => expect.unreachable(),
      name => ({ kind: 'memory', name, guarantee: 'none', open: () => expect.unreachable() }),
    );
    const report = await checkState(job, { store: redis }, { migrations: true });
    expect(report).toMatchObject({ checkpoint: { id: 2 } });
    expect(report.problem).toBeUndefined();
    expect(report.actors.map(({ change }) => change)).toEqual(Array(6).fill('same'));
    expect(await dumped()).toEqual(before);
  });

  it('is what the job goes on from', async () => {
    expect(await goOn(redis)).toEqual(output);
  });
});
