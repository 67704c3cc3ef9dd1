import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  checkState,
  createSavepoint,
  deleteSavepoint,
  type JobHandle,
  type JobSettings,
  listSavepoints,
} from '../../lib/index.ts';
import { collected } from '../scale/collected.ts';
import { type Count, CountingJobs, running } from './counting-jobs.ts';

const gone = { patience: 30 };

let jobs: CountingJobs;
beforeEach(() => {
  jobs = new CountingJobs();
});
afterEach(() => jobs[Symbol.asyncDispose]());

describe('a savepoint of a job in several tasks', () => {
  it('is taken by all of them, wherever they run, while they go on; and deleted in all', async () => {
    const first = jobs.run();
    await running(first, 4);
    const second = jobs.run();
    await Promise.all([running(first, 2), running(second, 2)]);
    jobs.feed(3);
    const { savepoint, taken } = await createSavepoint(jobs.store, 'counts', { name: 'all' });
    expect(taken).toBe('running');
    expect(savepoint.tasks.map(({ manifest }) => manifest.tasks?.index).sort()).toEqual([0, 1, 2, 3]);
    jobs.feed();
    jobs.log.end();
    expect(await Promise.all([first.done, second.done])).toEqual(['finished', 'finished']);
    jobs.expectExact();
    await deleteSavepoint(jobs.store, 'counts', 'all');
    expect(await listSavepoints(jobs.store)).toEqual([]);
  });

  it('stops the job in all processes, those that stand by included, and it goes on from there', async () => {
    const handles = [jobs.run()];
    await running(handles[0] as JobHandle, 4);
    // Five processes for four tasks: one has none.
    for (let n = 0; n < 4; n++) handles.push(jobs.run());
    const [first, ...others] = handles as [JobHandle, ...JobHandle[]];
    await Promise.all([running(first, 1), ...others.slice(0, 3).map(handle => running(handle, 1))]);
    jobs.feed(2);
    const { savepoint } = await createSavepoint(jobs.store, 'counts', { name: 'end', end: 'stop' });
    expect(await Promise.all(handles.map(({ done }) => done))).toEqual(Array.from({ length: 5 }, () => 'stopped'));
    expect(savepoint.tasks.every(({ manifest }) => manifest.closed)).toBe(true);
    const next = jobs.run();
    await running(next, 4);
    jobs.feed();
    await jobs.counted(next);
    jobs.expectExact();
  });

  it('counts the last checkpoint of a task that is finished, and of all when nobody runs the job', async () => {
    jobs.feed(2);
    jobs.log.end();
    expect(await jobs.run().done).toBe('finished');
    const { savepoint, taken } = await createSavepoint(jobs.store, 'counts', { name: 'done', ...gone });
    expect(taken).toBe('offline');
    expect(savepoint.tasks).toHaveLength(4);
    await expect(createSavepoint(jobs.store, 'counts', { name: 'again', end: 'stop', ...gone })).rejects.toMatchObject({
      code: 'SAVEPOINT',
    });
  });

  it('is refused offline where records may be on their way between tasks, and nothing of it is left', async () => {
    await using jobs = new CountingJobs({ hasRepartition: true });
    const handle = jobs.run();
    await running(handle, 4);
    jobs.feed();
    await jobs.counted(handle);
    await handle.stop();
    await expect(createSavepoint(jobs.store, 'counts', { name: 'never', offline: true })).rejects.toThrow(
      /repartition/,
    );
    expect(await listSavepoints(jobs.store)).toEqual([]);
  });
});

describe('a start from a savepoint', () => {
  it('spreads the state over other numbers of tasks, from one to several and back', async () => {
    const single = jobs.run({ tasks: 'single' });
    jobs.feed(2);
    await jobs.counted(single);
    await jobs.stopWith('one', single);
    for (const [from, count] of [
      ['one', 4],
      ['to-4', 3],
      ['to-3', 2],
    ] as const) {
      const handle = jobs.run({ fromSavepoint: from, maxTasks: count });
      await running(handle, count);
      jobs.feed(2);
      await jobs.counted(handle);
      const { tasks } = await jobs.stopWith(`to-${count}`, handle);
      const keysOf = tasks.map(({ manifest }) => manifest.actors.count?.keys ?? 0);
      expect(keysOf).toHaveLength(count);
      expect(keysOf.reduce((sum, one) => sum + one, 0)).toBe(24);
    }
    const last = jobs.run({ tasks: 'single', fromSavepoint: 'to-2' });
    jobs.feed(2);
    await jobs.counted(last);
    await last.stop();
    jobs.expectExact();
    // The same argument again: it goes on from where it was.
    const again = jobs.run({ tasks: 'single', fromSavepoint: 'to-2' });
    jobs.feed();
    await jobs.counted(again);
    jobs.expectExact();
  });

  it('goes on with the same argument, and without it, but not as it was before', async () => {
    const single = jobs.run({ tasks: 'single' });
    jobs.feed();
    await jobs.counted(single);
    await jobs.stopWith('one', single);
    for (const settings of [{ fromSavepoint: 'one' }, { fromSavepoint: 'one' }, {}]) {
      const handle = jobs.run(settings);
      await running(handle, 4);
      jobs.feed();
      await jobs.counted(handle);
      await handle.stop();
    }
    jobs.expectExact();
    await expect(jobs.run({ tasks: 'single' }).done).rejects.toMatchObject({ code: 'TASK_LAYOUT' });
    await expect(jobs.run({ tasks: 'single', fromSavepoint: 'one' }).done).rejects.toThrow(/would be forgotten/);
    await running(jobs.run({ fromSavepoint: 'one', maxTasks: 2 }), 4);
  });

  it('leaves the original as it is under another name', async () => {
    const original = jobs.run();
    await running(original, 4);
    jobs.feed(2);
    await jobs.counted(original);
    await createSavepoint(jobs.store, 'counts', { name: 'fork' });
    const forkOutput = collected<Count>();
    const fork = jobs.run({ fromSavepoint: 'counts/fork', maxTasks: 2 }, 'forked', forkOutput.sink);
    const sameShape = collected<Count>();
    const twin = jobs.run({ fromSavepoint: 'counts/fork' }, 'twin', sameShape.sink);
    await running(fork, 2);
    jobs.feed(2);
    jobs.log.end();
    expect(await Promise.all([original.done, fork.done, twin.done])).toEqual(['finished', 'finished', 'finished']);
    jobs.expectExact();
    for (const output of [forkOutput, sameShape]) jobs.expectCounts([3, 4], output);
  });

  it('takes more partitions when all of the old ones was read, and refuses with what is left otherwise', async () => {
    const handle = jobs.run();
    await running(handle, 4);
    jobs.feed(2);
    await jobs.counted(handle);
    await jobs.stopWith('four', handle);
    jobs.feed();
    jobs.log.grow(6);
    await expect(jobs.run().done).rejects.toMatchObject({ code: 'PARTITION_COUNT_CHANGED' });
    await expect(jobs.run({ fromSavepoint: 'four' }).done).rejects.toThrow(/24 records lie behind .*log-0: 6.*single/s);
    // A record of a moved key fails the job rather than be counted from zero.
    const failing = jobs.run({ fromSavepoint: 'four', recovery: { acceptMovedKeys: true } }, 'other');
    await expect(failing.done).rejects.toThrow();
    const single = jobs.run({ tasks: 'single', fromSavepoint: 'four' });
    await jobs.counted(single);
    await jobs.stopWith('read', single);
    const grown = jobs.run({ fromSavepoint: 'read' });
    await running(grown, 6);
    jobs.feed(2);
    await jobs.counted(grown);
    jobs.expectExact();
  });
});

describe('checkState of a job in several tasks', () => {
  it('looks at all of them, and at a savepoint of another number', async () => {
    const single = jobs.run({ tasks: 'single' });
    jobs.feed();
    await jobs.counted(single);
    await jobs.stopWith('one', single);
    const settings: JobSettings = { store: jobs.store, tasks: 'per-partition' };
    expect(await checkState(jobs.declared(), settings)).toMatchObject({ problem: { code: 'TASK_LAYOUT' } });
    const before = await checkState(jobs.declared(), { ...settings, fromSavepoint: 'one' });
    expect(before).toMatchObject({
      actors: [{ name: 'count', keys: 24, change: 'same' }],
      sources: [{ change: 'same' }],
    });
    expect(before.problem).toBeUndefined();
    const handle = jobs.run({ fromSavepoint: 'one' });
    await running(handle, 4);
    jobs.feed();
    await jobs.counted(handle);
    await handle.stop();
    for (const over of [{}, { fromSavepoint: 'one' }]) {
      const report = await checkState(jobs.declared(), { ...settings, ...over }, { migrations: true });
      expect(report).toMatchObject({ task: '4 tasks', actors: [{ name: 'count', keys: 24 }] });
      expect(report.problem).toBeUndefined();
    }
    expect(await checkState(jobs.declared(), { store: jobs.store })).toMatchObject({
      problem: { code: 'TASK_LAYOUT' },
    });
    expect(await checkState(jobs.declared(), { store: jobs.store, fromSavepoint: 'one' })).toMatchObject({
      problem: { code: 'SAVEPOINT' },
    });
  });
});
