import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  checkState,
  createSavepoint,
  deleteSavepoint,
  diffSavepoints,
  exportSavepoint,
  fileStore,
  findSavepoint,
  from,
  importSavepoint,
  job,
  listSavepoints,
  memoryStore,
  openSavepoint,
  readSavepointDirectory,
  readState,
  SavepointError,
  type SnapshotStore,
  StateLostError,
  type TaskRef,
} from '../../lib/index.ts';
import { keyBy, scan } from '../../operators/index.ts';
import { checkpointed, NumberLog, parity, startSums, sumsOf } from './summing-job.ts';

const ref: TaskRef = { job: 'sums', task: 'main' };
const gone = { patience: 30 };

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tidemark-savepoints-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const names = async (store: SnapshotStore) => (await listSavepoints(store)).map(({ job, name }) => `${job}/${name}`);
const ids = async (store: SnapshotStore, of = ref) =>
  (await store.task(of).manifests()).map(({ manifest }) => manifest.id);
const newest = async (store: SnapshotStore, of = ref) =>
  (await store.task(of).manifests()).findLast(({ confirmed }) => confirmed)?.manifest;

async function stateOf(store: SnapshotStore, given: string) {
  const savepoint = await openSavepoint(store, 'sums', given);
  const found: Record<string, unknown> = {};
  for (const task of savepoint.tasks) {
    for await (const { key, value } of readState(task, 'sum')) found[String(key)] = value;
  }
  return found;
}

describe.each([
  ['memory', () => memoryStore()],
  ['file', () => fileStore(path.join(folder, 'state'))],
])('savepoints on a %s store', (_kind, makeStore) => {
  let store: SnapshotStore;
  let numbers: NumberLog;
  beforeEach(() => {
    store = makeStore();
    numbers = new NumberLog();
  });

  it('are taken by the running job, which goes on; retention keeps them until they are deleted', async () => {
    const { handle, reads } = startSums(numbers, store, { checkpoint: { retained: 1 } });
    await reads;
    numbers.push(1, 2, 3);
    const { savepoint, taken } = await createSavepoint(store, 'sums', { name: 'first' });
    expect(taken).toBe('running');
    expect(savepoint.tasks[0]?.manifest).toMatchObject({
      id: 1,
      kind: 'savepoint',
      closed: false,
      savepoint: { name: 'first' },
    });
    for (const value of [4, 5]) {
      numbers.push(value);
      await checkpointed(handle);
    }
    expect(await names(store)).toEqual(['sums/first']);
    expect(await stateOf(store, 'first')).toEqual({ odd: ['odd', 4], even: ['even', 2] });
    await deleteSavepoint(store, 'sums', 'first');
    expect(await names(store)).toEqual([]);
    expect(await ids(store)).not.toContain(1);
    await handle.stop();
    expect(await newest(store)).toMatchObject({ closed: true });
    expect(await store.task(ref).notes()).toEqual([]);
  });

  it('are its last checkpoint when it is stopped with one, and it goes on from there', async () => {
    const { handle, sink, reads } = startSums(numbers, store);
    await reads;
    numbers.push(1, 2, 3);
    const { savepoint } = await createSavepoint(store, 'sums', { name: 'last', end: 'stop' });
    expect(await handle.done).toBe('stopped');
    expect(handle.status.lastCheckpoint).toMatchObject({ savepoint: 'last', isFinal: true });
    expect(savepoint.tasks[0]?.manifest).toMatchObject({ closed: true, jobFinished: false });
    expect(await newest(store)).toEqual(savepoint.tasks[0]?.manifest);
    numbers.push(4);
    const second = startSums(numbers, store, { sink });
    await second.reads;
    await second.handle.stop();
    expect(sink.committed).toEqual(sumsOf([1, 2, 3, 4]));
  });

  it('are taken by a stop also when nothing has come since the last clean one', async () => {
    const first = startSums(numbers, store);
    await first.reads;
    numbers.push(1);
    await first.handle.stop();
    const { handle, reads } = startSums(numbers, store);
    await reads;
    const { savepoint } = await createSavepoint(store, 'sums', { name: 'same', end: 'stop' });
    expect(await handle.done).toBe('stopped');
    expect(savepoint.tasks[0]?.manifest).toMatchObject({ id: 2, closed: true });
  });

  it('complete the operators first when the job is drained', async () => {
    const { handle, reads } = startSums(numbers, store);
    await reads;
    numbers.push(1);
    const { savepoint } = await createSavepoint(store, 'sums', { name: 'end', end: 'drain' });
    expect(await handle.done).toBe('finished');
    expect(savepoint.tasks[0]?.manifest).toMatchObject({ closed: true, jobFinished: true, kind: 'savepoint' });
  });

  it('are the newest committed checkpoint where nobody runs the job, at once after a clean stop', async () => {
    const { handle, reads } = startSums(numbers, store, { checkpoint: { retained: 1 } });
    await reads;
    numbers.push(1);
    await handle.stop();
    const { taken, savepoint } = await createSavepoint(store, 'sums', { name: 'kept', patience: '1h' });
    expect(taken).toBe('offline');
    expect(savepoint.tasks[0]?.manifest.id).toBe(1);
    expect(await store.task(ref).fence()).toBe(1);
    const again = startSums(numbers, store, { checkpoint: { retained: 1 } });
    await again.reads;
    for (const value of [3, 5]) {
      numbers.push(value);
      await checkpointed(again.handle);
    }
    expect(await stateOf(store, 'kept')).toEqual({ odd: ['odd', 1] });
    await deleteSavepoint(store, 'sums', 'kept');
    numbers.push(7);
    await checkpointed(again.handle);
    await vi.waitFor(async () => expect(await ids(store)).toEqual([4]));
    await again.handle.stop();
  });

  it('are that too after a crash, once nobody has answered; nothing is left of the request', async () => {
    const { handle, reads } = startSums(numbers, store);
    await reads;
    numbers.push(1);
    await checkpointed(handle);
    await handle.cancel();
    const said: string[] = [];
    const { taken } = await createSavepoint(store, 'sums', {
      ...gone,
      name: 'kept',
      progress: text => said.push(text),
    });
    expect(taken).toBe('offline');
    expect(said).toEqual([expect.stringContaining('nobody answered')]);
    expect((await store.task(ref).notes()).map(({ name }) => name)).toEqual(['keep-1-1']);
  });

  it('are never taken from a checkpoint that only Kafka knows about', async () => {
    const task = store.task(ref);
    const token = await task.acquireFence(0);
    const manifest = {
      format: 1 as const,
      ...ref,
      token,
      kind: 'checkpoint' as const,
      createdAt: 0,
      sources: {},
      actors: {},
      sinks: {},
      finished: [],
      jobFinished: false,
      closed: false,
      commitPoint: { kind: 'kafka', clusterId: 'k' },
    };
    await task.prepare(token, { ...manifest, id: 1 });
    await task.confirm(token, 1);
    await task.prepare(token, { ...manifest, id: 2 });
    await expect(createSavepoint(store, 'sums', { offline: true })).rejects.toThrow(/after 1 .* only kafka knows/);
    const { savepoint } = await createSavepoint(store, 'sums', { offline: 1, name: 'older' });
    expect(savepoint.tasks[0]?.manifest.id).toBe(1);
  });

  it('are refused with the reason: a job that nobody runs cannot be stopped, a name is taken once, a job must be there', async () => {
    await expect(createSavepoint(store, 'sums')).rejects.toThrow('has nothing of a job "sums"');
    const { handle, reads } = startSums(numbers, store);
    await reads;
    numbers.push(1);
    await createSavepoint(store, 'sums', { name: 'a' });
    await expect(createSavepoint(store, 'sums', { name: 'a' })).rejects.toThrow('There is a savepoint "a"');
    await expect(createSavepoint(store, 'sums', { name: 'A b' })).rejects.toThrow('is no name for a savepoint');
    await handle.stop();
    await expect(createSavepoint(store, 'sums', { end: 'stop' })).rejects.toThrow(/nothing to stop/);
    await expect(findSavepoint(store, 'sums', 'b')).rejects.toThrow('it has a');
  });

  it('that were asked for too long ago are not taken: the job removes the request', async () => {
    await store
      .task(ref)
      .putNote(
        'request-old',
        JSON.stringify({ format: 1, name: 'old', end: 'stop', createdAt: 0, expiresAt: Date.now() - 1 }),
      );
    const { handle, reads } = startSums(numbers, store);
    await reads;
    numbers.push(1);
    await createSavepoint(store, 'sums', { name: 'new' });
    expect(await names(store)).toEqual(['sums/new']);
    expect(await store.task(ref).notes()).toEqual([]);
    await handle.stop();
  });

  describe('a start from one', () => {
    const takenThenGoneOn = async () => {
      const { handle, sink, reads } = startSums(numbers, store);
      await reads;
      numbers.push(1, 2);
      await createSavepoint(store, 'sums', { name: 'two' });
      numbers.push(3);
      await handle.stop();
      return sink;
    };

    it('goes on in its place when nothing came after, and again with the same argument', async () => {
      const { handle, sink, reads } = startSums(numbers, store);
      await reads;
      numbers.push(1, 2);
      await createSavepoint(store, 'sums', { name: 'two', end: 'stop' });
      await handle.done;
      for (const value of [3, 4]) {
        numbers.push(value);
        const next = startSums(numbers, store, { sink, fromSavepoint: 'two' });
        await next.reads;
        await next.handle.stop();
      }
      expect(sink.committed).toEqual(sumsOf([1, 2, 3, 4]));
      const first = (await findSavepoint(store, 'sums', 'two')).tasks[0]?.manifest;
      expect(await newest(store)).toMatchObject({ origin: { job: 'sums', id: first?.id } });
    });

    it('is refused when the job has gone on, until the checkpoint is named that is given up', async () => {
      const sink = await takenThenGoneOn();
      const refused = startSums(numbers, store, { sink, fromSavepoint: 'two' });
      await expect(refused.handle.done).rejects.toThrow(/has checkpoint 2, .*--rewind 2/s);
      expect(await newest(store)).toMatchObject({ id: 2 });
      const wrong = startSums(numbers, store, { sink, fromSavepoint: 'two', recovery: { rewind: 1 } });
      await expect(wrong.handle.done).rejects.toThrow(SavepointError);

      const settings = { sink, fromSavepoint: 'two', recovery: { rewind: 2 } };
      const back = startSums(numbers, store, settings);
      await back.reads;
      await back.handle.stop();
      expect(sink.committed).toEqual([...sumsOf([1, 2, 3]), ['odd', 4]]);
      // The choice was made once: it does not go back again.
      const again = startSums(numbers, store, settings);
      await again.reads;
      await again.handle.stop();
      expect(sink.committed).toEqual([...sumsOf([1, 2, 3]), ['odd', 4]]);
      // And once more, when that is asked for.
      const last = await newest(store);
      const twice = startSums(numbers, store, { ...settings, recovery: { rewind: last?.id } });
      await twice.reads;
      await twice.handle.stop();
      expect(sink.committed).toEqual([...sumsOf([1, 2, 3]), ['odd', 4], ['odd', 4]]);
    });

    it('is registered before the first element, so that a crash goes on from there', async () => {
      await takenThenGoneOn();
      const fork = startSums(numbers, store, { name: 'fork', fromSavepoint: 'sums/two' });
      await fork.reads;
      const registered = { job: 'fork', task: 'main' };
      expect(await newest(store, registered)).toMatchObject({
        origin: { job: 'sums', id: 1 },
        sources: { numbers: { position: 2 } },
      });
      await fork.handle.cancel();
      const again = startSums(numbers, store, { name: 'fork', fromSavepoint: 'sums/two' });
      await again.reads;
      await again.handle.stop();
      expect(again.sink.committed).toEqual([['odd', 4]]);
    });

    it('under another name leaves the original as it was', async () => {
      await takenThenGoneOn();
      const before = await store.task(ref).manifests();
      const fork = startSums(numbers, store, { name: 'fork', fromSavepoint: 'sums/two' });
      await fork.reads;
      numbers.push(4);
      await fork.handle.stop();
      expect(fork.sink.committed).toEqual([
        ['odd', 4],
        ['even', 6],
      ]);
      expect(await store.task(ref).manifests()).toEqual(before);
      expect(await store.task(ref).fence()).toBe(1);
      const original = startSums(numbers, store);
      await original.reads;
      await original.handle.stop();
      expect(original.sink.written).toEqual([['even', 6]]);
    });

    it('is checked before it is made: what fits, and that it would be refused', async () => {
      await takenThenGoneOn();
      const shape = (name: string, actorName: string) =>
        job(name, () =>
          from(numbers.source()).pipe(
            keyBy(parity),
            scan(actorName, sum => sum, 0),
          ),
        );
      const checked = (of: ReturnType<typeof shape>) => checkState(of, { store, fromSavepoint: 'sums/two' });
      expect(await checked(shape('fork', 'sum'))).toMatchObject({
        checkpoint: { id: 1 },
        actors: [{ name: 'sum', change: 'same', keys: 2 }],
      });
      expect((await checked(shape('fork', 'total'))).problem).toMatchObject({ code: 'STATE_MISMATCH' });
      expect((await checked(shape('sums', 'sum'))).problem).toMatchObject({ code: 'SAVEPOINT' });
      expect(await store.task(ref).fence()).toBe(1);
    });

    it('is refused together with fresh, and when there is none', async () => {
      expect(() => startSums(numbers, store, { fresh: true, fromSavepoint: 'two' })).toThrow(/leave one of them out/);
      await expect(startSums(numbers, store, { fromSavepoint: 'two' }).handle.done).rejects.toThrow(
        'no savepoint "two"',
      );
    });
  });

  describe('in a directory', () => {
    const exported = async () => {
      const { handle, sink, reads } = startSums(numbers, store);
      await reads;
      numbers.push(1, 2);
      await checkpointed(handle);
      numbers.push(3);
      const { savepoint } = await createSavepoint(store, 'sums', { name: 'three', end: 'stop' });
      await handle.done;
      return { directory: await exportSavepoint(savepoint, path.join(folder, 'three')), sink };
    };

    it('hold all that they need: the store may go', async () => {
      const { directory, sink } = await exported();
      expect(readdirSync(folder).filter(name => name.startsWith('.'))).toEqual([]);
      numbers.push(4);
      const elsewhere = fileStore(path.join(folder, 'elsewhere'));
      const next = startSums(numbers, elsewhere, { sink, fromSavepoint: directory });
      await next.reads;
      expect((await newest(elsewhere))?.token).toBeGreaterThan(1);
      await next.handle.stop();
      expect(sink.committed).toEqual(sumsOf([1, 2, 3, 4]));
    });

    it('are never written over anything, and are refused when they are damaged', async () => {
      const { directory } = await exported();
      const savepoint = await readSavepointDirectory(directory);
      await expect(exportSavepoint(savepoint, directory)).rejects.toThrow('exists already');
      const segments = path.join(directory, 'segments', 'main');
      const [segment = ''] = readdirSync(segments);
      const bytes = readFileSync(path.join(segments, segment));
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      writeFileSync(path.join(segments, segment), bytes);
      await expect(exportSavepoint(savepoint, path.join(folder, 'copy'))).rejects.toThrow(/is damaged/);
      expect(readdirSync(folder)).not.toContain('copy');
      const next = startSums(numbers, memoryStore(), { name: 'fork', fromSavepoint: directory });
      await expect(next.handle.done).rejects.toThrow(StateLostError);
      const manifest = path.join(directory, 'manifest.json');
      writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('"sums"', '"sumz"'));
      await expect(readSavepointDirectory(directory)).rejects.toThrow(/checksum does not match/);
    });

    it('are imported under their name as the job was, and under another as a fork; never over other state', async () => {
      const { directory, sink } = await exported();
      const savepoint = await readSavepointDirectory(directory);
      const elsewhere = memoryStore();
      await importSavepoint(elsewhere, savepoint);
      await importSavepoint(elsewhere, savepoint); // asked again, nothing changes
      expect(await newest(elsewhere)).toEqual(await newest(store));
      await importSavepoint(elsewhere, savepoint, { job: 'fork' });
      expect(await names(elsewhere)).toEqual(['sums/three', 'fork/three']);
      const fork = startSums(numbers, elsewhere, { name: 'fork' });
      const moved = startSums(numbers, elsewhere, { sink });
      await Promise.all([fork.reads, moved.reads]);
      numbers.push(5);
      await Promise.all([fork, moved].map(({ handle }) => handle.stop()));
      expect(sink.committed).toEqual(sumsOf([1, 2, 3, 5]));
      expect(fork.sink.committed).toEqual([['odd', 9]]);
      await expect(importSavepoint(elsewhere, savepoint)).rejects.toThrow(/has state of job "sums" already/);
    });
  });

  it('are compared by key', async () => {
    const { handle, reads } = startSums(numbers, store);
    await reads;
    numbers.push(1);
    await createSavepoint(store, 'sums', { name: 'a' });
    numbers.push(2, 3);
    await createSavepoint(store, 'sums', { name: 'b' });
    await handle.stop();
    const [a, b] = [await findSavepoint(store, 'sums', 'a'), await openSavepoint(store, undefined, 'sums/2')];
    expect(await diffSavepoints(a, b)).toEqual([
      {
        task: 'main',
        actor: 'sum',
        version: { before: 1, after: 1 },
        added: 1,
        removed: 0,
        changed: 1,
        same: 0,
        examples: expect.arrayContaining([
          { change: 'added', key: 'even', after: ['even', 2] },
          { change: 'changed', key: 'odd', before: ['odd', 1], after: ['odd', 4] },
        ]),
      },
    ]);
    expect(await diffSavepoints(b, a, { actor: 'sum' })).toMatchObject([{ added: 0, removed: 1, changed: 1 }]);
    expect(await diffSavepoints(a, b, { actor: 'other' })).toEqual([]);
  });
});
