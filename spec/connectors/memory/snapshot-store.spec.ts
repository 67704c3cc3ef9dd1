import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../../connectors/memory/snapshot-store.ts';
import { snapshotStoreContract } from '../../contract/snapshot-store.contract.ts';
import { bytesOf, manifestOf, segment } from '../../contract/snapshot-store.manifests.ts';

snapshotStoreContract(
  'memory store',
  () => {
    const store = memoryStore();
    return { open: () => store, dispose: async () => {} };
  },
  { runs: 200, canBeDamaged: false },
);

describe('memory store', () => {
  it('answers at once, so that whole checkpoints run in virtual time', () => {
    const ref = { job: 'j', task: '0' };
    const store = memoryStore();
    const task = store.task(ref);
    const token = task.acquireFence(0) as number;
    expect(token).toBe(1);
    const answers = [
      task.fence(),
      task.putSegment(token, segment(1, token), bytesOf('x')),
      task.getSegment(segment(1, token)),
      task.prepare(token, manifestOf(ref, token, 1, [segment(1, token)])),
      task.confirm(token, 1),
      task.manifests(),
      task.collect(token, []),
      task.clear(token),
      store.tasks(),
      store.check(),
      store.close(),
    ];
    for (const answer of answers) expect(answer).not.toBeInstanceOf(Promise);
    expect(answers[2]).toEqual(bytesOf('x'));
  });

  it('does not let a reader change what it keeps', () => {
    const task = memoryStore().task({ job: 'j', task: '0' });
    task.acquireFence(0);
    task.putSegment(1, segment(1, 1), bytesOf('x'));
    (task.getSegment(segment(1, 1)) as Uint8Array).fill(0);
    expect(task.getSegment(segment(1, 1))).toEqual(bytesOf('x'));
  });
});
