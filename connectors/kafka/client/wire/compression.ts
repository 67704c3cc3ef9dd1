import { constants, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { compressFrameSync } from 'lz4-napi';
import { messageOf } from '../../../../lib/index.ts';
import { CorruptRecordsError } from '../../errors.ts';
import type { Compression } from '../../record.ts';
import { decompressLz4Frames } from './lz4.ts';
import { compressSnappy, decompressSnappy } from './snappy.ts';

/** By the number that a batch's attributes have. */
export const compressions: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

/** A batch larger than this, once unpacked, is refused: a few bytes could ask for all memory there is. */
export const maxUnpackedBytes = 256 * 1024 * 1024;

/** Packs the records of one batch. */
export function compress(compression: Compression, records: Buffer): Buffer {
  switch (compression) {
    case 'none':
      return records;
    case 'gzip':
      return gzipSync(records);
    case 'snappy':
      return compressSnappy(records);
    case 'lz4':
      return compressFrameSync(records);
    case 'zstd':
      // Kafka's own level; a checksum is the batch's business.
      return zstdCompressSync(records, { params: { [constants.ZSTD_c_compressionLevel]: 3 } });
  }
}

/** Unpacks the records of one batch; throws a `CorruptRecordsError` when they are broken or beyond `maxBytes`. */
export function decompress(compression: Compression, packed: Buffer, maxBytes = maxUnpackedBytes): Buffer {
  try {
    return unpack(compression, packed, maxBytes);
  } catch (error) {
    const said = messageOf(error);
    const why = /larger than|too large/i.test(said) ? `it holds more than ${maxBytes} bytes` : said;
    throw new CorruptRecordsError(
      `A ${compression} payload of ${packed.length} bytes cannot be unpacked: ${why}. It was damaged, or its producer is faulty; begin behind it, or delete the records up to it.`,
      { cause: error },
    );
  }
}

function unpack(compression: Compression, packed: Buffer, maxBytes: number): Buffer {
  switch (compression) {
    case 'none':
      return packed;
    case 'gzip':
      return gunzipSync(packed, { maxOutputLength: maxBytes });
    case 'snappy':
      return decompressSnappy(packed, maxBytes);
    case 'lz4':
      return decompressLz4Frames(packed, maxBytes);
    case 'zstd':
      return zstdDecompressSync(packed, { maxOutputLength: maxBytes });
  }
}
