import { compressSync, uncompressSync } from 'snappy';

// Snappy has no stream format of Kafka's liking: its Java clients frame blocks as the library snappy-java ("xerial")
// does: a magic, two versions, then blocks with their lengths in front. Others write one raw block.
const magic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const headerBytes = magic.length + 8;
const blockBytes = 32 * 1024;

export function compressSnappy(plain: Buffer): Buffer {
  const header = Buffer.alloc(headerBytes);
  magic.copy(header);
  header.writeInt32BE(1, magic.length); // version
  header.writeInt32BE(1, magic.length + 4); // lowest version that can read it
  const parts: Buffer[] = [header];
  for (let start = 0; start < plain.length; start += blockBytes) {
    const block = compressSync(plain.subarray(start, start + blockBytes));
    const length = Buffer.allocUnsafe(4);
    length.writeInt32BE(block.length);
    parts.push(length, block);
  }
  return Buffer.concat(parts);
}

/** Throws a plain `Error` when the payload is broken or unpacks to more than `maxBytes`. */
export function decompressSnappy(packed: Buffer, maxBytes: number): Buffer {
  if (!packed.subarray(0, magic.length).equals(magic)) return uncompress(packed, maxBytes);
  const parts: Buffer[] = [];
  let left = maxBytes;
  for (let at = headerBytes; at < packed.length; ) {
    if (at + 4 > packed.length) throw new Error('it ends within a block');
    const length = packed.readInt32BE(at);
    at += 4;
    if (length < 0 || at + length > packed.length) throw new Error('it ends within a block');
    const block = uncompress(packed.subarray(at, at + length), left);
    left -= block.length;
    at += length;
    parts.push(block);
  }
  if (packed.length < headerBytes) throw new Error('it ends within its header');
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
}

function uncompress(block: Buffer, maxBytes: number): Buffer {
  if (unpackedLength(block) > maxBytes) throw new Error('too large');
  return uncompressSync(block, { asBuffer: true }) as Buffer;
}

/** A raw block begins with the length of its content, as a varint. */
function unpackedLength(block: Buffer): number {
  let length = 0;
  for (let i = 0; i < 5; i++) {
    const byte = block[i];
    if (byte === undefined) break;
    length += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return length;
  }
  throw new Error('it has no length');
}
