import { filter, firstValueFrom } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  from,
  type JobHandle,
  type JobSettings,
  job,
  memoryStore,
  StoreUnavailableError,
  start,
} from '../../lib/index.ts';
import { keyBy, scan, to } from '../../operators/index.ts';
import { quiet } from '../job/quiet.ts';
import { collected } from './collected.ts';
import { type Keyed, PartitionedLog } from './partitioned-log.ts';

interface Count {
  readonly key: string;
  readonly count: number;
}

function counting(log: PartitionedLog, settings: JobSettings = {}) {
  const store = memoryStore();
  const output = collected<Count>();
  const declared = job('counts', () =>
    from(log.source()).pipe(
      keyBy(({ key }: Keyed) => key),
      scan('count', (count: Count, { key }: Keyed) => ({ key, count: count.count + 1 }), { key: '', count: 0 }),
      to(output.sink),
    ),
  );
  const handles: JobHandle[] = [];
  const process = (over: JobSettings = {}) => {
    const handle = start(declared, {
      tasks: 'per-partition',
      store,
      logger: quiet,
      checkpoint: { interval: '10ms' },
      ...settings,
      ...over,
    });
    handles.push(handle);
    open.add(handle);
    return handle;
  };
  return { store, output, process, handles };
}

const open = new Set<JobHandle>();
afterEach(async () => {
  await Promise.all([...open].map(handle => handle.cancel()));
  open.clear();
});

const tasksOf = (handle: JobHandle) => handle.status.tasks?.map(({ task }) => task) ?? [];
const running = (handle: JobHandle, tasks: readonly string[]) =>
  firstValueFrom(
    handle.status$.pipe(
      filter(
        ({ phase, tasks: now = [] }) =>
          `${now.filter(one => one.phase === 'running').map(({ task }) => task)}` === `${tasks}` &&
          (phase === 'running' || phase === 'standby'),
      ),
    ),
  );

/** Records of twelve keys, three to a partition of four. */
function fill(log: PartitionedLog, rounds: number): void {
  for (let n = 0; n < rounds; n++) {
    for (let key = 0; key < 12; key++) log.append(key % 4, { key: `k${key}`, n });
  }
}

const highest = (values: readonly Count[]) => {
  const found = new Map<string, number>();
  for (const { key, count } of values) found.set(key, Math.max(found.get(key) ?? 0, count));
  return found;
};

describe('a job whose tasks are spread over processes', () => {
  it('runs one task for each partition, each with state and checkpoints of its own, and finishes when all have', async () => {
    const log = new PartitionedLog({ partitions: 4 });
    const { process, output, store } = counting(log);
    fill(log, 50);
    log.end();
    const handle = process();
    expect(await handle.done).toBe('finished');
    expect(output.values).toHaveLength(600);
    // What has ended stays in the sums.
    expect(handle.status).toMatchObject({ phase: 'finished', tasks: [], records: { in: 600, out: 600 } });
    expect(handle.status.sources).toMatchObject([{ name: 'log', records: 600, isFinished: true }]);
    expect([...highest(output.values).values()]).toEqual(Array.from({ length: 12 }, () => 50));
    const refs = await store.tasks();
    expect(refs.map(({ task }) => task).sort()).toEqual(['0', '1', '2', '3']);
    const [newest] = (await store.task({ job: 'counts', task: '2' }).manifests()).slice(-1);
    expect(newest?.manifest.tasks).toEqual({ index: 2, count: 4, partitions: { log: 4 } });
    expect(newest?.manifest.actors.count?.keys).toBe(3);
  });

  it('moves tasks with their state to processes that join, and back when they leave', async () => {
    const log = new PartitionedLog({ partitions: 4 });
    const { process, output } = counting(log);
    fill(log, 10);
    const first = process();
    await running(first, ['0', '1', '2', '3']);
    const second = process();
    await Promise.all([running(first, ['0', '2']), running(second, ['1', '3'])]);
    fill(log, 10);
    const third = process();
    await Promise.all([running(first, ['0', '3']), running(second, ['1']), running(third, ['2'])]);
    fill(log, 10);
    await second.stop();
    await Promise.all([running(first, ['0', '2']), running(third, ['1', '3'])]);
    fill(log, 10);
    log.end();
    expect(await Promise.all([first.done, third.done])).toEqual(['finished', 'finished']);
    // Each count of each key once: nothing lost, nothing twice, in order.
    for (let key = 0; key < 12; key++) {
      const counts = output.values.filter(value => value.key === `k${key}`).map(({ count }) => count);
      expect(counts).toEqual(Array.from({ length: 40 }, (_, n) => n + 1));
    }
  });

  it('waits for a store that does not answer when tasks move and when they end', async () => {
    const log = new PartitionedLog({ partitions: 2 });
    const { process, output, store } = counting(log, {
      restart: { strategy: 'fixed-delay', attempts: 1_000, delay: '1ms' },
    });
    let asked = 0;
    let isAway = false;
    const taskOf = store.task.bind(store);
    store.task = ref => {
      const task = taskOf(ref);
      const manifests = task.manifests.bind(task);
      task.manifests = () => {
        if (!isAway) return manifests();
        asked++;
        throw new StoreUnavailableError('away for a moment');
      };
      return task;
    };
    const untilAskedAgain = () => expect.poll(() => asked).toBeGreaterThan(3);
    log.append(0, { key: 'a', n: 0 });
    log.append(1, { key: 'b', n: 0 });
    const first = process();
    await running(first, ['0', '1']);
    const second = process();
    await Promise.all([running(first, ['0']), running(second, ['1'])]);
    isAway = true;
    await second.stop();
    await untilAskedAgain();
    isAway = false;
    await running(first, ['0', '1']);
    log.end();
    await firstValueFrom(first.status$.pipe(filter(({ tasks = [] }) => tasks.length === 0)));
    expect(await first.done).toBe('finished');
    expect(output.values.map(({ key, count }) => `${key}${count}`).sort()).toEqual(['a1', 'b1']);
  });

  it('stands by where there are more processes than tasks, and takes over when one goes', async () => {
    const log = new PartitionedLog({ partitions: 1 });
    const { process, output } = counting(log);
    const first = process();
    await running(first, ['0']);
    const second = process();
    await running(second, []);
    expect(second.status).toMatchObject({ phase: 'standby', tasks: [], taskCount: 1 });
    log.append(0, { key: 'a', n: 0 });
    await first.stop();
    await running(second, ['0']);
    log.append(0, { key: 'a', n: 1 });
    log.end();
    expect(await second.done).toBe('finished');
    expect(output.values.map(({ count }) => count)).toEqual([1, 2]);
  });

  it('runs a job of one task in one process while the others stand by', async () => {
    const log = new PartitionedLog({ partitions: 4 });
    const { process, output, store } = counting(log, { tasks: 'standby' });
    const first = process();
    await running(first, ['main']);
    const second = process();
    await running(second, []);
    fill(log, 2);
    await first.stop();
    await running(second, ['main']);
    fill(log, 2);
    log.end();
    expect(await second.done).toBe('finished');
    expect([...highest(output.values).values()]).toEqual(Array.from({ length: 12 }, () => 4));
    expect((await store.tasks()).map(({ task }) => task)).toEqual(['main']);
  });

  it('lets a process that was taken for lost do no harm: the fence decides', async () => {
    const log = new PartitionedLog({ partitions: 2 });
    const { process, output } = counting(log, { checkpoint: { interval: 'off' } });
    const first = process();
    await running(first, ['0', '1']);
    const [lost] = [...log.group.members.keys()];
    const second = process();
    if (!lost) throw new Error('The first process is no member.');
    // The group gives everything to the second; the first does not know yet.
    await log.group.lose(lost);
    await running(second, ['0', '1']);
    log.append(0, { key: 'k0', n: 0 });
    first.checkpoint();
    await firstValueFrom(first.status$.pipe(filter(({ tasks = [] }) => tasks.length === 0 || tasks.length === 1)));
    await lost.lost({ why: 'session', isFinal: false, error: undefined });
    expect(tasksOf(first)).toEqual([]);
    expect(first.status.phase).toBe('standby');
    log.end();
    expect(await second.done).toBe('finished');
    expect(output.values).toEqual([{ key: 'k0', count: 1 }]);
  });

  it('starts a task again that was fenced, once the group has assigned it anew', async () => {
    const log = new PartitionedLog({ partitions: 2 });
    const { process, output, store } = counting(log, { checkpoint: { interval: 'off' } });
    const first = process();
    await running(first, ['0', '1']);
    const { generation } = log.group;
    log.append(1, { key: 'k1', n: 0 });
    // Somebody else takes the fence, and is gone again.
    const fence = await store.task({ job: 'counts', task: '1' }).fence();
    await store.task({ job: 'counts', task: '1' }).acquireFence(fence);
    first.checkpoint();
    await vi.waitFor(() => expect(log.group.generation).toBeGreaterThan(generation));
    await running(first, ['0', '1']);
    log.end();
    expect(await first.done).toBe('finished');
    expect(output.values).toEqual([{ key: 'k1', count: 1 }]);
  });

  it('fails for good where another group has taken its tasks, and names both: that one goes on exactly', async () => {
    const log = new PartitionedLog({ partitions: 2 });
    const { process, output, store } = counting(log, { checkpoint: { interval: 'off' } });
    const first = process();
    await running(first, ['0', '1']);
    const second = process({ members: { group: 'others' } });
    await running(second, ['0', '1']);
    log.append(0, { key: 'k0', n: 0 });
    first.checkpoint();
    await expect(first.done).rejects.toMatchObject({
      code: 'OTHER_GROUP',
      fault: 'user',
      retriable: false,
      context: { job: 'counts', task: '0', group: 'tidemark.counts.members', otherGroup: 'others' },
    });
    await expect(first.done).rejects.toThrow(/of the group "others", .* Give all processes the same group/);
    log.end();
    expect(await second.done).toBe('finished');
    expect(output.values).toEqual([{ key: 'k0', count: 1 }]);
    expect(await store.task({ job: 'counts', task: '0' }).notes()).toEqual([{ name: 'group', text: 'others' }]);
  });

  it('ends the fight of two groups whoever takes which task last', async () => {
    const log = new PartitionedLog({ partitions: 4 });
    const { process, output } = counting(log);
    const all = ['a', 'b', 'a', 'b'].map(group => process({ members: { group } }));
    // Each record makes checkpoints, and these find out who has the fence.
    const feeding = setInterval(() => fill(log, 1), 5);
    const ends = Promise.all(all.map(({ done }) => done.catch(({ code }) => code)));
    const ended = () => all.filter(({ status }) => status.phase === 'failed').length;
    await expect.poll(ended, { timeout: 15_000 }).toBeGreaterThanOrEqual(2);
    clearInterval(feeding);
    log.end();
    const codes = await ends;
    expect(new Set(codes)).toEqual(new Set(['finished', 'OTHER_GROUP']));
    const counts = output.values.filter(({ key }) => key === 'k0').map(({ count }) => count);
    expect(counts).toEqual(counts.map((_, n) => n + 1));
  });

  it.each(['stop', 'cancel'] as const)('takes another name of the group after a %s', async how => {
    const log = new PartitionedLog({ partitions: 2 });
    const { process, output } = counting(log);
    log.append(0, { key: 'k0', n: 0 });
    const first = process({ members: { group: 'before' } });
    await running(first, ['0', '1']);
    await expect.poll(() => output.values.length).toBe(1);
    await first[how]();
    const second = process({ members: { group: 'after' } });
    await running(second, ['0', '1']);
    log.append(0, { key: 'k0', n: 1 });
    log.end();
    expect(await second.done).toBe('finished');
    expect(output.values.map(({ count }) => count)).toEqual([1, 2]);
  });

  it('runs, and gives up tasks, where groups cannot be noted', async () => {
    const log = new PartitionedLog({ partitions: 1 });
    const { process, store, output } = counting(log, { checkpoint: { interval: 'off' } });
    const taskOf = store.task.bind(store);
    let looked = 0;
    store.task = ref => {
      const task = taskOf(ref);
      task.notes = () => {
        looked++;
        throw new StoreUnavailableError('away for a moment');
      };
      return task;
    };
    const first = process();
    await running(first, ['0']);
    expect(looked).toBeGreaterThan(0);
    const task = store.task({ job: 'counts', task: '0' });
    await task.acquireFence(await task.fence());
    log.append(0, { key: 'a', n: 0 });
    const { generation } = log.group;
    first.checkpoint();
    await vi.waitFor(() => expect(log.group.generation).toBeGreaterThan(generation));
    await running(first, ['0']);
    log.end();
    expect(await first.done).toBe('finished');
    expect(output.values.at(-1)).toEqual({ key: 'a', count: 1 });
  });

  it('leaves its group for good when the job has ended, and not when this process is stopped', async () => {
    const log = new PartitionedLog({ partitions: 2 });
    const { process } = counting(log, { checkpoint: { interval: '10ms', requestInterval: 5 } });
    const ends = [
      (handle: JobHandle) => handle.stop(),
      (handle: JobHandle) => handle.cancel(),
      (handle: JobHandle) => handle.savepoint({ name: 'end', stop: true }),
      () => log.end(),
    ];
    for (const end of ends) {
      const handle = process();
      await running(handle, ['0', '1']);
      await end(handle);
      await handle.done;
    }
    expect(log.group.left).toEqual([false, false, true, true]);
  });

  it('tells the lag of its own tasks only', async () => {
    const log = new PartitionedLog({ partitions: 4 });
    const { process } = counting(log);
    const first = process();
    await running(first, ['0', '1', '2', '3']);
    const tasksWithKeys = async () => {
      const text = await first.registry.metrics();
      return [...text.matchAll(/^tidemark_actor_keys\{.*task="(\d)"/gm)].map(([, task]) => task).sort();
    };
    expect(await tasksWithKeys()).toEqual(['0', '1', '2', '3']);
    const second = process();
    await running(first, ['0', '2']);
    expect(await tasksWithKeys()).toEqual(['0', '2']);
    await Promise.all([first.cancel(), second.cancel()]);
  });

  it('fails at a key that belongs to another task, and names the repartition that is missing', async () => {
    const log = new PartitionedLog({ partitions: 2, partitionOf: key => Number(String(key).slice(1)) });
    const { process } = counting(log);
    const handle = process();
    log.append(0, { key: 'k0', n: 0 }, { key: 'k1', n: 0 });
    await expect(handle.done).rejects.toMatchObject({ code: 'MISSING_REPARTITION' });
    await expect(handle.done).rejects.toThrow(/repartition\("count"\)/);
  });

  it('refuses keyed state when a topic has another number of partitions than before', async () => {
    const log = new PartitionedLog({ partitions: 2 });
    const { process } = counting(log);
    log.append(0, { key: 'a', n: 0 });
    const before = process();
    await running(before, ['0', '1']);
    await before.stop();
    log.count = 3;
    const after = process();
    await expect(after.done).rejects.toMatchObject({ code: 'PARTITION_COUNT_CHANGED' });
  });

  it('keeps the number of tasks for the life of the state', async () => {
    const log = new PartitionedLog({ partitions: 4 });
    const { process } = counting(log);
    const before = process({ maxTasks: 2 });
    fill(log, 1);
    await running(before, ['0', '1']);
    await before.stop();
    const after = process({ maxTasks: 64 });
    await running(after, ['0', '1']);
    expect(after.status.taskCount).toBe(2);
  });

  it('refuses to run as one task what was spread, and the other way round', async () => {
    const log = new PartitionedLog({ partitions: 2 });
    const { process } = counting(log);
    const spread = process();
    await running(spread, ['0', '1']);
    await spread.stop();
    await expect(process({ tasks: 'single' }).done).rejects.toMatchObject({ code: 'TASK_LAYOUT' });

    const other = new PartitionedLog({ partitions: 2 });
    const single = counting(other, { tasks: 'single' });
    const whole = single.process();
    await firstValueFrom(whole.status$.pipe(filter(({ phase }) => phase === 'running')));
    await whole.stop();
    await expect(single.process({ tasks: 'per-partition' }).done).rejects.toMatchObject({ code: 'TASK_LAYOUT' });
  });

  it('fails as a whole when a task fails for good, and stops the others with a checkpoint', async () => {
    const log = new PartitionedLog({ partitions: 2 });
    const store = memoryStore();
    const declared = job('failing', () =>
      from(log.source()).pipe(
        keyBy(({ key }: Keyed) => key),
        scan(
          'count',
          (count: number, { key }: Keyed) => {
            if (key === 'bad') throw new Error('no');
            return count + 1;
          },
          0,
        ),
      ),
    );
    const handle = start(declared, {
      tasks: 'per-partition',
      store,
      logger: quiet,
      restart: { strategy: 'none' },
      checkpoint: { interval: 'off' },
    });
    open.add(handle);
    await running(handle, ['0', '1']);
    log.append(0, { key: 'good', n: 0 });
    log.append(1, { key: 'bad', n: 0 });
    await expect(handle.done).rejects.toMatchObject({ code: 'USER_CODE' });
    const manifests = await store.task({ job: 'failing', task: '0' }).manifests();
    expect(manifests.at(-1)?.manifest.actors.count?.keys).toBe(1);
    expect(handle.status.phase).toBe('failed');
  });

  it('fails with what the function of the job throws when a task begins', async () => {
    const log = new PartitionedLog({ partitions: 2 });
    let builds = 0;
    const declared = job('built', () => {
      // Once to look at the graph; then once for each task.
      builds++;
      if (builds === 3) throw new Error('no second task');
      return from(log.source());
    });
    const handle = start(declared, { tasks: 'per-partition', store: memoryStore(), logger: quiet });
    open.add(handle);
    await expect(handle.done).rejects.toThrow(/no second task/);
  });

  it('answers what is asked of an actor from the task that has the key', async () => {
    const log = new PartitionedLog({ partitions: 4 });
    const { process } = counting(log);
    fill(log, 3);
    const handle = process();
    await running(handle, ['0', '1', '2', '3']);
    await expect.poll(() => handle.ask('count', 'k7')).toEqual({ key: 'k7', count: 3 });
    await expect(handle.ask('count', 'nobody')).resolves.toBeUndefined();
  });

  it.each([
    [{ fresh: true }, /fresh: /],
    [{ recovery: { acceptCheckpoint: 3 } }, /acceptCheckpoint/],
  ])('refuses settings that make no sense for shared tasks: %o', (settings, message) => {
    const log = new PartitionedLog({ partitions: 2 });
    expect(() => counting(log).process(settings)).toThrow(message);
  });

  it('refuses a source that has no partitions to share', () => {
    const declared = job('embedded', () => from([1, 2, 3] as unknown as AsyncIterable<number>));
    expect(() => start(declared, { tasks: 'per-partition', logger: quiet })).toThrow();
  });
});
