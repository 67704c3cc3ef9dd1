import { Subject } from 'rxjs';
import { expect, it } from 'vitest';
import { from, job, memoryStore, type SnapshotStore, start, type TaskStore } from '../../lib/index.ts';
import { quiet } from '../job/quiet.ts';

/** A store whose `collect` answers when the spec says so. */
function withSlowCollect(store: SnapshotStore, until: Promise<void>): SnapshotStore {
  const slow = (task: TaskStore): TaskStore =>
    new Proxy(task, {
      get(target, name: keyof TaskStore) {
        if (name === 'collect') return () => until;
        const method = target[name] as (...args: unknown[]) => unknown;
        return method.bind(target);
      },
    });
  return {
    kind: store.kind,
    location: store.location,
    check: () => store.check(),
    task: ref => slow(store.task(ref)),
    tasks: () => store.tasks(),
    close: () => store.close(),
  };
}

// Cause: old checkpoints were removed in the background, and the end of the job did not wait for it: whoever closed the
// store then was told that they could not be removed.
it('waits for the removal of old checkpoints, so that the store can be closed', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const store = withSlowCollect(memoryStore(), promise);
  const input = new Subject<number>();
  const { done } = start(
    job('slow', () => from(input)),
    { store, checkpoint: { retained: 1, interval: 'off' }, logger: quiet },
  );
  input.complete();
  let isDone = false;
  const outcome = done.then(how => {
    isDone = true;
    return how;
  });
  await new Promise(resolve => setImmediate(resolve));
  expect(isDone).toBe(false);
  resolve();
  expect(await outcome).toBe('finished');
});
