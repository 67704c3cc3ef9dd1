import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { filter, firstValueFrom } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileSink } from '../../connectors/file/index.ts';
import { memorySink } from '../../connectors/memory/index.ts';
import { from, type JobSettings, job, memoryStore, type Sink, type SnapshotStore, start } from '../../lib/index.ts';
import { MarbleSource } from '../../lib/testing/index.ts';
import { scan, to } from '../../operators/index.ts';
import { quiet } from './quiet.ts';

// What docs/guarantees.md says of a fresh start, and of state that is dropped, beside output that is there.

let folder: string;
let store: SnapshotStore;
let input: MarbleSource;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tidemark-output-'));
  store = memoryStore();
  input = new MarbleSource('numbers');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Guarantee = 'exactly-once' | 'at-least-once' | 'none';

const file = (guarantee: Guarantee, name = 'out') =>
  fileSink<number>({ path: path.join(folder, `${name}.jsonl`), guarantee });
const written = (name = 'out') =>
  readFileSync(path.join(folder, `${name}.jsonl`), 'utf8')
    .trim()
    .split('\n')
    .map(Number);

/** Starts a job that sums numbers, gives it these, and lets it `end`; answers how that went. */
async function run(
  sinks: readonly Sink<number>[],
  values: readonly number[],
  { end = 'stop', ...settings }: JobSettings & { end?: 'stop' | 'cancel' } = {},
): Promise<string> {
  const declared = job('sums', () => {
    const sums = from(input).pipe(scan('sum', (sum: number, value: unknown) => sum + (value as number), 0));
    return sinks.map(sink => sums.pipe(to(sink)));
  });
  const handle = start(declared, { checkpoint: { interval: 'off' }, logger: quiet, store, ...settings });
  for (const value of values) input.push({ kind: 'value', value });
  await firstValueFrom(handle.status$.pipe(filter(({ phase }) => phase === 'running' || phase === 'failed')));
  await handle[end]().catch(() => {});
  return handle.done.catch(error => `${error.code}`);
}

describe('a fresh start', () => {
  it('begins with empty state, above all ids that were used, and is what the next start goes on from', async () => {
    const sink = memorySink<number>();
    await run([sink], [1, 2]);
    await run([sink], [], { fresh: true });
    await run([sink], [10]);
    expect(sink.committed).toEqual([1, 3, 1, 3, 13]);
    const stored = (await store.task({ job: 'sums', task: 'main' }).manifests()).map(({ manifest }) => manifest.id);
    expect(stored).toEqual([1, 2, 3]);
  });

  it('empties what the job itself wrote exactly-once', async () => {
    await run([file('exactly-once')], [1, 2, 3]);
    expect(written()).toEqual([1, 3, 6]);
    expect(await run([file('exactly-once')], [], { fresh: true, end: 'cancel' })).toBe('cancelled');
    expect(readFileSync(path.join(folder, 'out.jsonl'), 'utf8')).toBe('');
  });

  it('that ended before its first checkpoint is the only way to start again, when its output was emptied', async () => {
    await run([file('exactly-once')], [1, 2, 3]);
    await run([file('exactly-once')], [], { fresh: true, end: 'cancel' });
    expect(await run([file('exactly-once')], [])).toMatch(/^(STATE_LOST|OUTPUT_CHANGED)$/);
    expect(await run([file('exactly-once')], [4], { fresh: true })).toBe('stopped');
    expect(written()).toEqual([1, 3, 6, 10]);
  });

  it.each(['at-least-once', 'none'] satisfies Guarantee[])('appends to what was written %s', async guarantee => {
    await run([file(guarantee)], [1, 2]);
    await run([file(guarantee)], [], { fresh: true });
    expect(written()).toEqual([1, 3, 1, 3]);
  });
});

describe('a sink that a job no longer has', () => {
  const kept = { allowDroppedState: true };

  it('keeps its file as it is, and is emptied when it comes back later', async () => {
    await run([file('exactly-once', 'a')], [1, 2]);
    expect(await run([file('exactly-once', 'b')], [3])).toBe('STATE_MISMATCH');
    expect(await run([file('exactly-once', 'b')], [], kept)).toBe('stopped');
    expect({ a: written('a'), b: written('b') }).toEqual({ a: [1, 3], b: [6] });
    await run([file('exactly-once', 'a'), file('exactly-once', 'b')], [4]);
    expect({ a: written('a'), b: written('b') }).toEqual({ a: [10], b: [6, 10] });
  });

  it('has its file to itself: one with another name is refused the path', async () => {
    await run([file('exactly-once')], [1]);
    const other = fileSink<number>({ path: path.join(folder, 'out.jsonl'), name: 'other' });
    expect(await run([other], [], kept)).toBe('OUTPUT_CHANGED');
    expect(written()).toEqual([1]);
  });
});
