import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { filter, firstValueFrom, take, toArray } from 'rxjs';
import { expect, it } from 'vitest';
import {
  createSavepoint,
  deleteSavepoint,
  exportSavepoint,
  type JobHandle,
  memoryStore,
  readSavepointDirectory,
  type Sink,
} from '../../lib/index.ts';
import { collected } from '../scale/collected.ts';
import { type Count, CountingJobs, running } from './counting-jobs.ts';

const single = { tasks: 'single' } as const;

it('begins state without a key empty where that is allowed, and is refused otherwise', async () => {
  await using jobs = new CountingJobs({ hasTotal: true });
  const one = jobs.run(single);
  jobs.feed(2);
  await jobs.counted(one);
  await jobs.stopWith('one', one);
  jobs.feed();
  await expect(jobs.run({ fromSavepoint: 'one' }).done).rejects.toThrow(/"total".*without a key/s);
  const several = jobs.run({ fromSavepoint: 'one', allowDroppedState: true, maxTasks: 2 });
  await running(several, 2);
  await jobs.counted(several);
  expect(await several.ask('total')).toBe(12);
  jobs.expectExact();
});

it('is refused without the savepoint until every task has its share, and goes on with it', async () => {
  await using jobs = new CountingJobs();
  const one = jobs.run(single);
  jobs.feed(2);
  await jobs.counted(one);
  await jobs.stopWith('one', one);
  jobs.feed();
  let isFull = true;
  const taskOf = jobs.store.task.bind(jobs.store);
  const hasItsShare = async (task: string) =>
    (await taskOf({ job: 'counts', task }).manifests()).some(({ confirmed }) => confirmed);
  const othersHaveTheirs = () =>
    expect.poll(() => Promise.all(['0', '1', '2'].map(hasItsShare)), { timeout: 15_000 }).toEqual([true, true, true]);
  jobs.store.task = ref => {
    const task = taskOf(ref);
    const prepare = task.prepare.bind(task);
    task.prepare = (token, manifest) => {
      if (!isFull || ref.task !== '3') return prepare(token, manifest);
      return othersHaveTheirs().then(() => {
        throw new Error('no room for it');
      });
    };
    return task;
  };
  await expect(jobs.run({ fromSavepoint: 'one' }).done).rejects.toThrow(/no room for it/);
  isFull = false;
  await expect(jobs.run().done).rejects.toThrow(/the tasks 3 have none of it yet.*--from-savepoint/s);
  await expect(createSavepoint(jobs.store, 'counts', { offline: true })).rejects.toThrow(/the tasks 3 have none/);
  const several = jobs.run({ fromSavepoint: 'one' });
  await running(several, 4);
  await jobs.counted(several);
  jobs.expectExact();
});

/** Makes its output visible after the commit, when it can be reached. */
function reachable(): { sink: Sink<Count>; values: Count[]; isAway: boolean } {
  const output = { values: [] as Count[], isAway: false };
  const applied = new Map<string, number>();
  const apply = (task: string, id: number, handle: unknown) => {
    if (output.isAway) throw new Error('out of reach');
    if ((applied.get(task) ?? 0) >= id) return;
    applied.set(task, id);
    output.values.push(...(handle as Count[]));
  };
  const sink: Sink<Count> = {
    kind: 'reachable',
    name: 'reachable',
    guarantee: 'exactly-once',
    open: ({ task }) => {
      let current: Count[] = [];
      let lined: Count[] = [];
      return {
        restore: from => from && apply(task, from.id, from.handle),
        write: value => void current.push(value),
        barrier() {
          lined = [...lined, ...current];
          current = [];
        },
        flush: () => lined.map(({ key, count }) => ({ key, count })),
        commit(id, handle) {
          lined = [];
          apply(task, id, handle);
        },
        abandon() {},
        close() {},
      };
    },
  };
  return Object.assign(output, { sink });
}

it('is refused where output may not be visible yet, until the job has made it so as it was', async () => {
  await using jobs = new CountingJobs();
  const output = reachable();
  jobs.output = output;
  const one = jobs.run({ ...single, checkpoint: { interval: 'off' } });
  await isUp(one);
  jobs.feed(2);
  await firstValueFrom(one.status$.pipe(filter(({ records }) => records.in === 48)));
  output.isAway = true;
  one.checkpoint();
  await expect(one.done).rejects.toThrow(/out of reach/);
  await createSavepoint(jobs.store, 'counts', { name: 'hidden', offline: true });
  await expect(jobs.run({ fromSavepoint: 'hidden' }).done).rejects.toThrow(/"reachable" that is not visible yet/);

  output.isAway = false;
  const again = jobs.run(single);
  await isUp(again);
  await jobs.stopWith('shown', again);
  const several = jobs.run({ fromSavepoint: 'shown' });
  await running(several, 4);
  jobs.feed();
  await jobs.counted(several);
  jobs.expectExact();
});

it('takes a checkpoint of all tasks by its id, which every one of them must have', async () => {
  await using jobs = new CountingJobs();
  const four = jobs.run({ checkpoint: { interval: 'off' } });
  await running(four, 4);
  for (const _ of [1, 2]) {
    jobs.feed();
    await firstValueFrom(four.status$.pipe(filter(({ records }) => records.in === jobs.fed)));
    const committed = firstValueFrom(four.checkpoints$.pipe(take(4), toArray()));
    four.checkpoint();
    await committed;
  }
  await four.cancel();
  await expect(jobs.run({ fromSavepoint: '3', maxTasks: 2 }).done).rejects.toThrow(/no committed checkpoint 3/);
  const two = jobs.run({ fromSavepoint: '2', maxTasks: 2 });
  await running(two, 2);
  jobs.feed();
  await jobs.counted(two);
  jobs.expectExact();
});

it('leaves a fork all that it needs when the savepoint is deleted', async () => {
  await using jobs = new CountingJobs();
  const four = jobs.run();
  jobs.feed(2);
  await jobs.counted(four);
  await jobs.stopWith('four', four);
  jobs.output = collected();
  for (const [name, settings] of [
    ['same', {}],
    ['other', { maxTasks: 2 }],
  ] as const) {
    const fork = jobs.run({ ...settings, fromSavepoint: 'counts/four' }, name);
    await running(fork, settings.maxTasks ?? 4);
    await fork.stop();
  }
  await deleteSavepoint(jobs.store, 'counts', 'four');
  // Nobody reads the segments of the original any more.
  const taskOf = jobs.store.task.bind(jobs.store);
  jobs.store.task = ref => {
    if (ref.job === 'counts') throw new Error('the original is gone');
    return taskOf(ref);
  };
  jobs.feed();
  const [same, other] = [jobs.run({}, 'same'), jobs.run({}, 'other')];
  await expect.poll(() => jobs.output.values.length, { timeout: 15_000 }).toBe(48);
  expect(jobs.output.values.every(({ count }) => count === 3)).toBe(true);
  await Promise.all([same.stop(), other.stop()]);
});

it('goes on from a directory in an empty store, in its own tasks and in others', async () => {
  await using jobs = new CountingJobs();
  const four = jobs.run();
  jobs.feed(2);
  await jobs.counted(four);
  const savepoint = await jobs.stopWith('four', four);
  const folder = await mkdtemp(path.join(tmpdir(), 'tidemark-'));
  try {
    const directory = path.join(folder, 'four');
    await exportSavepoint(savepoint, directory);
    expect((await readSavepointDirectory(directory)).tasks.map(({ manifest }) => manifest.task)).toEqual([
      '0',
      '1',
      '2',
      '3',
    ]);
    jobs.feed();
    for (const maxTasks of [4, 3]) {
      jobs.store = memoryStore();
      jobs.output = collected();
      const handle = jobs.run({ fromSavepoint: directory, maxTasks });
      await running(handle, maxTasks);
      await expect.poll(() => jobs.output.values.length, { timeout: 15_000 }).toBe(24);
      jobs.expectExact(2);
      await handle.stop();
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

const isUp = (handle: JobHandle) => firstValueFrom(handle.status$.pipe(filter(({ phase }) => phase === 'running')));
