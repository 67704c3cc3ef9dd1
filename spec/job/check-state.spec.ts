import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { filter, firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { memorySink, memorySource, takeCheckpoint } from '../../connectors/memory/index.ts';
import {
  actor,
  type Behaviour,
  type CheckStateOptions,
  checkState,
  type DataStream,
  fileStore,
  from,
  type Job,
  type JobSettings,
  job,
  mapState,
  memoryStore,
  type SnapshotStore,
  type Source,
  type StateKinds,
  type StateReport,
  start,
  type TaskStore,
  type,
  valueState,
} from '../../lib/index.ts';
import { keyBy, scan, to } from '../../operators/index.ts';
import { Folder } from '../connectors/file/folder.ts';
import { quiet } from './quiet.ts';

type Over = Partial<Behaviour<string, unknown, string, string, StateKinds>>;

interface Shape {
  readonly total?: Over;
  readonly second?: string | null;
  readonly source?: Source<string>;
  readonly sink?: string;
}

const items = ['a', 'b', 'a', takeCheckpoint, 'c'] as const;

/** Counts letters by key, in its own state and in `seen`; a second actor counts all. */
function counting({ total = {}, second = 'all', source, sink = 'memory' }: Shape = {}): Job {
  const read = source ?? endless();
  return job('letters', () => {
    const counted = from(read).pipe(
      keyBy(letter => letter),
      actor<string, unknown, string, string, StateKinds>('total', {
        emits: type<string>(),
        update: 'return',
        states: { seen: mapState<string, number>(), last: valueState<string>() },
        initial: () => 0,
        receive(n, letter, ctx) {
          (ctx.states as Record<string, { set(entry: string, value: number): void }>).seen?.set(letter, 1);
          ctx.emit(letter);
          return (n as number) + 1;
        },
        ...total,
      }),
    );
    const all: DataStream<unknown, string> =
      second === null ? counted : counted.pipe(scan(second, (n: number) => n + 1, 0));
    return all.pipe(to(memorySink<unknown>({ name: sink })));
  });
}

/** The items, and then nothing more, without an end. */
function endless(name = 'memory'): Source<string> {
  const source = memorySource<string>(items, { name });
  return {
    kind: 'memory',
    name,
    embedded: true,
    open: (position, context) =>
      source.open(position, { ...context, complete() {}, next: context.next.bind(context) } as never),
  } as Source<string>;
}

async function stored(store: SnapshotStore, shape: Shape = {}): Promise<void> {
  const handle = start(counting(shape), { store, logger: quiet, checkpoint: { interval: 'off' } });
  await firstValueFrom(handle.status$.pipe(filter(({ records }) => records.in === 4)));
  await handle.stop();
}

const refuse = (): never => {
  throw new Error('a check must not do this');
};

/** The store, of which nothing but what only reads may be asked. */
function readOnly(store: SnapshotStore): SnapshotStore {
  const task = (of: TaskStore): TaskStore => ({
    acquireFence: refuse,
    fence: () => of.fence(),
    putSegment: refuse,
    getSegment: name => of.getSegment(name),
    prepare: refuse,
    confirm: refuse,
    manifests: () => of.manifests(),
    collect: refuse,
    notes: () => of.notes(),
    putNote: refuse,
    removeNote: refuse,
    clear: refuse,
  });
  return { ...store, check: refuse, close: refuse, task: ref => task(store.task(ref)) };
}

const unread: Source<string> = { kind: 'memory', name: 'memory', bounded: false, open: refuse };

async function checked(
  store: SnapshotStore,
  shape: Shape,
  options: CheckStateOptions = { migrations: true },
  settings: JobSettings = {},
): Promise<StateReport> {
  return await checkState(counting({ source: unread, ...shape }), { store: readOnly(store), ...settings }, options);
}

/** What a start ends with. */
async function refusal(store: SnapshotStore, shape: Shape): Promise<unknown> {
  const handle = start(counting(shape), { store, logger: quiet, restart: { strategy: 'none' } });
  return await handle.done.catch((error: unknown) => error);
}

const stores: Record<string, (folder: Folder) => SnapshotStore> = {
  memory: () => memoryStore(),
  file: folder => fileStore(folder.path),
};

describe.each(Object.keys(stores))('checkState on a %s store', kind => {
  const storeIn = (folder: Folder) => (stores[kind] as (of: Folder) => SnapshotStore)(folder);

  it('finds everything new where there is no checkpoint, and makes nothing', async () => {
    using folder = new Folder();
    const report = await checked(storeIn(folder), {});
    expect(report).toMatchObject({
      job: 'letters',
      task: 'main',
      actors: [
        { name: 'total', change: 'new', version: 1, keys: 0 },
        { name: 'all', change: 'new' },
      ],
      sources: [{ name: 'memory', change: 'new' }],
      sinks: [{ name: 'memory', change: 'new' }],
    });
    expect(report.checkpoint).toBeUndefined();
    expect(filesIn(folder.path)).toEqual([]);
  });

  it('finds a job as it is stored, and changes nothing', async () => {
    using folder = new Folder();
    const store = storeIn(folder);
    await stored(store);
    const before = filesIn(folder.path);
    const report = await checked(store, {});
    expect(report).toMatchObject({
      checkpoint: { isJobFinished: false, mayBeOvertaken: false },
      actors: [
        {
          name: 'total',
          change: 'same',
          keys: 3,
          hasCodec: false,
          migrated: 0,
          states: [
            { name: 'seen', change: 'same', storedKind: 'map', kind: 'map' },
            { name: 'last', change: 'new', kind: 'value' },
          ],
        },
        { name: 'all', change: 'same', storedVersion: 1, version: 1 },
      ],
      sources: [{ name: 'memory', change: 'same' }],
      sinks: [{ name: 'memory', change: 'same' }],
    });
    expect(report.problem).toBeUndefined();
    expect(filesIn(folder.path)).toEqual(before);
    expect((await checked(store, {}, {}, { fresh: true })).checkpoint).toBeUndefined();
  });

  it('counts what is migrated', async () => {
    using folder = new Folder();
    const store = storeIn(folder);
    await stored(store);
    const total: Over = {
      version: 3,
      migrate: { 1: n => [n], 2: ([n]: [number]) => n },
      states: { seen: mapState<string, unknown>({ migrate: n => [n] }) },
    };
    expect((await checked(store, { total })).actors[0]).toMatchObject({
      change: 'changed',
      storedVersion: 1,
      version: 3,
      migrated: 6,
    });
    const [only] = (await checked(store, { total }, {})).actors;
    expect(only).toMatchObject({ change: 'changed' });
    expect(only).not.toHaveProperty('migrated');
    expect(await start(counting({ total, source: memorySource<string>(items) }), { store, logger: quiet }).done).toBe(
      'finished',
    );
    expect(await checked(store, { total: { version: 7 } })).toMatchObject({
      checkpoint: { isJobFinished: true },
      actors: [],
    });
  });

  it.each<[what: string, shape: Shape, expected: object]>([
    ['a version without migrate', { total: { version: 2 } }, { change: 'changed', storedVersion: 1, version: 2 }],
    ['a step that is missing', { total: { version: 3, migrate: { 2: n => n } } }, { change: 'changed', migrated: 0 }],
    [
      'a state that is dropped',
      { total: { states: { last: valueState() } } },
      { change: 'changed', states: [{ change: 'new' }, { name: 'seen', change: 'dropped', storedKind: 'map' }] },
    ],
    [
      'a kind that has changed',
      { total: { states: { seen: valueState() } } },
      { change: 'changed', states: [{ name: 'seen', change: 'changed', storedKind: 'map', kind: 'value' }] },
    ],
    ['an actor that is dropped', { second: null }, { change: 'same' }],
    ['a source that is dropped', { source: endless('renamed') }, { change: 'same' }],
    [
      'a migration that throws',
      {
        total: {
          version: 2,
          migrate: (n, _, key) => {
            if (key === 'b') throw new Error('no b');
            return n;
          },
        },
      },
      { migrated: 1 },
    ],
    [
      'a codec that cannot read what is stored',
      {
        total: {
          codec: {
            encode: n => n,
            decode: () => {
              throw new Error('not mine');
            },
          },
        },
      },
      { change: 'same', hasCodec: true },
    ],
  ])('tells what a start would be refused with: %s', async (_, shape, expected) => {
    using folder = new Folder();
    const store = storeIn(folder);
    await stored(store);
    const { problem, actors } = await checked(store, shape);
    expect(actors[0]).toMatchObject(expected);
    expect(problem).toMatchObject({ code: 'STATE_MISMATCH' });
    const refused = await refusal(store, shape);
    expect(refused).toMatchObject({ code: 'STATE_MISMATCH', message: problem?.message });
  });
});

describe('checkState', () => {
  it('lists what is dropped, and finds nothing wrong with it when that is allowed', async () => {
    const store = memoryStore();
    await stored(store);
    const shape: Shape = { second: 'every', sink: 'other', source: { ...unread, name: 'renamed' } };
    expect(await checked(store, shape)).toMatchObject({
      actors: [
        { name: 'total', change: 'same' },
        { name: 'every', change: 'new' },
        { name: 'all', change: 'dropped', storedVersion: 1, keys: 3 },
      ],
      sources: [
        { name: 'renamed', change: 'new' },
        { name: 'memory', change: 'dropped' },
      ],
      sinks: [
        { name: 'other', change: 'new' },
        { name: 'memory', change: 'dropped' },
      ],
      problem: { code: 'STATE_MISMATCH' },
    });
    const allowed = await checked(store, shape, {}, { allowDroppedState: true });
    expect(allowed.problem).toBeUndefined();
  });

  it('finds that what a migration made cannot be stored', async () => {
    const store = memoryStore();
    await stored(store);
    const total: Over = { version: 2, migrate: n => ({ when: () => n }) };
    const { problem } = await checked(store, { total });
    expect(problem).toMatchObject({ code: 'UNSUPPORTED_STATE', message: expect.stringMatching(/"total" for key a/) });
  });

  it('answers at once where the store does', async () => {
    const store = memoryStore();
    await stored(store);
    expect(checkState(counting({ source: unread }), { store })).toMatchObject({ checkpoint: { id: 2 } });
  });

  it('tells of a segment that is gone, and looks again when another checkpoint has come meanwhile', async () => {
    const store = memoryStore();
    await stored(store);
    const gone = new Set<string>();
    const without: SnapshotStore = {
      ...store,
      task: ref => {
        const task = store.task(ref);
        const getSegment = (name: string) => (gone.has(name) ? undefined : task.getSegment(name));
        return {
          ...readOnly(store).task(ref),
          getSegment,
          manifests: () => {
            looks++;
            return task.manifests();
          },
        };
      },
    };
    let looks = 0;
    const manifests = await store.task({ job: 'letters', task: 'main' }).manifests();
    gone.add(manifests.at(-1)?.manifest.actors.total?.segments[0]?.name ?? '');
    const report = await checkState(counting({ source: unread }), { store: without });
    expect(report.problem).toMatchObject({ code: 'STATE_LOST', message: expect.stringContaining('"total", is gone') });
    expect(looks).toBe(2);
  });

  it('rejects when the store does not answer', async () => {
    const store = memoryStore();
    const broken = { ...store, task: () => ({ ...readOnly(store).task({ job: 'a', task: 'b' }), manifests: refuse }) };
    expect(() => checkState(counting({ source: unread }), { store: broken })).toThrow('a check must not do this');
  });
});

function filesIn(folder: string): unknown[] {
  return readdirSync(folder, { recursive: true })
    .map(name => path.join(folder, String(name)))
    .sort()
    .map(file => [file, statSync(file).isFile() ? readFileSync(file).toString('base64') : '']);
}
