import { filter, firstValueFrom } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  checkState,
  createSavepoint,
  deleteSavepoint,
  from,
  type JobHandle,
  type JobSettings,
  job,
  type Key,
  listSavepoints,
  memoryStore,
  type SnapshotStore,
  start,
} from '../../lib/index.ts';
import { keyBy, repartition, scan, to } from '../../operators/index.ts';
import { quiet } from '../job/quiet.ts';
import { collected } from '../scale/collected.ts';
import { type Keyed, PartitionedLog } from '../scale/partitioned-log.ts';

interface Count {
  readonly key: string;
  readonly count: number;
}

const keys = Array.from({ length: 24 }, (_, n) => `k${n}`);
const numberOf = (key: Key): number => Number(String(key).slice(1));
const partitionOf = (key: Key, partitions: number): number => numberOf(key) % partitions;
const gone = { patience: 30 };

let store: SnapshotStore;
let log: PartitionedLog;
let output: ReturnType<typeof collected<Count>>;
const open = new Set<JobHandle>();
beforeEach(() => {
  store = memoryStore();
  log = new PartitionedLog({ partitions: 4, partitionOf });
  output = collected<Count>();
});
afterEach(async () => {
  await Promise.all([...open].map(handle => handle.cancel()));
  open.clear();
});

function run(settings: JobSettings = {}, { name = 'counts', shuffled = false, sink = output.sink } = {}): JobHandle {
  const declared = job(name, () => {
    const keyed = from(log.source()).pipe(keyBy(({ key }: Keyed) => key));
    return (shuffled ? keyed.pipe(repartition('counts')) : keyed).pipe(
      scan('count', (count: Count, { key }: Keyed) => ({ key, count: count.count + 1 }), { key: '', count: 0 }),
      to(sink),
    );
  });
  const handle = start(declared, {
    tasks: 'per-partition',
    store,
    logger: quiet,
    restart: { strategy: 'none' },
    ...settings,
    checkpoint: { interval: '10ms', requestInterval: 5, ...settings.checkpoint },
  });
  open.add(handle);
  return handle;
}

let rounds = 0;
beforeEach(() => {
  rounds = 0;
});
/** One record of each key, in its partition. */
function feed(count = 1): void {
  for (let n = 0; n < count; n++) {
    rounds++;
    for (const key of keys) log.append(partitionOf(key, log.count), { key, n });
  }
}

/** Every key was counted once for each round, in order. */
function expectExact(of = output): void {
  for (const key of keys) {
    expect(
      of.values.filter(value => value.key === key).map(({ count }) => count),
      key,
    ).toEqual(Array.from({ length: rounds }, (_, n) => n + 1));
  }
}

const running = (handle: JobHandle, count: number) =>
  Promise.race([
    handle.done.then(outcome => Promise.reject(new Error(`it has ${outcome}`))),
    firstValueFrom(
      handle.status$.pipe(
        filter(({ tasks = [] }) => tasks.filter(({ phase }) => phase === 'running').length === count),
      ),
    ),
  ]);
const counted = async (handle: JobHandle, of = output) => {
  while (of.values.length < rounds * keys.length) {
    await Promise.race([
      handle.done.then(outcome => Promise.reject(new Error(`it has ${outcome}`))),
      firstValueFrom(handle.checkpoints$),
    ]);
  }
};
const stopWith = async (handle: JobHandle, name: string, job = 'counts') => {
  const { savepoint } = await createSavepoint(store, job, { name, end: 'stop' });
  expect(await handle.done).toBe('stopped');
  return savepoint;
};

describe('a savepoint of a job in several tasks', () => {
  it('is taken by all of them, wherever they run, while they go on; and deleted in all', async () => {
    const first = run();
    await running(first, 4);
    const second = run();
    await Promise.all([running(first, 2), running(second, 2)]);
    feed(3);
    const { savepoint, taken } = await createSavepoint(store, 'counts', { name: 'all' });
    expect(taken).toBe('running');
    expect(savepoint.tasks.map(({ manifest }) => manifest.tasks?.index).sort()).toEqual([0, 1, 2, 3]);
    feed();
    log.end();
    expect(await Promise.all([first.done, second.done])).toEqual(['finished', 'finished']);
    expectExact();
    await deleteSavepoint(store, 'counts', 'all');
    expect(await listSavepoints(store)).toEqual([]);
  });

  it('stops the job in all processes, those that stand by included, and it goes on from there', async () => {
    const handles = [run()];
    await running(handles[0] as JobHandle, 4);
    // Five processes for four tasks: one has none.
    for (let n = 0; n < 4; n++) handles.push(run());
    const [first, ...others] = handles as [JobHandle, ...JobHandle[]];
    await Promise.all([running(first, 1), ...others.slice(0, 3).map(handle => running(handle, 1))]);
    feed(2);
    const { savepoint } = await createSavepoint(store, 'counts', { name: 'end', end: 'stop' });
    expect(await Promise.all(handles.map(({ done }) => done))).toEqual(Array.from({ length: 5 }, () => 'stopped'));
    expect(savepoint.tasks.every(({ manifest }) => manifest.closed)).toBe(true);
    const next = run();
    await running(next, 4);
    feed();
    await counted(next);
    expectExact();
  });

  it('counts the last checkpoint of a task that is finished, and of all when nobody runs the job', async () => {
    feed(2);
    log.end();
    expect(await run().done).toBe('finished');
    const { savepoint, taken } = await createSavepoint(store, 'counts', { name: 'done', ...gone });
    expect(taken).toBe('offline');
    expect(savepoint.tasks).toHaveLength(4);
    await expect(createSavepoint(store, 'counts', { name: 'again', end: 'stop', ...gone })).rejects.toMatchObject({
      code: 'SAVEPOINT',
    });
  });

  it('is refused offline where records may be on their way between tasks, and nothing of it is left', async () => {
    const handle = run({}, { shuffled: true });
    await running(handle, 4);
    feed();
    await counted(handle);
    await handle.stop();
    await expect(createSavepoint(store, 'counts', { name: 'never', offline: true })).rejects.toThrow(/repartition/);
    expect(await listSavepoints(store)).toEqual([]);
  });
});

describe('a start from a savepoint', () => {
  it('spreads the state over other numbers of tasks, from one to several and back', async () => {
    const single = run({ tasks: 'single' });
    feed(2);
    await counted(single);
    await stopWith(single, 'one');
    for (const [from, count] of [
      ['one', 4],
      ['to-4', 3],
      ['to-3', 2],
    ] as const) {
      const handle = run({ fromSavepoint: from, maxTasks: count });
      await running(handle, count);
      feed(2);
      await counted(handle);
      const { tasks } = await stopWith(handle, `to-${count}`);
      const keysOf = tasks.map(({ manifest }) => manifest.actors.count?.keys ?? 0);
      expect(keysOf).toHaveLength(count);
      expect(keysOf.reduce((sum, one) => sum + one, 0)).toBe(24);
    }
    const last = run({ tasks: 'single', fromSavepoint: 'to-2' });
    feed(2);
    await counted(last);
    await last.stop();
    expectExact();
    // The same argument again: it goes on from where it was.
    const again = run({ tasks: 'single', fromSavepoint: 'to-2' });
    feed();
    await counted(again);
    expectExact();
  });

  it('goes on with the same argument, and without it, but not as it was before', async () => {
    const single = run({ tasks: 'single' });
    feed();
    await counted(single);
    await stopWith(single, 'one');
    for (const settings of [{ fromSavepoint: 'one' }, { fromSavepoint: 'one' }, {}]) {
      const handle = run(settings);
      await running(handle, 4);
      feed();
      await counted(handle);
      await handle.stop();
    }
    expectExact();
    await expect(run({ tasks: 'single' }).done).rejects.toMatchObject({ code: 'TASK_LAYOUT' });
    await expect(run({ tasks: 'single', fromSavepoint: 'one' }).done).rejects.toThrow(/would be forgotten/);
    await running(run({ fromSavepoint: 'one', maxTasks: 2 }), 4);
  });

  it('leaves the original as it is under another name', async () => {
    const original = run();
    await running(original, 4);
    feed(2);
    await counted(original);
    await createSavepoint(store, 'counts', { name: 'fork' });
    const forkOutput = collected<Count>();
    const fork = run({ fromSavepoint: 'counts/fork', maxTasks: 2 }, { name: 'forked', sink: forkOutput.sink });
    const sameShape = collected<Count>();
    const twin = run({ fromSavepoint: 'counts/fork' }, { name: 'twin', sink: sameShape.sink });
    await running(fork, 2);
    feed(2);
    log.end();
    expect(await Promise.all([original.done, fork.done, twin.done])).toEqual(['finished', 'finished', 'finished']);
    expectExact();
    for (const of of [forkOutput, sameShape]) {
      for (const key of keys) {
        expect(of.values.filter(value => value.key === key).map(({ count }) => count)).toEqual([3, 4]);
      }
    }
  });

  it('takes more partitions when all of the old ones was read, and refuses with what is left otherwise', async () => {
    const handle = run();
    await running(handle, 4);
    feed(2);
    await counted(handle);
    await stopWith(handle, 'four');
    feed();
    log.grow(6);
    await expect(run().done).rejects.toMatchObject({ code: 'PARTITION_COUNT_CHANGED' });
    await expect(run({ fromSavepoint: 'four' }).done).rejects.toThrow(/24 records lie behind .*log-0: 6.*single/s);
    // A record of a moved key fails the job rather than be counted from zero.
    const failing = run({ fromSavepoint: 'four', recovery: { acceptMovedKeys: true } }, { name: 'other' });
    await expect(failing.done).rejects.toThrow();
    const single = run({ tasks: 'single', fromSavepoint: 'four' });
    await counted(single);
    await stopWith(single, 'read');
    const grown = run({ fromSavepoint: 'read' });
    await running(grown, 6);
    feed(2);
    await counted(grown);
    expectExact();
  });
});

describe('going back to a savepoint in several tasks', () => {
  const countsOf = (key: string) => output.values.filter(value => value.key === key).map(({ count }) => count);
  const expectCounts = (counts: readonly number[]) => {
    for (const key of keys) expect(countsOf(key), key).toEqual(counts);
  };
  const until = async (handle: JobHandle, values: number) => {
    while (output.values.length < values * keys.length) {
      const event = await firstValueFrom(handle.checkpoints$, { defaultValue: undefined });
      if (!event) throw new Error(`it has ${await handle.done}`);
    }
  };
  /** Two rounds, a savepoint, and one round more; then it is stopped. */
  async function goneOn(shuffled = false) {
    const handle = run({}, { shuffled });
    await running(handle, 4);
    feed(2);
    await counted(handle);
    await createSavepoint(store, 'counts', { name: 'two' });
    await running(handle, 4);
    feed();
    await counted(handle);
    await handle.stop();
    expectExact();
  }
  /** What the refusal says has to be given up. */
  async function named(settings: JobSettings, shuffled = false): Promise<number[]> {
    const error: Error = await run(settings, { shuffled }).done.then(
      outcome => Promise.reject(new Error(`it has ${outcome}`)),
      refused => refused,
    );
    expect(error.message).toContain('would be forgotten, and written again');
    const [, ids = ''] = /--rewind (\d+(?:,\d+)*)/.exec(error.message) ?? [];
    return ids.split(',').map(Number);
  }

  it.each([
    ['as many tasks', {}, 4, false],
    ['other numbers of tasks', { maxTasks: 3 }, 3, false],
    ['as many tasks behind a repartition', {}, 4, true],
    ['other numbers of tasks behind a repartition', { maxTasks: 3 }, 3, true],
  ] as const)('in %s gives up what was named, once', async (_, shape, count, shuffled) => {
    await goneOn(shuffled);
    const from = { fromSavepoint: 'two', ...shape };
    const rewind = await named(from, shuffled);
    expect(rewind).toHaveLength(4);
    // Less than what there is, or fewer tasks, is not what there is to give up.
    for (const wrong of [rewind.map((id, i) => (i === 2 ? id - 1 : id)), rewind.slice(1), [rewind[0] ?? 0]]) {
      expect(await named({ ...from, recovery: { rewind: wrong } }, shuffled)).toEqual(rewind);
    }
    const back = { ...from, recovery: { rewind } };
    for (let round = 1; round <= 3; round++) {
      const handle = run(back, { shuffled });
      await running(handle, count);
      // The third round is read again; each start with the same words goes on behind it.
      feed();
      await until(handle, rounds + 1);
      await handle.stop();
    }
    expectCounts([1, 2, 3, 3, 4, 5, 6]);
    // Without any words it goes on, too, and with those of a start that did not go back it does not.
    expect(await named(from, shuffled)).toHaveLength(count);
    const handle = run(shape, { shuffled });
    await running(handle, count);
    feed();
    await until(handle, rounds + 1);
    await handle.stop();
    expectCounts([1, 2, 3, 3, 4, 5, 6, 7]);
    // Back again, from what there is by now.
    const second = await named(from, shuffled);
    const again = run({ ...from, recovery: { rewind: second } }, { shuffled });
    await running(again, count);
    await until(again, rounds * 2 - 1);
    expectCounts([1, 2, 3, 3, 4, 5, 6, 7, 3, 4, 5, 6, 7]);
  });

  it('goes on with it where it ended between the first checkpoints of its tasks', async () => {
    await goneOn();
    const rewind = await named({ fromSavepoint: 'two' });
    const back = { fromSavepoint: 'two', recovery: { rewind } };
    for (let n = 0; n < 2; n++) {
      const handle = run({ ...back, checkpoint: { interval: 'off' } });
      await firstValueFrom(handle.checkpoints$);
      await handle.cancel();
    }
    const handle = run(back);
    await running(handle, 4);
    feed();
    await until(handle, rounds + 1);
    expectCounts([1, 2, 3, 3, 4]);
  });

  it('from several tasks to one, and from one to several', async () => {
    await goneOn();
    const from: JobSettings = { tasks: 'single', fromSavepoint: 'two' };
    const single = run({ ...from, recovery: { rewind: await named(from) } });
    feed();
    await until(single, rounds + 1);
    await single.stop();
    expectCounts([1, 2, 3, 3, 4]);
    const spread: JobSettings = { fromSavepoint: 'two' };
    const rewind = await named(spread);
    expect(rewind).toHaveLength(1);
    const several = run({ ...spread, recovery: { rewind } });
    await running(several, 4);
    feed();
    await until(several, rounds + 3);
    expectCounts([1, 2, 3, 3, 4, 3, 4, 5]);
  });

  it('ends a process that ran the job as it was, rather than mix its state with the other', async () => {
    await goneOn();
    const rewind = await named({ fromSavepoint: 'two' });
    const old = run();
    await running(old, 4);
    // It has gone on meanwhile, so that more is given up than was named.
    feed();
    await counted(old);
    await expect(run({ fromSavepoint: 'two', recovery: { rewind } }).done).rejects.toThrow('--rewind');
    await old.stop();
    expectExact();
  });
});

describe('checkState of a job in several tasks', () => {
  const declared = (source = log.source()) =>
    job('counts', () =>
      from(source).pipe(
        keyBy(({ key }: Keyed) => key),
        scan('count', (count: Count, { key }: Keyed) => ({ key, count: count.count + 1 }), { key: '', count: 0 }),
        to(output.sink),
      ),
    );

  it('looks at all of them, and at a savepoint of another number', async () => {
    const single = run({ tasks: 'single' });
    feed();
    await counted(single);
    await stopWith(single, 'one');
    const settings: JobSettings = { store, tasks: 'per-partition' };
    expect(await checkState(declared(), settings)).toMatchObject({ problem: { code: 'TASK_LAYOUT' } });
    const before = await checkState(declared(), { ...settings, fromSavepoint: 'one' });
    expect(before).toMatchObject({
      actors: [{ name: 'count', keys: 24, change: 'same' }],
      sources: [{ change: 'same' }],
    });
    expect(before.problem).toBeUndefined();
    const handle = run({ fromSavepoint: 'one' });
    await running(handle, 4);
    feed();
    await counted(handle);
    await handle.stop();
    for (const over of [{}, { fromSavepoint: 'one' }]) {
      const report = await checkState(declared(), { ...settings, ...over }, { migrations: true });
      expect(report).toMatchObject({ task: '4 tasks', actors: [{ name: 'count', keys: 24 }] });
      expect(report.problem).toBeUndefined();
    }
    expect(await checkState(declared(), { store })).toMatchObject({ problem: { code: 'TASK_LAYOUT' } });
    expect(await checkState(declared(), { store, fromSavepoint: 'one' })).toMatchObject({
      problem: { code: 'SAVEPOINT' },
    });
  });
});
