import { createHash } from 'node:crypto';
import { mkdir, open, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { reasonOf } from '../errors.ts';

/** The file that a path leads to through symbolic links, whether it exists yet or not. */
export async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (reasonOf(error) !== 'ENOENT') throw error;
    const folder = dirname(resolve(path));
    return folder === resolve(path) ? folder : join(await realPathOf(folder), basename(path));
  }
}

/** The hidden folder beside a visible file, for what is not visible yet. */
export function hiddenFolderOf(visible: string): string {
  const name = basename(visible);
  // A name may have 255 bytes, and the hidden one is longer.
  const short = Buffer.byteLength(name) <= 240 ? name : createHash('sha256').update(name).digest('hex');
  return join(dirname(visible), `.${short}.tidemark`);
}

/** Makes a folder and everything above it. */
export async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first !== undefined) await syncFolder(dirname(first));
}

/** Makes the names in a folder durable; where a system cannot do that, it does it by itself. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
