import { expect, it } from 'vitest';
import { checkState, type SnapshotStore } from '../../lib/index.ts';
import { actors, output } from '../fixtures/snapshots/stored-contents.ts';
import { goOn, storedJob } from '../fixtures/snapshots/stored-job.ts';
import { storedActors } from './stored-actors.ts';
import { difference } from './strict-equality.ts';

/** The newest checkpoint in a store. */
export async function newest(of: SnapshotStore) {
  const task = of.task({ job: 'stored', task: 'main' });
  const stored = (await task.manifests()).findLast(({ confirmed }) => confirmed);
  if (!stored) throw new Error('there is no checkpoint');
  return { task, manifest: stored.manifest };
}

/** What holds for a job that was stored earlier, in any kind of store; `opened` answers one with a copy of it. */
export function storedJobContract(opened: () => SnapshotStore | PromiseLike<SnapshotStore>): void {
  it('is read as it was', async () => {
    const { task, manifest } = await newest(await opened());
    expect(manifest).toMatchObject({
      format: 1,
      id: 2,
      token: 1,
      sources: { sales: { position: 10, finished: false, watermark: 2_500 } },
      sinks: { kinds: '1-2', 'un-keyed': '1-2' },
      closed: true,
      commitPoint: { kind: 'store' },
    });
    const found = await storedActors(task, manifest);
    expect(Object.keys(found)).toEqual(Object.keys(actors));
    for (const [name, actor] of Object.entries(actors)) expect(difference(found[name], actor, name)).toBeUndefined();
  });

  it('fits the job, and goes on', async () => {
    const store = await opened();
    const unread = { kind: 'memory', name: 'sales', bounded: true, open: () => expect.unreachable() };
    const job = storedJob(
      unread,
      () => expect.unreachable(),
      name => ({ kind: 'memory', name, guarantee: 'none', open: () => expect.unreachable() }),
    );
    const report = await checkState(job, { store }, { migrations: true });
    expect(report.problem).toBeUndefined();
    expect(report.actors.map(({ change }) => change)).toEqual(Array(6).fill('same'));
    expect(await goOn(store)).toEqual(output);
  });
}
