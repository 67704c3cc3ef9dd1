import { cpSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { fileStore, memoryStore, type SnapshotStore } from '../../lib/index.ts';
import { Folder } from '../connectors/file/folder.ts';
import { actors, output } from '../fixtures/snapshots/stored-contents.ts';
import { goOn, store } from '../fixtures/snapshots/stored-job.ts';
import { rawSegments, storedActors } from './stored-actors.ts';
import { newest, storedJobContract } from './stored-job-contract.ts';
import { difference } from './strict-equality.ts';

const fixtures = path.resolve(import.meta.dirname, '../fixtures/snapshots');
const current = 'file-store-1';
const folders = readdirSync(fixtures).filter(name => name.startsWith('file-store-'));

const copies: Folder[] = [];
afterEach(() => {
  for (const folder of copies.splice(0)) folder[Symbol.dispose]();
});

/** A store with a copy of a fixture. */
function copied(fixture: string): SnapshotStore {
  const folder = new Folder();
  copies.push(folder);
  cpSync(path.join(fixtures, fixture), folder.path, { recursive: true });
  return fileStore(folder.path);
}

describe.each(folders)('a job that was stored earlier: %s', fixture => {
  storedJobContract(() => copied(fixture));
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
