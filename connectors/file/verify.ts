import { type FileHandle, open } from 'node:fs/promises';
import { SourcePositionError } from '../../lib/index.ts';
import { blockBytes, difference, digestBlock, type Fingerprint, type Found } from './fingerprint.ts';
import type { Input } from './input.ts';
import type { DoneFile } from './position.ts';

/** Bytes `from` to `to` of an open file; fewer when it ends before. */
export async function readBlock(handle: FileHandle, from: number, to: number): Promise<Buffer> {
  const block = Buffer.allocUnsafe(to - from);
  let count = 0;
  while (count < block.length) {
    const { bytesRead } = await handle.read(block, count, block.length - count, from + count);
    if (bytesRead === 0) break;
    count += bytesRead;
  }
  return block.subarray(0, count);
}

/** What is known of a file's bytes before an offset. */
export interface Before {
  readonly head: Buffer;
  readonly tail: Buffer;
  readonly found: Found;
}

/** Reads the blocks before `offset` at their places. */
export async function lookBefore(handle: FileHandle, offset: number): Promise<Before> {
  const { size } = await handle.stat();
  const head = await readBlock(handle, 0, Math.min(blockBytes, offset));
  const tail = await readBlock(handle, Math.max(0, offset - blockBytes), offset);
  return { head, tail, found: { bytes: size, fingerprint: fingerprintOf(head, tail, size >= offset) } };
}

/** Reads on from the beginning to `offset`, as a compressed file must be; leaves `input` there. */
export async function skipTo(input: Input, offset: number): Promise<Before> {
  const piece = Buffer.allocUnsafe(256 * 1024);
  let head: Buffer = Buffer.alloc(0);
  let tail: Buffer = Buffer.alloc(0);
  let at = 0;
  while (at < offset) {
    const count = await input.read(piece.subarray(0, Math.min(piece.length, offset - at)));
    if (count === 0) break;
    const read = piece.subarray(0, count);
    if (head.length < blockBytes) head = Buffer.concat([head, read.subarray(0, blockBytes - head.length)]);
    const joined = count >= blockBytes ? read : Buffer.concat([tail, read]);
    tail = Buffer.from(joined.subarray(Math.max(0, joined.length - blockBytes)));
    at += count;
  }
  return { head, tail, found: { bytes: at, fingerprint: fingerprintOf(head, tail, at >= offset) } };
}

function fingerprintOf(head: Buffer, tail: Buffer, isWhole: boolean): Fingerprint | undefined {
  return isWhole ? { head: digestBlock(head), tail: digestBlock(tail) } : undefined;
}

/** A compressed file that was read to its end, as it is on disk. */
export async function fingerprintDone(path: string): Promise<DoneFile> {
  const handle = await open(path, 'r');
  try {
    return await fingerprintOpen(handle, path, (await handle.stat()).size);
  } finally {
    await handle.close();
  }
}

/** An open file whose `bytes` first bytes were read, up to its end. */
export async function fingerprintOpen(handle: FileHandle, path: string, bytes: number): Promise<DoneFile> {
  const { found } = await lookBefore(handle, bytes);
  if (found.fingerprint) return { bytes, ...found.fingerprint };
  throw changed(path, `it was cut while it was read: it has ${found.bytes} bytes, and ${bytes} of it were read`);
}

/** Throws when a file that was read to its end is no longer the same; answers whether it has grown. */
export async function verifyDone(path: string, done: DoneFile): Promise<boolean> {
  const handle = await open(path, 'r');
  try {
    const { found } = await lookBefore(handle, done.bytes);
    verifySame(path, done, done.bytes, found);
    return found.bytes > done.bytes;
  } finally {
    await handle.close();
  }
}

/** Throws a `SourcePositionError` when the bytes before `offset` are not those that were read. */
export function verifySame(path: string, expected: Fingerprint, offset: number, found: Found): void {
  const text = difference(expected, offset, found);
  if (text !== undefined) throw changed(path, text);
}

/** The input is not what it was. */
export function changed(path: string, what: string): SourcePositionError {
  return new SourcePositionError(
    `The input "${path}" is not what was read before: ${what}. ` +
      'Put the file back as it was, or start the job afresh to read everything again.',
    { context: { path } },
  );
}
