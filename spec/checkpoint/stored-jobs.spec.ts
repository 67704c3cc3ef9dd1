import { cpSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkState, fileStore, memoryStore, type SnapshotStore } from '../../lib/index.ts';
import { Folder } from '../connectors/file/folder.ts';
import { actors, output } from '../fixtures/snapshots/stored-contents.ts';
import { goOn, store, storedJob } from '../fixtures/snapshots/stored-job.ts';
import { rawSegments, storedActors } from './stored-actors.ts';
import { difference } from './strict-equality.ts';

const fixtures = path.resolve(import.meta.dirname, '../fixtures/snapshots');
const current = 'file-store-1';
const folders = readdirSync(fixtures).filter(name => name.startsWith('file-store-'));

/** The newest checkpoint in a store. */
async function newest(of: SnapshotStore) {
  const task = of.task({ job: 'stored', task: 'main' });
  const stored = (await task.manifests()).findLast(({ confirmed }) => confirmed);
  if (!stored) throw new Error('there is no checkpoint');
  return { task, manifest: stored.manifest };
}

/** A store with a copy of a fixture. */
function copied(folder: Folder, fixture: string): SnapshotStore {
  cpSync(path.join(fixtures, fixture), folder.path, { recursive: true });
  return fileStore(folder.path);
}

describe.each(folders)('a job that was stored earlier: %s', fixture => {
  it('is read as it was', async () => {
    const { task, manifest } = await newest(fileStore(path.join(fixtures, fixture)));
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
    using folder = new Folder();
    const copy = copied(folder, fixture);
    const unread = { kind: 'memory', name: 'sales', bounded: true, open: () => expect.unreachable() };
    const job = storedJob(
      unread,
      () => expect.unreachable(),
      name => ({ kind: 'memory', name, guarantee: 'none', open: () => expect.unreachable() }),
    );
    const report = await checkState(job, { store: copy }, { migrations: true });
    expect(report.problem).toBeUndefined();
    expect(report.actors.map(({ change }) => change)).toEqual(Array(6).fill('same'));
    expect(await goOn(copy)).toEqual(output);
  });
});

describe('a job that is stored now', () => {
  it('is stored in the same bytes, or in a form with a new number', async () => {
    using folder = new Folder();
    const now = fileStore(folder.path);
    await store(now);
    const { task, manifest } = await newest(now);
    const before = await newest(fileStore(path.join(fixtures, current)));
    expect(await rawSegments(task, manifest)).toEqual(await rawSegments(before.task, before.manifest));
  });

  it('holds the same in a memory store', async () => {
    const memory = memoryStore();
    await store(memory);
    const { task, manifest } = await newest(memory);
    const found = await storedActors(task, manifest);
    for (const [name, actor] of Object.entries(actors)) expect(difference(found[name], actor, name)).toBeUndefined();
    expect(await goOn(memory)).toEqual(output);
  });
});
