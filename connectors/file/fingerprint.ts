import { createHash } from 'node:crypto';

/** Bytes of a file's beginning, and before a position, that are compared. */
export const blockBytes = 4096;

/** What the bytes before an offset look like: enough to see a replaced file, cheap enough for every checkpoint. */
export interface Fingerprint {
  /** Digest of the first `blockBytes`, or of all bytes before the offset when they are fewer. */
  readonly head: string;
  /** Digest of the last `blockBytes` before the offset, or of all of them. */
  readonly tail: string;
}

/** 64 bits of a block's SHA-256, hexadecimal. */
export function digestBlock(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}

/** What was found where a position expects `offset` bytes with a fingerprint. */
export interface Found {
  /** Bytes that the file has; when it is shorter than the offset, the rest is left out. */
  readonly bytes: number;
  readonly fingerprint: Fingerprint | undefined;
}

/** How a file differs from what it was at `offset`; `undefined` when it may have grown but is the same before. */
export function difference(expected: Fingerprint, offset: number, found: Found): string | undefined {
  if (found.bytes < offset || found.fingerprint === undefined) {
    return `it was cut or replaced: it has ${found.bytes} bytes, and ${offset} of it were read before`;
  }
  if (found.fingerprint.head !== expected.head) return 'it was replaced or rotated: its first bytes are others';
  if (found.fingerprint.tail !== expected.tail) return `it was changed: the bytes before byte ${offset} are others`;
  return undefined;
}
