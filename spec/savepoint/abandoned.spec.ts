import { describe, expect, it } from 'vitest';
import { createSavepoint, listSavepoints, memoryStore, type SnapshotStore } from '../../lib/index.ts';
import { checkpointed, NumberLog, startSums, sumsOf } from './summing-job.ts';

/** A store that takes checkpoints, and no savepoint. */
function withoutRoom(): SnapshotStore {
  const store = memoryStore();
  const taskOf = store.task.bind(store);
  store.task = ref => {
    const found = taskOf(ref);
    const prepare = found.prepare.bind(found);
    found.prepare = (token, manifest) => {
      if (manifest.kind === 'savepoint') throw new Error('no room for it');
      return prepare(token, manifest);
    };
    return found;
  };
  return store;
}

describe('a savepoint whose checkpoint is abandoned', () => {
  it('is refused with the reason while the job goes on, and nothing is left of it', async () => {
    const store = withoutRoom();
    const numbers = new NumberLog();
    const { handle, reads, sink } = startSums(numbers, store, { checkpoint: { tolerableFailures: 3 } });
    await reads;
    numbers.push(1, 2);
    await expect(createSavepoint(store, 'sums', { name: 'never' })).rejects.toThrow(/was abandoned: no room for it/);
    expect(await listSavepoints(store)).toEqual([]);
    expect(await store.task({ job: 'sums', task: 'main' }).notes()).toEqual([]);
    numbers.push(3);
    await checkpointed(handle);
    expect(sink.committed).toEqual(sumsOf([1, 2, 3]));
    await handle.stop();
  });

  it('ends a job that was to stop with it, as any final checkpoint does that fails, and the reason is told at once', async () => {
    const store = withoutRoom();
    const numbers = new NumberLog();
    const { handle, reads } = startSums(numbers, store);
    await reads;
    numbers.push(1, 2);
    await checkpointed(handle);
    const stopping = createSavepoint(store, 'sums', { name: 'never', end: 'stop' });
    await expect(stopping).rejects.toThrow(/was abandoned: .*no room for it/);
    await expect(handle.done).rejects.toMatchObject({ code: 'CHECKPOINT' });
    expect(await listSavepoints(store)).toEqual([]);
    expect(await store.task({ job: 'sums', task: 'main' }).notes()).toEqual([]);

    // It goes on from its last checkpoint, and nobody asks it to stop any more.
    const again = startSums(numbers, store);
    await again.reads;
    numbers.push(3);
    await checkpointed(again.handle);
    expect([...again.sink.committed]).toEqual(sumsOf([1, 2, 3]).slice(2));
    await again.handle.stop();
  });
});
