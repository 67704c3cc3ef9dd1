import { describe, expect, it } from 'vitest';
import { memorySource } from '../../connectors/memory/index.ts';
import { type DataStream, from, memoryStore, type StoredManifest } from '../../lib/index.ts';
import { scan, to, union } from '../../operators/index.ts';
import { FedJob, outcomeOf } from './fed-job.ts';

const idsOf = (fed: FedJob): number[] =>
  (fed.store.manifests() as readonly StoredManifest[]).map(({ manifest }) => manifest.id);

/** A job that has committed checkpoints 1 and 2, and was cancelled then. */
async function withCheckpoints(): Promise<FedJob> {
  const fed = new FedJob();
  const handle = fed.start();
  fed.push(1);
  handle.checkpoint();
  fed.push(2);
  handle.checkpoint();
  await handle.cancel();
  return fed;
}

describe('a fresh start', () => {
  it('passes over the checkpoints that are there: empty state, input from its beginning, ids that go on rising', async () => {
    const fed = await withCheckpoints();
    const handle = fed.start({ fresh: true });
    expect(handle.status.restoredFrom).toBeUndefined();
    expect(handle.status.records.in).toBe(2);
    await expect(handle.ask('sum')).resolves.toBe(3);
    handle.checkpoint();
    expect(handle.status.lastCheckpoint?.id).toBe(3);
    await handle.stop();
    expect(idsOf(fed)).toEqual([2, 3, 4]);
  });

  it('comes back from its own checkpoint after a failure, and from none when it has taken none', async () => {
    const fed = await withCheckpoints();
    const handle = fed.start({ fresh: true, restart: { strategy: 'fixed-delay', attempts: 5, delay: 10 } });
    fed.store.plan('prepare', 'refuses');
    handle.checkpoint();
    fed.time.advance(10);
    expect(handle.status).toMatchObject({ phase: 'running', attempt: 2, records: { in: 2 } });
    expect(handle.status.restoredFrom).toBeUndefined();
    handle.checkpoint();
    const own = handle.status.lastCheckpoint?.id;
    fed.push(3);
    fed.store.plan('prepare', 'refuses');
    handle.checkpoint();
    fed.time.advance(10);
    expect(handle.status).toMatchObject({
      phase: 'running',
      attempt: 3,
      restoredFrom: { id: own },
      records: { in: 1 },
    });
    await expect(handle.ask('sum')).resolves.toBe(6);
    await handle.stop();
  });

  it('begins a finished job anew', async () => {
    const fed = new FedJob();
    fed.push(1);
    fed.end();
    await fed.start().done;
    const again = fed.start();
    await again.done;
    expect(again.status.records.in).toBe(0);
    const fresh = fed.start({ fresh: true });
    await expect(fresh.done).resolves.toBe('finished');
    expect(fresh.status.records.in).toBe(1);
    expect(idsOf(fed)).toEqual([1, 2]);
  });

  it('is followed by ordinary starts, which go on from it', async () => {
    const fed = await withCheckpoints();
    await fed.start({ fresh: true }).stop();
    const handle = fed.start();
    expect(handle.status).toMatchObject({ restoredFrom: { id: 3 }, records: { in: 0 } });
    await handle.cancel();
  });
});

describe('a job that has lost a part', () => {
  const counting = (fed: FedJob) => (input: DataStream<number>) =>
    union(input, from(memorySource<number>([], { name: 'other' }))).pipe(
      scan('count', (n: number) => n + 1, 0),
      to(fed.sink),
    );

  it('refuses a checkpoint that holds state which nothing takes up, and says what can be done', async () => {
    const fed = await withCheckpoints();
    const handle = fed.start({}, undefined, counting(fed));
    await expect(handle.done).rejects.toMatchObject({
      code: 'STATE_MISMATCH',
      retriable: false,
      message:
        'Checkpoint 2 of job "sums" holds the state of the actor "sum", which the job no longer has. Give it its old name back, ' +
        'set allowDroppedState to drop it, or start fresh.',
    });
    expect(idsOf(fed)).toEqual([1, 2]);
    expect(fed.sink.written).toEqual([1, 3]);
  });

  it('drops the state with allowDroppedState, and keeps the rest', async () => {
    const fed = await withCheckpoints();
    const handle = fed.start({ allowDroppedState: true }, undefined, counting(fed));
    fed.push(5);
    expect(handle.status).toMatchObject({ phase: 'running', restoredFrom: { id: 2 }, records: { in: 1 } });
    await handle.stop();
    const next = fed.start({}, undefined, counting(fed));
    await expect(next.ask('count')).resolves.toBe(1);
    await next.cancel();
  });

  it('names sources too', async () => {
    const fed = new FedJob();
    await fed.start({}, undefined, counting(fed)).stop();
    const handle = fed.start();
    await expect(handle.done).rejects.toThrow(
      /holds the state of the actor "count" and the position of the source "other", which the job no longer has/,
    );
  });
});

describe('a second start of a job on the same store', () => {
  it('fences the first, which fails with its next checkpoint and is never restarted', async () => {
    const store = memoryStore();
    const [first, second] = [new FedJob(), new FedJob()];
    const restart = { strategy: 'fixed-delay', attempts: 100, delay: 1 } as const;
    const before = first.start({ restart }, store);
    first.push(1);
    before.checkpoint();
    const after = second.start({ restart }, store);
    first.push(2);
    before.checkpoint();
    expect(await outcomeOf(before.done)).toMatchObject({ code: 'FENCED', retriable: false });
    expect(before.status).toMatchObject({ phase: 'failed', attempt: 1 });
    first.time.advance(10_000);
    expect(before.status.attempt).toBe(1);
    expect(first.sink.committed).toEqual([1]);
    second.push(1, 2);
    after.checkpoint();
    expect(after.status).toMatchObject({ phase: 'running', lastCheckpoint: { id: 2, outcome: 'committed' } });
    await after.stop();
  });

  it('fences the first also where that is in the middle of a checkpoint', async () => {
    const fed = new FedJob();
    const held = Promise.withResolvers<void>();
    const before = fed.start();
    fed.push(1);
    fed.store.plan('confirm', held.promise);
    before.checkpoint();
    const after = fed.start();
    held.resolve();
    expect(await outcomeOf(before.done)).toMatchObject({ code: 'FENCED' });
    await fed.settled();
    expect(idsOf(fed)).toEqual([1]);
    expect((fed.store.manifests() as readonly StoredManifest[])[0]?.confirmed).toBe(false);
    expect(fed.sink.committed).toEqual([]);
    after.checkpoint();
    expect(fed.sink.committed).toEqual([1]);
    await after.stop();
  });

  it('under another task name is no second start of the same', async () => {
    const store = memoryStore();
    const [blue, green] = [new FedJob(), new FedJob()];
    const handles = [blue.start({ task: 'blue' }, store), green.start({ task: 'green' }, store)];
    blue.push(1);
    green.push(2);
    for (const handle of handles) await handle.stop();
    expect([blue.sink.committed, green.sink.committed]).toEqual([[1], [2]]);
  });
});
