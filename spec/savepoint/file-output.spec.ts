import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fileSink } from '../../connectors/file/index.ts';
import { createSavepoint, fileStore, from, job, type SnapshotStore, start } from '../../lib/index.ts';
import { to } from '../../operators/index.ts';
import { quiet } from '../job/quiet.ts';
import { NumberLog } from './summing-job.ts';

let folder = '';
let store: SnapshotStore;
const numbers = new NumberLog();
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tidemark-fork-'));
  store = fileStore(path.join(folder, 'state'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function copying(name: string, out: string, fromSavepoint?: string) {
  const { promise: reads, resolve, reject } = Promise.withResolvers<void>();
  const declared = job(name, () =>
    from(numbers.source(resolve)).pipe(to(fileSink<number>({ path: path.join(folder, out), name: 'out' }))),
  );
  const handle = start(declared, {
    store,
    logger: quiet,
    restart: { strategy: 'none' },
    checkpoint: { interval: 'off', requestInterval: 5 },
    ...(fromSavepoint === undefined ? {} : { fromSavepoint }),
  });
  handle.done.catch(reject);
  await reads;
  return handle;
}

const text = (out: string) => readFileSync(path.join(folder, out), 'utf8');

it('a fork writes what comes behind the savepoint to its own file, and is refused that of the original', async () => {
  const original = await copying('original', 'a.txt');
  numbers.push(1, 2);
  await createSavepoint(store, 'original', { name: 'two' });
  numbers.push(3);
  await original.stop();
  await expect(copying('fork', 'a.txt', 'original/two')).rejects.toThrow(/belongs to sink "out" of job "original"/);
  const fork = await copying('fork', 'b.txt', 'original/two');
  await fork.stop();
  expect([text('a.txt'), text('b.txt')]).toEqual(['1\n2\n3\n', '3\n']);
});

it('a job that starts from its savepoint in its place goes on in its file', async () => {
  numbers.log.length = 0;
  const first = await copying('original', 'a.txt');
  numbers.push(1, 2);
  await createSavepoint(store, 'original', { name: 'two', end: 'stop' });
  await first.done;
  numbers.push(3);
  const second = await copying('original', 'a.txt', 'two');
  await second.stop();
  expect(text('a.txt')).toBe('1\n2\n3\n');
});
