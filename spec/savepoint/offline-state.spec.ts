import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memorySink } from '../../connectors/memory/index.ts';
import {
  actor,
  from,
  job,
  listState,
  mapState,
  memoryStore,
  readSavepointDirectory,
  readState,
  type SavedEntry,
  type SnapshotStore,
  start,
  type,
  UnsupportedStateError,
  valueState,
  writeSavepoint,
} from '../../lib/index.ts';
import { keyBy, to } from '../../operators/index.ts';
import { quiet } from '../job/quiet.ts';
import { NumberLog, parity, startSums } from './summing-job.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tidemark-state-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function entriesIn(directory: string, name: string): Promise<SavedEntry[]> {
  const { tasks } = await readSavepointDirectory(directory);
  const found: SavedEntry[] = [];
  for (const task of tasks) for await (const entry of readState(task, name)) found.push(entry);
  return found;
}

/** State of every kind, the own one behind a codec. */
function everyKind(numbers: NumberLog, store: SnapshotStore, fromSavepoint?: string) {
  const sink = memorySink<unknown>();
  const { promise: reads, resolve } = Promise.withResolvers<void>();
  const declared = job('kinds', () =>
    from(numbers.source(resolve)).pipe(
      keyBy(parity),
      actor('all', {
        emits: type<unknown>(),
        version: 3,
        migrate: () => {
          throw new Error('nothing is to be migrated');
        },
        codec: {
          encode: (sum: { sum: bigint }) => `sum ${sum.sum}`,
          decode: (stored: unknown) => ({ sum: BigInt(String(stored).slice(4)) }),
        },
        states: { last: valueState<number>(), seen: mapState<number, string>(), list: listState<number>() },
        update: 'return',
        initial: () => ({ sum: 0n }),
        receive({ sum }, value: number, ctx) {
          const { last, seen, list } = ctx.states;
          ctx.emit({
            sum,
            last: last.get(),
            seen: seen.keys().map(entry => [entry, seen.get(entry)]),
            list: [...list],
          });
          last.set(value);
          seen.set(value, `n${value}`);
          list.append(value);
          return { sum: sum + BigInt(value) };
        },
      }),
      to(sink),
    ),
  );
  const handle = start(declared, {
    store,
    logger: quiet,
    restart: { strategy: 'none' },
    checkpoint: { interval: 'off' },
    ...(fromSavepoint === undefined ? {} : { fromSavepoint }),
  });
  return { declared, handle, sink, reads };
}

describe('a savepoint that is written from a batch', () => {
  it('gives a job its state and positions', async () => {
    const numbers = new NumberLog();
    numbers.push(1, 2, 3, 4);
    const directory = await writeSavepoint(path.join(folder, 'sums'), {
      job: 'sums',
      name: 'batch',
      actors: {
        sum: [
          { key: 'odd', value: ['odd', 100] },
          { key: 'even', value: ['even', 200] },
        ],
      },
      sources: { numbers: { position: 2 } },
    });
    const { handle, sink, reads } = startSums(numbers, memoryStore(), { fromSavepoint: directory });
    await reads;
    await handle.stop();
    expect(sink.committed).toEqual([
      ['odd', 103],
      ['even', 204],
    ]);
  });

  it('holds state of every kind, through the codec and in the version of the job, and reads back the same', async () => {
    const numbers = new NumberLog();
    const { declared, handle } = everyKind(numbers, memoryStore());
    await handle.stop();
    const entries: SavedEntry[] = [
      { key: 'even', state: 'last', kind: 'value', value: 8 },
      { key: 'even', state: 'seen', kind: 'map', entry: 6, value: 'n6' },
      { key: 'even', state: 'seen', kind: 'map', entry: 8, value: 'n8' },
      { key: 'even', state: 'list', kind: 'list', entry: 0, value: 6 },
      { key: 'even', state: 'list', kind: 'list', entry: 1, value: 8 },
    ];
    const own = { key: 'even', value: { sum: 14n } };
    const directory = await writeSavepoint(path.join(folder, 'kinds'), {
      job: declared,
      name: 'batch',
      actors: { all: [own, ...entries] },
    });
    const read = await entriesIn(directory, 'all');
    expect(read).toEqual(expect.arrayContaining([{ key: 'even', value: 'sum 14' }, ...entries]));
    expect(read).toHaveLength(entries.length + 1);

    numbers.push(10);
    const next = everyKind(numbers, memoryStore(), directory);
    await next.reads;
    await next.handle.stop();
    const seen = [
      [6, 'n6'],
      [8, 'n8'],
    ];
    expect(next.sink.committed).toEqual([{ sum: 14n, last: 8, seen, list: [6, 8] }]);

    // As stored, without the job.
    const again = await writeSavepoint(path.join(folder, 'again'), {
      job: 'kinds',
      name: 'batch',
      versions: { all: 3 },
      actors: { all: read },
    });
    expect(new Set(await entriesIn(again, 'all'))).toEqual(new Set(read));
  });

  it('takes entries one by one, in segments of bounded size', async () => {
    async function* many() {
      for (let key = 0; key < 3_000; key++) yield { key, value: 'x'.repeat(4_000) };
    }
    const directory = await writeSavepoint(path.join(folder, 'many'), {
      job: 'many',
      name: 'batch',
      actors: { big: many() },
    });
    expect(readdirSync(path.join(directory, 'segments', 'main'))).toHaveLength(3);
    const { tasks } = await readSavepointDirectory(directory);
    expect(tasks[0]?.manifest.actors).toMatchObject({ big: { keys: 3_000 } });
    expect(new Set((await entriesIn(directory, 'big')).map(({ key }) => key)).size).toBe(3_000);
  });

  it('is refused for actors and sources that the job does not have, and for what cannot be stored; nothing is left', async () => {
    const { declared, handle } = everyKind(new NumberLog(), memoryStore());
    await handle.stop();
    const directory = path.join(folder, 'wrong');
    const name = 'batch';
    await expect(
      writeSavepoint(directory, { job: declared, name, actors: { al: [] }, sources: { number: { position: 1 } } }),
    ).rejects.toThrow('has no "al", "number"; its actors are all, its sources numbers');
    await expect(
      writeSavepoint(directory, { job: 'a', name, actors: { b: [{ key: 'k', value: Symbol('s') }] } }),
    ).rejects.toThrow(UnsupportedStateError);
    expect(readdirSync(folder)).toEqual([]);
  });
});

it('the state of an actor that the savepoint does not have is refused with the names of those that it has', async () => {
  const directory = await writeSavepoint(path.join(folder, 's'), { job: 'a', name: 'n', actors: { b: [] } });
  await expect(entriesIn(directory, 'c')).rejects.toThrow('has no actor "c"; it has: b');
});
