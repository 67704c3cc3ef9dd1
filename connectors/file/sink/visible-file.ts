import { createHash } from 'node:crypto';
import { constants as copyMode } from 'node:fs';
import { chmod, copyFile, type FileHandle, open, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { StateLostError } from '../../../lib/index.ts';
import { fileError, OutputChangedError, reasonOf } from '../errors.ts';
import { blockBytes, digestBlock } from '../fingerprint.ts';
import { readBlock } from '../verify.ts';
import { endOf, type PartRef, type SinkHandle } from './handle.ts';

const pieceBytes = 256 * 1024;

/** Bytes of the visible file; `undefined` when it is not there. */
export async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path);
    if (found.isFile()) return found.size;
  } catch (error) {
    if (reasonOf(error) === 'ENOENT') return undefined;
    throw fileError('write', path, error);
  }
  throw new OutputChangedError(`"${path}" is not a regular file, and only such a file can be written exactly once.`);
}

/**
 * Writes the parts of a handle into the visible file at the place that the handle names, durably. Committed checkpoints fix
 * the bytes of every place, so it may be done any number of times, by whomever, and in part: the file only ever gets the
 * bytes that belong there. Answers how the file then ends.
 *
 * `mayWrite` is asked after the file was opened: whoever takes the file over puts a new one in its place after it has
 * made its claim, so one who is overtaken between the question and the write writes into the file that was put away.
 */
export async function applyHandle(
  visible: string,
  folder: string,
  handle: SinkHandle,
  mayWrite: (size: number) => Promise<void> | void,
): Promise<string> {
  const file = await open(visible, 'r+');
  try {
    const { size } = await file.stat();
    await mayWrite(size);
    await verifyBefore(file, visible, handle);
    const damage = (await firstDamage(folder, handle.parts)) ?? (await copyParts(folder, handle, file));
    if (damage !== undefined && !(await holds(file, handle.offset, handle.parts))) {
      throw new StateLostError(
        `${damage}; it holds committed output of "${visible}", which does not have these bytes either. ` +
          'Restore both from a copy, go back to an older checkpoint, or start the job afresh.',
      );
    }
    await file.sync();
    return await digestBefore(file, endOf(handle));
  } finally {
    await file.close();
  }
}

/** Digest of the last block before `offset`. */
async function digestBefore(file: FileHandle, offset: number): Promise<string> {
  return digestBlock(await readBlock(file, Math.max(0, offset - blockBytes), offset));
}

async function verifyBefore(file: FileHandle, visible: string, handle: SinkHandle): Promise<void> {
  if ((await digestBefore(file, handle.offset)) === handle.before) return;
  throw new OutputChangedError(
    `The output "${visible}" is not what was written: the bytes before byte ${handle.offset} are others. ` +
      'Put the file back as it was, or start the job afresh with another path.',
  );
}

/** Whether the file has the bytes of these parts from `offset` on. */
async function holds(file: FileHandle, offset: number, parts: readonly PartRef[]): Promise<boolean> {
  let at = offset;
  for (const part of parts) {
    if ((await sha256(file, at, part.length)) !== part.sha256) return false;
    at += part.length;
  }
  return true;
}

/** What is wrong with the first part that is not whole; `undefined` when all are. */
async function firstDamage(folder: string, parts: readonly PartRef[]): Promise<string | undefined> {
  for (const part of parts) {
    const path = join(folder, part.name);
    try {
      const file = await open(path, 'r');
      try {
        if ((await sha256(file, 0, part.length)) !== part.sha256) return `"${path}" is damaged`;
      } finally {
        await file.close();
      }
    } catch (error) {
      if (reasonOf(error) !== 'ENOENT') throw fileError('read', path, error);
      return `"${path}" is not there`;
    }
  }
  return undefined;
}

/**
 * What became of a part meanwhile; `undefined` when all were copied. An older incarnation that ends just now removes the parts
 * that it has applied.
 */
async function copyParts(folder: string, handle: SinkHandle, file: FileHandle): Promise<string | undefined> {
  let at = handle.offset;
  for (const part of handle.parts) {
    const path = join(folder, part.name);
    try {
      await copyPart(path, part.length, file, at);
    } catch (error) {
      if (reasonOf(error) !== 'ENOENT') throw error;
      return `"${path}" is not there any more`;
    }
    at += part.length;
  }
  return undefined;
}

async function sha256(file: FileHandle, offset: number, length: number): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < length; at += pieceBytes) {
    hash.update(await readBlock(file, offset + at, offset + Math.min(length, at + pieceBytes)));
  }
  return hash.digest('hex');
}

async function copyPart(from: string, length: number, to: FileHandle, offset: number): Promise<void> {
  const part = await open(from, 'r');
  try {
    for (let at = 0; at < length; at += pieceBytes) {
      const piece = await readBlock(part, at, Math.min(length, at + pieceBytes));
      for (let done = 0; done < piece.length; ) {
        done += (await to.write(piece, done, piece.length - done, offset + at + done)).bytesWritten;
      }
    }
  } finally {
    await part.close();
  }
}

/**
 * Puts a file with the first `bytes` bytes of the visible one in its place, in one step. A new file, not a shorter one: who
 * still writes into the old one does so where nobody looks. `mayReplace` is asked when the new file is there, under a name
 * that a newer incarnation removes after it has made its claim: so one that is overtaken before the last step fails at it.
 */
export async function replaceVisible(
  visible: string,
  folder: string,
  { token, bytes, mayReplace }: { readonly token: number; readonly bytes: number; mayReplace(): Promise<void> },
): Promise<void> {
  const fresh = join(folder, `${token}.new`);
  const size = await sizeOf(visible);
  if (bytes > 0) await copyFile(visible, fresh, copyMode.COPYFILE_FICLONE);
  const file = await open(fresh, bytes > 0 ? 'r+' : 'w');
  try {
    await file.truncate(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  if (size !== undefined) await chmod(fresh, (await stat(visible)).mode & 0o7777);
  await mayReplace();
  await rename(fresh, visible);
}
