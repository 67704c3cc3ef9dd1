import { decompressFrameSync } from 'lz4-napi';

// https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md; Kafka writes one frame for a batch.
const magic = 0x184d2204;
/** No LZ4 block unpacks to more than this many times its size. */
const highestRatio = 255;

/** Throws a plain `Error` when the payload is broken or could unpack to more than `maxBytes`. */
export function decompressLz4Frames(packed: Buffer, maxBytes: number): Buffer {
  if (mostUnpacked(packed) > maxBytes) throw new Error('too large');
  return decompressFrameSync(packed);
}

/** How much the frame could hold at most, told by the lengths of its blocks, without unpacking it. */
function mostUnpacked(frame: Buffer): number {
  if (frame.length < 7 || frame.readUInt32LE(0) !== magic) throw new Error('it does not begin as an LZ4 frame does');
  const flags = frame.readUInt8(4);
  const blockBytes = 4 ** ((frame.readUInt8(5) >> 4) & 7) * 256; // 4: 64 KiB … 7: 4 MiB
  const blockHasChecksum = (flags & 0x10) !== 0;
  let at = 7 + ((flags & 0x08) === 0 ? 0 : 8) + ((flags & 0x01) === 0 ? 0 : 4);
  let most = 0;
  for (;;) {
    if (at + 4 > frame.length) throw new Error('it ends within its frame');
    const word = frame.readUInt32LE(at);
    if (word === 0) return most;
    const length = word & 0x7fffffff;
    most += word > 0x7fffffff ? length : Math.min(blockBytes, length * highestRatio);
    at += 4 + length + (blockHasChecksum ? 4 : 0);
  }
}
