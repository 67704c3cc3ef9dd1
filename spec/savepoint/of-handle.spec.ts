import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { filter, firstValueFrom } from 'rxjs';
import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import {
  fileStore,
  from,
  type JobHandle,
  type JobSettings,
  job,
  listSavepoints,
  memoryStore,
  readState,
  type Savepoint,
  type SavepointOptions,
  type SnapshotStore,
  start,
} from '../../lib/index.ts';
import { keyBy, repartition, scan } from '../../operators/index.ts';
import { quiet } from '../job/quiet.ts';
import { type Keyed, PartitionedLog } from '../scale/partitioned-log.ts';
import { checkpointed, NumberLog, startSums, sumsOf } from './summing-job.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tidemark-handle-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const names = async (store: SnapshotStore) => (await listSavepoints(store)).map(({ name }) => name);

async function stateOf({ tasks }: Savepoint): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const task of tasks) for await (const { value } of readState(task, 'sum')) found.push(value);
  return found.sort();
}

it('has options and an answer with types', () => {
  expectTypeOf<JobHandle['savepoint']>().toEqualTypeOf<(options?: SavepointOptions) => Promise<Savepoint>>();
  expectTypeOf<{ name: string; stop: true; drain: false; timeout: '5m' }>().toExtend<SavepointOptions>();
  expectTypeOf<{ timeout: 'soon' }>().not.toExtend<SavepointOptions>();
});

describe.each([
  ['memory', () => memoryStore()],
  ['file', () => fileStore(path.join(folder, 'state'))],
])('a savepoint through the handle, on a %s store', (_kind, makeStore) => {
  let store: SnapshotStore;
  let numbers: NumberLog;
  beforeEach(() => {
    store = makeStore();
    numbers = new NumberLog();
  });

  it('is taken between two records, and the job goes on', async () => {
    const { handle, sink, reads } = startSums(numbers, store);
    await reads;
    numbers.push(1, 2, 3);
    const savepoint = await handle.savepoint({ name: 'first' });
    expect(savepoint).toMatchObject({ job: 'sums', name: 'first' });
    expect(await stateOf(savepoint)).toEqual([
      ['even', 2],
      ['odd', 4],
    ]);
    numbers.push(4);
    await checkpointed(handle);
    expect(sink.committed).toEqual(sumsOf([1, 2, 3, 4]));
    expect(await names(store)).toEqual(['first']);
    await handle.stop();
  });

  it('waits for a job that is only about to start, and has a name made from the time', async () => {
    const before = startSums(numbers, store);
    await before.reads;
    numbers.push(1);
    await before.handle.stop();
    // What was stopped cleanly before must not be taken for the savepoint.
    const { handle } = startSums(numbers, store);
    const savepoint = await handle.savepoint();
    expect(savepoint.name).toMatch(/^s\d{8}-\d{9}$/);
    expect(savepoint.tasks[0]?.manifest).toMatchObject({ id: 2, kind: 'savepoint' });
    await handle.stop();
  });

  it('ends the job with it, drained or not', async () => {
    const first = startSums(numbers, store);
    await first.reads;
    numbers.push(1);
    const last = await first.handle.savepoint({ name: 'last', stop: true });
    expect(await first.handle.done).toBe('stopped');
    expect(last.tasks[0]?.manifest).toMatchObject({ closed: true, jobFinished: false });
    const second = startSums(numbers, store);
    await second.reads;
    const drained = await second.handle.savepoint({ name: 'drained', stop: true, drain: true });
    expect(await second.handle.done).toBe('finished');
    expect(drained.tasks[0]?.manifest).toMatchObject({ closed: true, jobFinished: true });
    expect(await stateOf(drained)).toEqual([['odd', 1]]);
  });

  it('is refused by a job that has ended, and by one that ends before it has seen the request', async () => {
    const { handle, reads } = startSums(numbers, store, { checkpoint: { requestInterval: 60_000 } });
    await reads;
    const early = handle.savepoint({ name: 'early' });
    const asked = () => store.task({ job: 'sums', task: 'main' }).notes();
    await expect.poll(asked).not.toEqual([]);
    await handle.stop();
    await expect(early).rejects.toMatchObject({ code: 'NOT_RUNNING' });
    await expect(early).rejects.toThrow('has ended before task main had taken the savepoint "early"');
    await expect(handle.savepoint()).rejects.toMatchObject({ code: 'NOT_RUNNING' });
    await expect(handle.savepoint()).rejects.toThrow(/is stopped, .* createSavepoint\(store, "sums"\)/);
    expect(await names(store)).toEqual([]);
    expect(await asked()).toEqual([]);
  });

  it('is refused with options that mean nothing, and with a name that is taken', async () => {
    const { handle, reads } = startSums(numbers, store);
    await reads;
    await expect(handle.savepoint({ drain: true })).rejects.toThrow('Give stop: true, too');
    await expect(handle.savepoint({ name: 'A b' })).rejects.toThrow('is no name for a savepoint');
    await handle.savepoint({ name: 'one' });
    await expect(handle.savepoint({ name: 'one' })).rejects.toThrow('There is a savepoint "one"');
    await handle.stop();
  });

  it('tells that nobody has seen the request in time', async () => {
    const { handle, reads } = startSums(numbers, store, { checkpoint: { requestInterval: 60_000 } });
    await reads;
    const late = handle.savepoint({ timeout: 1 });
    await expect(late).rejects.toMatchObject({ code: 'TIMEOUT' });
    await expect(late).rejects.toThrow('Nobody has seen the request');
    await handle.stop();
  });
});

describe('a savepoint through the handle of a job in several tasks', () => {
  const open = new Set<JobHandle>();
  afterEach(async () => {
    await Promise.all([...open].map(handle => handle.cancel()));
    open.clear();
  });

  function run(
    log: PartitionedLog,
    store: SnapshotStore,
    { isShuffled = false, ...over }: JobSettings & { isShuffled?: boolean } = {},
  ) {
    const counts = job('counts', () => {
      const keyed = from(log.source()).pipe(keyBy(({ key }: Keyed) => key));
      return (isShuffled ? keyed.pipe(repartition('again')) : keyed).pipe(scan('sum', (sum: number) => sum + 1, 0));
    });
    const handle = start(counts, {
      ...{ tasks: 'per-partition', store, logger: quiet, restart: { strategy: 'none' }, ...over },
      checkpoint: { interval: 'off', requestInterval: 5 },
    });
    open.add(handle);
    return handle;
  }

  const running = (handle: JobHandle, count: number) =>
    firstValueFrom(
      handle.status$.pipe(
        filter(({ tasks = [] }) => tasks.filter(({ phase }) => phase === 'running').length === count),
      ),
    );

  it('has the tasks of all processes that share the store', async () => {
    const log = new PartitionedLog({ partitions: 4 });
    const store = () => fileStore(path.join(folder, 'state'));
    const first = run(log, store());
    const second = run(log, store());
    await Promise.all([running(first, 2), running(second, 2)]);
    for (let key = 0; key < 4; key++) log.append(key, { key: `k${key}`, n: 0 });
    const { tasks } = await first.savepoint({ name: 'all' });
    expect(tasks.map(({ manifest }) => manifest.task).sort()).toEqual(['0', '1', '2', '3']);
    await second.savepoint({ name: 'end', stop: true });
    expect(await Promise.all([first.done, second.done])).toEqual(['stopped', 'stopped']);
  });

  it('is taken from memory where this process has all tasks, and refused where it has not', async () => {
    const log = new PartitionedLog({ partitions: 2 });
    const first = run(log, memoryStore());
    await running(first, 2);
    expect((await first.savepoint({ name: 'mine' })).tasks).toHaveLength(2);
    const second = run(log, memoryStore());
    await Promise.all([running(first, 1), running(second, 1)]);
    const refused = second.savepoint();
    await expect(refused).rejects.toMatchObject({ code: 'SAVEPOINT' });
    await expect(refused).rejects.toThrow(/Of the 2 tasks of the job "counts" 1 run in this process, .* in memory/);
  });

  it('is taken at rest where the job has a repartition, and the job goes on', async () => {
    const log = new PartitionedLog({ partitions: 2 });
    const handle = run(log, memoryStore(), { isShuffled: true });
    await running(handle, 2);
    const { tasks } = await handle.savepoint({ name: 'at-rest' });
    expect(tasks.map(({ manifest }) => manifest.savepoint?.name)).toEqual(['at-rest', 'at-rest']);
    await running(handle, 2);
  });
});
