import { access, link, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileFailure } from './file-failure.ts';
import type { FileSystem } from './file-system.ts';

/** The disk, through asynchronous calls only: a slow fsync does not stall the stream. */
export const nodeFileSystem: FileSystem = {
  makeFolder: path => doing('create', path, () => makeFolder(path)),

  write: (path, bytes) =>
    doing('write', path, async () => {
      const file = await open(path, 'wx');
      try {
        await file.writeFile(bytes);
        await file.sync();
      } catch (error) {
        await rm(path, { force: true }).catch(() => {}); // half a file is of no use, least of all on a full disk
        throw error;
      } finally {
        await file.close();
      }
    }),

  read: path => doing('read', path, () => unlessMissing(async () => bytesOf(await readFile(path)))),

  exists: path =>
    doing('look for', path, async () => (await unlessMissing(() => access(path).then(() => true))) ?? false),

  list: folder => doing('list', folder, () => unlessMissing(() => readdir(folder))),

  link: (file, name) => doing('link', name, () => settled(link(file, name))),

  moveFolder: (from, to) => doing('rename to', to, () => settled(rename(from, to))),

  remove: path => doing('remove', path, () => rm(path, { force: true, recursive: true })),

  sync: folder => doing('sync', folder, () => syncFolder(folder)),
};

async function doing<T>(action: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fileFailure(action, path, error);
  }
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

async function unlessMissing<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

async function settled(work: Promise<void>): Promise<'done' | 'exists' | 'missing'> {
  try {
    await work;
    return 'done';
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST' || code === 'ENOTEMPTY') return 'exists';
    if (code === 'ENOENT') return 'missing';
    throw error;
  }
}

/** One level after another: a folder is durable before there is anything in it. */
async function makeFolder(path: string): Promise<void> {
  const parent = dirname(path);
  const isThere = await unlessMissing(() => access(path).then(() => true));
  if (isThere || parent === path) return;
  await makeFolder(parent);
  if ((await settled(mkdir(path))) === 'done') await syncFolder(parent);
}

async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return; // it does not open folders, and writes their names through
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

const bytesOf = (buffer: Buffer): Uint8Array => new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
