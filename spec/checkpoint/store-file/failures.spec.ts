import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TaskRef } from '../../../lib/checkpoint/snapshot-store.ts';
import { fileFailure } from '../../../lib/checkpoint/store-file/file-failure.ts';
import type { FileSystem } from '../../../lib/checkpoint/store-file/file-system.ts';
import { fileStore } from '../../../lib/checkpoint/store-file/index.ts';
import { nodeFileSystem } from '../../../lib/checkpoint/store-file/node-file-system.ts';
import {
  ExternalError,
  StateLostError,
  StoreRefusedError,
  StoreUnavailableError,
  type TidemarkError,
} from '../../../lib/errors.ts';
import { briefly, bytesOf, manifestOf, segment } from '../../contract/snapshot-store.manifests.ts';

const ref: TaskRef = { job: 'j', task: '0' };
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tidemark-store-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const failureOf = async (work: () => unknown): Promise<TidemarkError> => {
  try {
    await work();
  } catch (error) {
    return error as TidemarkError;
  }
  throw new Error('it succeeded');
};
const systemError = (code: string) => Object.assign(new Error(`${code}: something, write`), { code });

describe('errors of the file store', () => {
  it.each<[string, string, new (message: string) => TidemarkError, boolean, RegExp]>([
    ['ENOSPC', 'write', StoreUnavailableError, true, /disk is full.*Free some space.*intact/],
    ['EDQUOT', 'write', StoreUnavailableError, true, /disk is full/],
    ['EIO', 'sync', StoreUnavailableError, true, /disk reports an error/],
    ['EMFILE', 'read', StoreUnavailableError, true, /too many files.*ulimit/],
    ['EROFS', 'create', StoreRefusedError, false, /read-only.*writable/],
    ['EACCES', 'write', StoreRefusedError, false, /permission denied.*another folder/],
    ['EPERM', 'link', StoreRefusedError, false, /no hard links/],
    ['ENOTDIR', 'create', StoreRefusedError, false, /path is not what it should be/],
    ['ENOENT', 'write', StateLostError, false, /folder is gone/],
    ['EUNKNOWN', 'write', ExternalError, true, /EUNKNOWN: something/],
  ])('%s during %s', (code, action, kind, isRetriable, advice) => {
    const error = fileFailure(action, '/data/x', systemError(code));
    expect(error.constructor).toBe(kind);
    expect(error.retriable).toBe(isRetriable);
    expect(error.fault).toBe('external');
    expect(error.message).toContain(`could not ${action} /data/x (${code})`);
    expect(error.message).toMatch(advice);
    expect(error.cause).toBeInstanceOf(Error);
  });

  it('come through every operation of a store whose disk is full, and leave it as it was', async () => {
    const healthy = fileStore(directory).task(ref);
    const token = await healthy.acquireFence(0);
    for (const id of [1, 2]) {
      await healthy.putSegment(token, segment(id, token), bytesOf('x'));
      await healthy.prepare(token, manifestOf(ref, token, id, [segment(id, token)]));
      await healthy.confirm(token, id);
    }
    await healthy.prepare(token, manifestOf(ref, token, 3));
    const full: FileSystem = {
      ...nodeFileSystem,
      write: async path => {
        throw fileFailure('write', path, systemError('ENOSPC'));
      },
    };
    const task = fileStore(directory, full).task(ref);
    for (const work of [
      () => task.acquireFence(0),
      () => task.putSegment(token, segment(4, token), bytesOf('x')),
      () => task.prepare(token, manifestOf(ref, token, 4)),
      () => task.confirm(token, 3),
      () => task.collect(token, [1]),
      () => task.clear(token),
      () => fileStore(directory, full).check(),
    ]) {
      expect(await failureOf(work)).toBeInstanceOf(StoreUnavailableError);
    }
    expect(briefly(await task.manifests())).toEqual(['1-1', '2-1', '3-1?']);
    expect(await task.getSegment(segment(1, token))).toEqual(bytesOf('x'));
    expect(await task.fence()).toBe(token);
    await healthy.confirm(token, 3);
    await healthy.collect(token, [1, 2]);
    expect(readdirSync(join(directory, 'j/0/tmp'))).toEqual([]);
  });
});

describe('the file store and its folder', () => {
  it('is created with all above it, and checked without leaving a trace', async () => {
    const deep = join(directory, 'a/b/c');
    const store = fileStore(deep);
    await store.check();
    expect(readdirSync(deep)).toEqual([]);
    expect(store.location).toBe(deep);
    expect(await store.tasks()).toEqual([]);
  });

  it('is not created by looking at it', async () => {
    const store = fileStore(join(directory, 'none'));
    expect(await store.tasks()).toEqual([]);
    expect(await store.task(ref).manifests()).toEqual([]);
    expect(await store.task(ref).fence()).toBe(0);
    expect(await store.task(ref).getSegment(segment(1, 1))).toBeUndefined();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('that cannot be one is refused', async () => {
    writeFileSync(join(directory, 'file'), '');
    symlinkSync(join(directory, 'nowhere'), join(directory, 'dangling'));
    for (const path of ['file', 'file/below', 'dangling']) {
      const error = await failureOf(() => fileStore(join(directory, path)).check());
      expect(error.fault, path).toBe('external');
      expect(error.retriable, path).toBe(false);
      expect(error.message).toContain(join(directory, path));
    }
  });

  it('may hold other things', async () => {
    const store = fileStore(directory);
    await store.task(ref).acquireFence(0);
    writeFileSync(join(directory, 'README.md'), '');
    mkdirSync(join(directory, 'other/thing/commits-not'), { recursive: true });
    writeFileSync(join(directory, 'j/notes'), '');
    writeFileSync(join(directory, 'j/0/manifests/notes.txt'), '');
    writeFileSync(join(directory, 'j/0/segments/notes.txt'), '');
    expect(await store.tasks()).toEqual([ref]);
    expect(await store.task(ref).manifests()).toEqual([]);
    await store.task(ref).collect(1, []);
    await store.task(ref).clear(1);
    expect(readdirSync(join(directory, 'j/0/segments'))).toEqual(['notes.txt']);
  });

  it.each(['', 'j/0', 'j/0/commits'])(
    'that is removed in the middle ("%s") stops the job with a clear error',
    async part => {
      const task = fileStore(directory).task(ref);
      const token = await task.acquireFence(0);
      await task.prepare(token, manifestOf(ref, token, 1));
      await task.confirm(token, 1);
      rmSync(join(directory, part), { recursive: true });
      for (const work of [
        () => task.putSegment(token, segment(2, token), bytesOf('x')),
        () => task.prepare(token, manifestOf(ref, token, 2)),
        () => task.confirm(token, 1),
        () => task.collect(token, []),
        () => task.clear(token),
        () => task.manifests(),
        () => task.fence(),
        () => task.acquireFence(0),
      ]) {
        const error = await failureOf(work);
        expect(error).toBeInstanceOf(StateLostError);
        expect(error.retriable).toBe(false);
        expect(error.message).toMatch(/commits .*gone.*Put the folder back/);
      }
    },
  );

  it('without its commit log, but with manifests, is not taken for a new one', async () => {
    const first = fileStore(directory).task(ref);
    const token = await first.acquireFence(0);
    await first.prepare(token, manifestOf(ref, token, 1));
    rmSync(join(directory, 'j/0/commits'), { recursive: true });
    const error = await failureOf(() => fileStore(directory).task(ref).acquireFence(0));
    expect(error).toBeInstanceOf(StateLostError);
    expect(error.message).toMatch(/manifests but no commit log/);
  });

  it('of another job is not taken over', async () => {
    await fileStore(directory).task(ref).acquireFence(0);
    mkdirSync(join(directory, 'k'));
    symlinkSync(join(directory, 'j/0'), join(directory, 'k/0'));
    const error = await failureOf(() => fileStore(directory).task({ job: 'k', task: '0' }).acquireFence(0));
    expect(error).toBeInstanceOf(StoreRefusedError);
    expect(error.message).toMatch(/task 0 of job j, not of task 0 of job k/);
  });

  it('without temporary files loses nothing when somebody cleans up', async () => {
    const task = fileStore(directory).task(ref);
    const token = await task.acquireFence(0);
    rmSync(join(directory, 'j/0/tmp'), { recursive: true });
    expect(await failureOf(() => task.putSegment(token, segment(1, token), bytesOf('x')))).toBeInstanceOf(
      StateLostError,
    );
    expect(await fileStore(directory).task(ref).acquireFence(0)).toBe(token + 1);
  });
});
