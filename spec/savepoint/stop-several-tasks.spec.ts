import { filter, firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { createSavepoint, listSavepoints, type SnapshotStore, type TaskStore } from '../../lib/index.ts';
import { CountingJobs, running } from './counting-jobs.ts';

/** Changes how the store of one task behaves. */
function change(store: SnapshotStore, task: string, by: (found: TaskStore) => void): void {
  const taskOf = store.task.bind(store);
  store.task = ref => {
    const found = taskOf(ref);
    if (ref.task === task) by(found);
    return found;
  };
}

describe('a stop with a savepoint that one of several tasks does not take', () => {
  it('leaves the others going on, in a process of its own and beside it, and nothing of the savepoint', async () => {
    await using jobs = new CountingJobs();
    let isDeaf = true;
    change(jobs.store, '2', found => {
      const notes = found.notes.bind(found);
      found.notes = () => (isDeaf ? [] : notes());
    });
    const [first, second] = [jobs.run({ stopTimeout: 2_000 }), jobs.run({ stopTimeout: 2_000 })];
    // The first has the tasks 0 and 2, the second 1 and 3.
    await Promise.all([running(first, 2), running(second, 2)]);
    jobs.feed(2);
    await jobs.counted(first, second);

    const stopping = createSavepoint(jobs.store, 'counts', { name: 'never', end: 'stop', patience: 300 });
    const stopped = Promise.all([running(first, 1), running(second, 0)]);
    await expect(stopping).rejects.toThrow(/task 2/i);
    await stopped;
    expect(await listSavepoints(jobs.store)).toEqual([]);
    jobs.feed(2);
    await Promise.all([running(first, 2), running(second, 2)]);
    await jobs.counted(first, second);
    jobs.expectExact();

    isDeaf = false;
    const savepoint = await jobs.stopWith('end', first, second);
    expect(savepoint.tasks).toHaveLength(4);
  });

  it('ends the process whose task fails in it, says why at once, and goes on in the other', async () => {
    await using jobs = new CountingJobs();
    change(jobs.store, '2', found => {
      const prepare = found.prepare.bind(found);
      found.prepare = (token, manifest) => {
        if (manifest.kind === 'savepoint') throw new Error('no room for it');
        return prepare(token, manifest);
      };
    });
    const [first, second] = [jobs.run({ stopTimeout: 500 }), jobs.run({ stopTimeout: 500 })];
    await Promise.all([running(first, 2), running(second, 2)]);
    jobs.feed(2);
    await jobs.counted(first, second);

    await expect(createSavepoint(jobs.store, 'counts', { name: 'never', end: 'stop' })).rejects.toThrow(/no room/);
    expect(await listSavepoints(jobs.store)).toEqual([]);
    await expect(first.done).rejects.toMatchObject({ code: 'CHECKPOINT' });
    await running(second, 4);
    jobs.feed();
    await jobs.counted(second);
    jobs.expectExact();
  });
});

it('a stop with a savepoint ends both processes of a job of one task, the one that runs and the one that stands by', async () => {
  await using jobs = new CountingJobs();
  const settings = { tasks: 'standby' } as const;
  const first = jobs.run(settings);
  await running(first, 1);
  const second = jobs.run(settings);
  await firstValueFrom(second.status$.pipe(filter(({ phase }) => phase === 'standby')));
  jobs.feed(2);
  await jobs.counted(first, second);
  await jobs.stopWith('end', first, second);
  jobs.feed();

  const third = jobs.run({ ...settings, fromSavepoint: 'end' });
  await running(third, 1);
  const fourth = jobs.run({ ...settings, fromSavepoint: 'end' });
  await firstValueFrom(fourth.status$.pipe(filter(({ phase }) => phase === 'standby')));
  await jobs.counted(third, fourth);
  await third.stop();
  await running(fourth, 1);
  jobs.feed();
  await jobs.counted(fourth);
  jobs.expectExact();
});
