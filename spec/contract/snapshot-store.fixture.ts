import { afterEach, beforeEach } from 'vitest';
import type { SnapshotStore, TaskRef, TaskStore } from '../../lib/checkpoint/snapshot-store.ts';
import { briefly, bytesOf, manifestOf } from './snapshot-store.manifests.ts';

/** A store to be tested, with what a spec must do to it behind its back. */
export interface StoreUnderTest {
  /** A store on the same data, as another process would open it; closed by the caller of `dispose`. */
  open(): SnapshotStore;
  /** Damages the stored text of a manifest; left out where nothing outside can. */
  damageManifest?(ref: TaskRef, id: number, token: number): Promise<void>;
  /** Makes a manifest disappear. */
  removeManifest?(ref: TaskRef, id: number, token: number): Promise<void>;
  /** Makes a segment disappear. */
  removeSegment?(ref: TaskRef, name: string): Promise<void>;
  dispose(): Promise<void>;
}

/** A new store for each case, and what the cases do with it. */
export function storeFixture(create: () => Promise<StoreUnderTest> | StoreUnderTest) {
  const ref: TaskRef = { job: 'card-totals', task: '0' };
  let underTest: StoreUnderTest;
  let store: SnapshotStore;
  let task: TaskStore;

  beforeEach(async () => {
    underTest = await create();
    store = underTest.open();
    task = store.task(ref);
  });
  afterEach(() => underTest.dispose());

  const put = async (token: number, ...names: string[]) => {
    for (const each of names) await task.putSegment(token, each, bytesOf(each));
  };
  const prepare = async (token: number, id: number, ...names: string[]) => {
    for (const each of names) if (!(await task.getSegment(each))) await put(token, each);
    await task.prepare(token, manifestOf(ref, token, id, names));
  };
  return {
    ref,
    get underTest() {
      return underTest;
    },
    get store() {
      return store;
    },
    get task() {
      return task;
    },
    put,
    /** Prepares a manifest that names these segments, and writes those that are not there. */
    prepare,
    commit: async (token: number, id: number, ...names: string[]) => {
      await prepare(token, id, ...names);
      await task.confirm(token, id);
    },
    shown: async () => briefly(await task.manifests()),
    /** Those of the segments that are there. */
    present: async (...names: string[]) => {
      const found = [];
      for (const each of names) if (await task.getSegment(each)) found.push(each);
      return found;
    },
  };
}

export type StoreFixture = ReturnType<typeof storeFixture>;
