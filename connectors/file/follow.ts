import { stat } from 'node:fs/promises';
import { fileError, reasonOf } from './errors.ts';
import type { FileCursor } from './file-cursor.ts';
import { changed, readBlock } from './verify.ts';

/**
 * Whether a followed file has more bytes than were read. Throws `SourcePositionError` when it is no longer the file that was
 * read: another file under its name, fewer bytes, or other bytes where reading stopped.
 */
export async function hasGrown(cursor: Pick<FileCursor<unknown>, 'path' | 'input' | 'window'>): Promise<boolean> {
  const { path, input, window } = cursor;
  if (!input.handle) return false;
  const [open, named] = await Promise.all([input.handle.stat(), atPath(path)]);
  if (!named || named.ino !== open.ino || named.dev !== open.dev) {
    throw changed(path, named ? 'it was rotated: its name is another file now' : 'it was removed or rotated away');
  }
  if (open.size < window.readTo) {
    throw changed(path, `it was cut: it has ${open.size} bytes, and ${window.readTo} of it were read`);
  }
  if (open.size === window.readTo) return false;
  const expected = window.lastRead();
  const found = await readBlock(input.handle, window.readTo - expected.length, window.readTo);
  if (!found.equals(expected)) throw changed(path, `the bytes before byte ${window.readTo} are others`);
  return true;
}

async function atPath(path: string): Promise<{ readonly ino: number; readonly dev: number } | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (reasonOf(error) === 'ENOENT') return undefined;
    throw fileError('read', path, error);
  }
}
