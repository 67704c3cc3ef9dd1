import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tidemark } from '../../cli/program.ts';
import type { World } from '../../cli/world.ts';
import { type JobHandle, memoryStore, type SnapshotStore } from '../../lib/index.ts';
import { NumberLog, startSums } from '../savepoint/summing-job.ts';

let folder = '';
let store: SnapshotStore;
let numbers: NumberLog;
let job: JobHandle;
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'tidemark-cli-'));
  store = memoryStore();
  numbers = new NumberLog();
  const { handle, reads } = startSums(numbers, store);
  job = handle;
  await reads;
  numbers.push(1, 2);
});
afterEach(async () => {
  await job.stop();
  rmSync(folder, { recursive: true });
});

const refuse = (): never => {
  throw new Error('these commands must not do this');
};

async function savepoint(...args: readonly string[]) {
  const written = { out: '', err: '' };
  let closed = 0;
  const world: World = {
    start: refuse,
    check: refuse,
    checkState: refuse,
    startWorkers: refuse,
    openStatusServer: refuse,
    openStore: () => Object.assign(Object.create(store) as SnapshotStore, { close: () => void closed++ }),
    version: '1.2.3',
    cwd: folder,
    env: {},
    stdout: {
      write(text: unknown) {
        written.out += String(text);
        return true;
      },
    },
    stderr: {
      write(text: unknown) {
        written.err += String(text);
        return true;
      },
    },
    signals: new EventEmitter(),
    clock: { now: () => Date.now(), monotonic: () => 0 },
  };
  const code = await tidemark(['savepoint', ...args], world);
  return { code, ...written, closed };
}

describe('tidemark savepoint', () => {
  it('create asks the running job, and list, show and export find what it took', async () => {
    expect(await savepoint('create', 'sums', '--name', 'one')).toEqual({
      code: 0,
      out: 'Savepoint one of sums is checkpoint 1: the running job took it, and goes on.\n',
      err: 'the running job has seen the request for "one"\n',
      closed: 1,
    });
    const list = await savepoint('list');
    expect(list.out).toMatch(/^JOB +SAVEPOINT +CHECKPOINT +AGE +SIZE +KEYS\nsums +one +1 +\d+ ms +\d+ B +2\n$/);
    const show = await savepoint('show', 'sums/one');
    expect(show.out).toMatch(/^one of sums, .* in the memory store at memory:\n {2}main: checkpoint 1 \(token 1\)\n/);
    expect(show.out).toMatch(/actor +sum +1 +2 +\d+ B +1 segment\n/);
    expect(show.out).toMatch(/source +numbers +2\n/);
    const { out } = await savepoint('show', 'sums/one', '--json');
    expect(JSON.parse(out)).toMatchObject({
      name: 'one',
      tasks: [{ checkpoint: 1, actors: [{ name: 'sum', keys: 2 }], sources: { numbers: { position: 2 } } }],
    });
    const directory = path.join(folder, 'one');
    expect((await savepoint('export', 'sums/one', directory)).out).toBe(`Savepoint one of sums is in ${directory}.\n`);
    expect((await savepoint('show', directory)).out).toContain(`in ${directory}`);
    store = memoryStore();
    expect((await savepoint('import', directory, '--as', 'fork')).out).toContain('where the job fork goes on');
    expect((await savepoint('list', 'fork')).out).toContain('fork  one');
  });

  it('stop ends the job with it; create then takes that, and stop finds nobody', async () => {
    const { out } = await savepoint('stop', 'sums', '--name', 'last');
    expect(out).toBe(
      'Savepoint last of sums is checkpoint 1: sums has stopped with it, and goes on from it when it is started.\n',
    );
    expect(await job.done).toBe('stopped');
    const again = await savepoint('stop', 'sums');
    expect(again).toMatchObject({ code: 4, out: '', closed: 1 });
    expect(again.err).toContain('there is nothing to stop; its newest committed checkpoint is 1');
    const kept = await savepoint('create', 'sums', '--name', 'kept', '--json');
    expect(JSON.parse(kept.out)).toMatchObject({ name: 'kept', taken: 'offline', tasks: [{ isClosed: true }] });
  });

  it('diff shows what has changed by key, and delete removes one', async () => {
    await savepoint('create', 'sums', '--name', 'a');
    numbers.push(3, 5);
    await savepoint('create', 'sums', '--name', 'b');
    const { out } = await savepoint('diff', 'sums/a', 'sums/2');
    expect(out).toMatch(/sum +1 +0 +0 +1 +1\n\nsum:\n {2}~ 'odd': \[ 'odd', 1 \] → \[ 'odd', 9 \]\n$/);
    expect((await savepoint('diff', 'sums/a', 'sums/b', '--examples', '0')).out).toContain('and 1 more');
    expect(await savepoint('delete', 'sums/a')).toMatchObject({ code: 0, out: 'Savepoint a of sums is deleted.\n' });
    expect((await savepoint('list', '--json')).out).not.toContain('"a"');
    expect((await savepoint('show', 'sums/a')).err).toContain('There is no savepoint "a" of job "sums"');
  });

  it('says what is wrong with its arguments', async () => {
    expect(await savepoint('delete', 'a')).toMatchObject({ code: 2 });
    expect((await savepoint('show', 'a')).err).toContain('neither a directory with a savepoint, nor of the form');
    expect(await savepoint('create', 'sums', '--offline', '--checkpoint', '1')).toMatchObject({ code: 2 });
    expect(await savepoint('create', 'sums', '--timeout', 'soon')).toMatchObject({ code: 2 });
    expect((await savepoint('create', 'other')).err).toContain('has nothing of a job "other"');
    store = memoryStore();
    expect((await savepoint('list')).out).toBe('The memory store at memory: has no savepoint.\n');
  });
});
