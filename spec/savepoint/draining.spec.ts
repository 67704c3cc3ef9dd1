import { filter, firstValueFrom, take } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { requestNotes, requestText } from '../../lib/checkpoint/savepoint-notes.ts';
import {
  createSavepoint,
  from,
  type JobHandle,
  type JobSettings,
  job,
  listSavepoints,
  memoryStore,
  type Savepoint,
  type SnapshotStore,
} from '../../lib/index.ts';
import { unpacked } from '../../lib/scale/channel-codec.ts';
import {
  aggregates,
  assignTimestamps,
  keyBy,
  repartition,
  to,
  tumblingWindow,
  watermarks,
} from '../../operators/index.ts';
import { collected } from '../scale/collected.ts';
import { type Keyed, PartitionedLog } from '../scale/partitioned-log.ts';
import { type RelayOptions, relay, relayed, type Total, whereabouts } from './relayed-job.ts';

const keys = Array.from({ length: 12 }, (_, n) => `k${n}`);

let store: SnapshotStore;
let log: PartitionedLog;
let output: ReturnType<typeof collected<Total>>;
let fed: number;
/** The partition of each record, by its number. */
let homes: number[];
const open = new Set<JobHandle>();
beforeEach(() => {
  store = memoryStore();
  log = new PartitionedLog({ partitions: 4 });
  output = collected<Total>();
  fed = 0;
  homes = [];
});
afterEach(async () => {
  await Promise.all([...open].map(handle => handle.cancel()));
  open.clear();
});

function run(settings: JobSettings = {}, options: RelayOptions = {}, to = output): JobHandle {
  const handle = relay(relayed(log, to, options), store, settings);
  open.add(handle);
  return handle;
}

/** Each key once in some partition, `rounds` times. */
function feed(rounds: number): void {
  for (let n = 0; n < rounds; n++) {
    for (const [at, key] of keys.entries()) {
      const partition = (at + n) % log.count;
      homes.push(partition);
      log.append(partition, { key, n: fed++ });
    }
  }
}

const running = (handle: JobHandle, count: number) =>
  firstValueFrom(
    handle.status$.pipe(filter(({ tasks = [] }) => tasks.filter(({ phase }) => phase === 'running').length === count)),
  );
const until = async (handle: JobHandle, isDone: () => boolean) => {
  while (!isDone()) {
    await Promise.race([
      handle.done.then(outcome => Promise.reject(new Error(`it has ${outcome}`))),
      firstValueFrom(handle.checkpoints$),
    ]);
  }
};
const allOut = (handle: JobHandle) => until(handle, () => output.values.length >= fed);

/** Each group was counted one by one up to all of its records. */
function expectExact(of = output, count = fed): void {
  const groups = Map.groupBy(of.values, ({ key }) => key);
  for (const [group, values] of groups) {
    expect(
      values.map(({ total }) => total),
      group,
    ).toEqual(values.map((_, n) => n + 1));
  }
  expect(of.values).toHaveLength(count);
}

/** Everything that it has read is in the state of a task, and nothing lies between them. */
async function expectWhole(savepoint: Savepoint): Promise<number> {
  const { read, counted, asked, held, totalled } = await whereabouts(savepoint);
  expect(counted).toBe(read);
  expect(asked + held + totalled).toBe(read);
  return read;
}

/** No task has given anything between a rest and its word that it goes on; answers how often they have rested. */
function expectQuiet(tasks = 4): number {
  let rests = 0;
  for (const messages of log.channels.get('keys')?.partitions ?? []) {
    const resting = new Map<number, string>();
    for (const message of messages.map(unpacked)) {
      if (message.is === 'rest') {
        rests++;
        resting.set(message.task, message.rest);
      } else if (message.is === 'resumed') {
        expect(resting.get(message.task)).toBe(message.rest);
        resting.delete(message.task);
      } else {
        const task = message.is === 'record' ? (homes[(message.value as Keyed).n] ?? 0) % tasks : message.task;
        expect(resting.get(task)).toBeUndefined();
      }
    }
  }
  return rests;
}

const save = async (name: string, options: Parameters<typeof createSavepoint>[2] = {}) => {
  const { savepoint, taken } = await createSavepoint(store, 'relay', { name, ...options });
  expect(taken).toBe('running');
  return savepoint;
};

describe('a savepoint of a job with repartition in several tasks', () => {
  it('brings home what is on its way, and the job goes on', async () => {
    const handle = run();
    await running(handle, 4);
    for (let n = 0; n < 4; n++) {
      feed(20);
      const savepoint = await save(`s${n}`);
      expect(savepoint.tasks.map(({ manifest }) => manifest.rest?.phase)).toEqual(['there', 'there', 'there', 'there']);
      await expectWhole(savepoint);
    }
    log.end();
    expect(await handle.done).toBe('finished');
    expectExact();
    expect(expectQuiet()).toBe(4 * 4 * 4);
  });

  it('leaves in the state what actors have asked for or hold, also where that holds their input back', async () => {
    // No answer comes before the savepoint is there: all that can be asked for is.
    const handle = run({}, { answerMs: 60_000, asksFirst: true });
    await running(handle, 4);
    feed(20);
    await until(handle, () => (handle.status.sources.find(({ name }) => name === 'log')?.records ?? 0) > 0);
    const savepoint = await save('asked', { end: 'stop' });
    expect(await handle.done).toBe('stopped');
    const { read, asked, counted } = await whereabouts(savepoint);
    expect(asked).toBe(read);
    expect([asked > 0, counted]).toEqual([true, 0]);
    // As many tasks as before: each has its own state again, also that without a key.
    const next = run({ fromSavepoint: 'asked' }, { asksFirst: true });
    await allOut(next);
    expectExact();
  });

  it('stops all processes at rest, and any number of tasks goes on from there', async () => {
    const first = run();
    await running(first, 4);
    const second = run();
    await Promise.all([running(first, 2), running(second, 2)]);
    feed(30);
    const stopped = await save('four', { end: 'stop' });
    expect(await Promise.all([first.done, second.done])).toEqual(['stopped', 'stopped']);
    await expectWhole(stopped);
    let from = 'four';
    for (const tasks of [3, 3, 1, 2, 4]) {
      const handle = run({ fromSavepoint: from, maxTasks: tasks, ...(tasks === 1 ? { tasks: 'single' } : {}) });
      if (tasks > 1) await running(handle, tasks);
      else await firstValueFrom(handle.status$.pipe(filter(({ phase }) => phase === 'running')));
      feed(20);
      from = `after-${fed}`;
      const savepoint = await save(from, { end: 'stop' });
      expect(await handle.done).toBe('stopped');
      expect(savepoint.tasks).toHaveLength(tasks);
      if (tasks > 1) await expectWhole(savepoint);
    }
    const last = run({ fromSavepoint: from });
    log.end();
    expect(await last.done).toBe('finished');
    expectExact();
  });

  it('goes on without naming it, in its old channels', async () => {
    for (let n = 0; n < 3; n++) {
      const handle = run();
      await running(handle, 4);
      feed(10);
      await expectWhole(await save(`s${n}`, { end: 'stop' }));
      expect(await handle.done).toBe('stopped');
    }
    const handle = run();
    log.end();
    expect(await handle.done).toBe('finished');
    expectExact();
    expect([...log.channels.keys()]).toEqual(['keys', 'groups']);
  });

  it('is a fork with channels of its own, which has nothing of the original behind it', async () => {
    const original = run();
    await running(original, 4);
    feed(20);
    const savepoint = await save('fork');
    await expectWhole(savepoint);
    const forks = [1, 2, 4].map(tasks => {
      const to = collected<Total>();
      const settings = {
        fromSavepoint: 'relay/fork',
        maxTasks: tasks,
        ...(tasks === 1 ? { tasks: 'single' as const } : {}),
      };
      return { to, handle: run(settings, { name: `fork-${tasks}` }, to) };
    });
    feed(20);
    log.end();
    expect(await original.done).toBe('finished');
    expectExact();
    const { totalled } = await whereabouts(savepoint);
    const all = new Set(output.values.map(({ key, total }) => `${key} ${total}`));
    for (const { to, handle } of forks) {
      expect(await handle.done).toBe('finished');
      expect(to.values).toHaveLength(fed - totalled);
      const ofFork = new Set(to.values.map(({ key, total }) => `${key} ${total}`));
      expect(ofFork.size).toBe(to.values.length);
      expect([...ofFork].filter(one => !all.has(one))).toEqual([]);
    }
  });

  it('is whole although tasks fail and move on the way to it', async () => {
    let left = 12;
    const onRecord = ({ n }: { readonly n: number }) => {
      if (n % 17 !== 16 || left === 0) return;
      left--;
      throw new Error('planned');
    };
    const handles = [run({}, { onRecord })];
    await running(handles[0] as JobHandle, 4);
    for (let n = 0; n < 6; n++) {
      feed(15);
      const asked = createSavepoint(store, 'relay', { name: `s${n}` });
      if (n % 2 === 0) handles.push(run({}, { onRecord }));
      else if (n % 4 === 1) void handles.shift()?.stop();
      else void handles.shift()?.cancel();
      await expectWhole((await asked).savepoint);
    }
    log.end();
    for (const handle of handles) expect(await handle.done).toBe('finished');
    expectExact();
    expect(expectQuiet()).toBeGreaterThanOrEqual(6 * 4 * 4);
  });

  it('is given up where one task is not asked, and the others go on; meanwhile no timer of theirs fires', async () => {
    const handle = run({}, { holdsFirst: 40 });
    await running(handle, 4);
    feed(10);
    const createdAt = Date.now();
    const text = requestText({ name: 'lonely', end: 'stop', createdAt, expiresAt: createdAt + 300 });
    for (const task of ['0', '1', '2'])
      await store.task({ job: 'relay', task }).putNote(requestNotes('lonely').request, text);
    feed(10);
    // Three tasks begin anew without it.
    await firstValueFrom(
      handle.status$.pipe(filter(({ tasks = [] }) => tasks.filter(({ attempt }) => attempt > 1).length === 3)),
    );
    feed(10);
    await allOut(handle);
    expectExact();
    expect(expectQuiet()).toBe(3 * 4);
    expect(await listSavepoints(store)).toEqual([]);
    await save('next');
    expect(expectQuiet()).toBe(7 * 4);
  });

  it('is given up in all tasks where one refuses it', async () => {
    const handle = run();
    await running(handle, 4);
    feed(10);
    await store.task({ job: 'relay', task: '2' }).putNote(requestNotes('no').refused, '{"reason":"planned"}');
    await expect(createSavepoint(store, 'relay', { name: 'no' })).rejects.toThrow(/planned/);
    feed(10);
    await allOut(handle);
    expectExact();
    expect(await listSavepoints(store)).toEqual([]);
    await expectWhole(await save('yes', { end: 'stop' }));
  });

  it('knows in other tasks how far the time is behind its channels', async () => {
    const windows = collected<{ readonly start: number; readonly value: number }>();
    const declared = job('relay', () =>
      from(log.source()).pipe(
        assignTimestamps<Keyed>({ timestamp: ({ n }) => n, watermarks: watermarks.monotonous() }),
        keyBy(({ key }: Keyed) => key),
        repartition('windows'),
        tumblingWindow('count', 100, aggregates.count<Keyed>()),
        to(windows.sink),
      ),
    );
    const begin = (settings: JobSettings = {}) => {
      const handle = relay(declared, store, settings);
      open.add(handle);
      return handle;
    };
    const append = (n: number) => {
      for (let partition = 0; partition < 4; partition++) log.append(partition, { key: 'k1', n });
    };
    const first = begin();
    await running(first, 4);
    for (let n = 0; n <= 1_000; n += 10) append(n);
    await until(first, () => windows.values.length === 10);
    await save('windows', { end: 'stop' });
    await first.done;
    const before = windows.values.length;
    // Too late: its window has closed.
    append(50);
    append(1_100);
    const next = begin({ fromSavepoint: 'windows', maxTasks: 3 });
    await until(next, () => windows.values.length > before);
    expect(windows.values.slice(before).map(({ start }) => start)).toEqual([1_000]);
  });

  it('completes the operators of all tasks first with drain, and the job has finished', async () => {
    const first = run();
    await running(first, 4);
    const second = run();
    await Promise.all([running(first, 2), running(second, 2)]);
    feed(20);
    const savepoint = await save('end', { end: 'drain' });
    expect(await Promise.all([first.done, second.done])).toEqual(['finished', 'finished']);
    expect(savepoint.tasks.map(({ manifest }) => manifest.jobFinished)).toEqual([true, true, true, true]);
    const { read, totalled } = await whereabouts(savepoint);
    expect(totalled).toBe(read);
    expectExact(output, read);
  });

  it('is taken offline of tasks that are at rest, not of others', async () => {
    const handle = run();
    await running(handle, 4);
    feed(10);
    await save('stopped', { end: 'stop' });
    await handle.done;
    const { savepoint, taken } = await createSavepoint(store, 'relay', { name: 'kept', offline: true });
    expect(taken).toBe('offline');
    await expectWhole(savepoint);
    const next = run();
    await running(next, 4);
    await firstValueFrom(next.checkpoints$.pipe(take(20)));
    await next.stop();
    await expect(createSavepoint(store, 'relay', { name: 'never', offline: true })).rejects.toThrow(/repartition/);
  });
});
