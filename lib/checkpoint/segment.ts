import { createHash, subtle } from 'node:crypto';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { messageOf, StateLostError } from '../errors.ts';
import { andThen, attempt, type MaybePromise } from '../maybe-promise.ts';

export {
  EntryReader,
  type RawSegment,
  readEntries,
  SegmentWriter,
  type SegmentWriterOptions,
  type VisitEntry,
} from './segment-entries.ts';

// A sealed segment: "TMSG", format version, compression, two bytes of zero, the raw length (uint32, little-endian), then the
// raw segment (segment-entries.ts), compressed or not. Integrity is the checksum of all of it, kept in the manifest.
const magic = Buffer.from('TMSG');
const version = 1;
const headerLength = 12;
const compressions = ['none', 'zstd'] as const;

export type Compression = (typeof compressions)[number];

export interface SealOptions {
  readonly compression: Compression;
  /** Answers at once, on this thread; otherwise compression and hashing happen on other threads. */
  readonly sync?: boolean;
}

/** A segment as it is stored. */
export interface SealedSegment {
  readonly bytes: Uint8Array;
  /** SHA-256 of `bytes`, hexadecimal. */
  readonly checksum: string;
}

// Level 1 is twice as fast as 3 and, on many small entries, no larger.
const zstdOptions = { params: { [zlib.constants.ZSTD_c_compressionLevel]: 1 } };
const compressAsync = promisify<Uint8Array, zlib.ZstdOptions, Buffer>(zlib.zstdCompress);
const decompressAsync = promisify<Uint8Array, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress);

/** Compresses a raw segment and adds what is needed to read it again. */
export function sealSegment(raw: Uint8Array, { compression, sync = false }: SealOptions): MaybePromise<SealedSegment> {
  const packed: MaybePromise<Uint8Array> =
    compression === 'none' ? raw : sync ? zlib.zstdCompressSync(raw, zstdOptions) : compressAsync(raw, zstdOptions);
  return andThen(packed, content => {
    const bytes = Buffer.allocUnsafeSlow(headerLength + content.length);
    magic.copy(bytes);
    bytes[4] = version;
    bytes[5] = compressions.indexOf(compression);
    bytes.writeUInt16LE(0, 6);
    bytes.writeUInt32LE(raw.length, 8);
    bytes.set(content, headerLength);
    return andThen(digest(bytes, sync), checksum => ({ bytes, checksum }));
  });
}

/**
 * The raw segment in sealed bytes. A `StateLostError` that names `where` when they are not what was stored, or of a format
 * that this version does not read. What comes back may share memory with `bytes`.
 */
export function openSegment(
  bytes: Uint8Array,
  expectedChecksum: string,
  where: string,
  { sync = false }: { readonly sync?: boolean } = {},
): MaybePromise<Uint8Array> {
  return andThen(digest(bytes, sync), checksum => {
    if (checksum !== expectedChecksum) {
      throw new StateLostError(
        `The segment ${where} is damaged: its checksum does not match. Restore it from a copy, or an older checkpoint.`,
      );
    }
    return unpack(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), where, sync);
  });
}

/** The size of the raw segment in sealed bytes, before they are checked; 0 when they do not say. */
export function rawLengthOf(bytes: Uint8Array): number {
  if (bytes.length < headerLength) return 0;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true);
}

function unpack(bytes: Buffer, where: string, sync: boolean): MaybePromise<Uint8Array> {
  if (bytes.length < headerLength || !bytes.subarray(0, 4).equals(magic)) {
    throw new StateLostError(`${where} is not a segment. Restore it from a copy, or an older checkpoint.`);
  }
  const compression = compressions[bytes[5] as number];
  if (bytes[4] !== version || !compression) {
    throw new StateLostError(
      `The segment ${where} has format ${bytes[4]}.${bytes[5]}, which this version of Tidemark does not read. ` +
        'Run the version that wrote it, or a newer one.',
    );
  }
  const content = bytes.subarray(headerLength);
  const rawLength = bytes.readUInt32LE(8);
  const checked = (raw: Uint8Array): Uint8Array => {
    if (raw.length !== rawLength) throw unreadable(where, `it has ${raw.length} bytes instead of ${rawLength}`);
    return raw;
  };
  if (compression === 'none') return checked(content);
  const options = { maxOutputLength: Math.max(rawLength, 1) };
  const failed = (cause: unknown): never => {
    throw unreadable(where, messageOf(cause), cause);
  };
  return andThen(
    attempt<Uint8Array>(
      () => (sync ? zlib.zstdDecompressSync(content, options) : decompressAsync(content, options)),
      failed,
    ),
    checked,
  );
}

function unreadable(where: string, reason: string, cause?: unknown): StateLostError {
  return new StateLostError(`The segment ${where} cannot be read: ${reason}. Restore an older checkpoint.`, { cause });
}

/** Below this, hashing here costs less than asking another thread. */
const smallDigest = 64 * 1024;

function digest(bytes: Uint8Array, sync: boolean): MaybePromise<string> {
  if (sync || bytes.length < smallDigest) return createHash('sha256').update(bytes).digest('hex');
  return subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>).then(hash => Buffer.from(hash).toString('hex'));
}
