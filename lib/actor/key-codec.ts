import type { ByteRange } from '../checkpoint/segment-entries.ts';
import { StateLostError } from '../errors.ts';
import type { MapKey } from './key.ts';

// One tag byte, then the content. Every key has exactly one encoding: compaction compares keys as bytes.
const UTF8 = 0;
const UTF16 = 1; // only for strings with lone surrogates, which UTF-8 would merge
const INT32 = 2;
const DOUBLE = 3;
const INT64 = 4; // bigint
const HEX = 5; // any other bigint, as text
const FALSE = 6;
const TRUE = 7;

const short = 64;

/** The key as bytes: injective and canonical (one key, one encoding), so equal bytes mean equal keys. */
export function encodeKey(key: MapKey): Uint8Array {
  switch (typeof key) {
    case 'string':
      return encodeString(key);
    case 'number':
      return encodeNumber(key);
    case 'bigint':
      return encodeBigint(key);
    case 'boolean': {
      const bytes = Buffer.allocUnsafe(1);
      bytes[0] = key ? TRUE : FALSE;
      return bytes;
    }
  }
}

/**
 * Encodes keys one after another, as `encodeKey` does, without making an object for each: what it shows is the last one, until
 * the next.
 */
export class KeyEncoder implements ByteRange {
  bytes: Uint8Array;
  readonly start = 0;
  end = 0;
  readonly #own = Buffer.allocUnsafeSlow(short + 1);

  constructor() {
    this.bytes = this.#own;
  }

  encode(key: MapKey): this {
    if (typeof key === 'string' && key.length <= short && writeAscii(key, this.#own)) {
      this.bytes = this.#own;
      this.end = key.length + 1;
    } else {
      this.bytes = encodeKey(key);
      this.end = this.bytes.length;
    }
    return this;
  }
}

/** Writes the encoding of a string without characters beyond ASCII; false when it has one. */
function writeAscii(text: string, bytes: Uint8Array): boolean {
  bytes[0] = UTF8;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) return false;
    bytes[i + 1] = code;
  }
  return true;
}

function encodeString(text: string): Uint8Array {
  if (text.length <= short) {
    const bytes = Buffer.allocUnsafe(text.length + 1);
    if (writeAscii(text, bytes)) return bytes;
  }
  const wellFormed = text.isWellFormed();
  const encoding = wellFormed ? 'utf8' : 'utf16le';
  const bytes = Buffer.allocUnsafe(1 + Buffer.byteLength(text, encoding));
  bytes[0] = wellFormed ? UTF8 : UTF16;
  bytes.write(text, 1, encoding);
  return bytes;
}

function encodeNumber(number: number): Uint8Array {
  if ((number | 0) === number) {
    const bytes = Buffer.allocUnsafe(5);
    bytes[0] = INT32;
    bytes.writeInt32LE(number, 1); // -0 is written as 0
    return bytes;
  }
  const bytes = Buffer.allocUnsafe(9);
  bytes[0] = DOUBLE;
  bytes.writeDoubleLE(number, 1);
  // The engine may write a NaN with any payload; equal keys need equal bytes.
  if (Number.isNaN(number)) bytes.writeBigUInt64LE(0x7ff8000000000000n, 1);
  return bytes;
}

function encodeBigint(number: bigint): Uint8Array {
  if (BigInt.asIntN(64, number) === number) {
    const bytes = Buffer.allocUnsafe(9);
    bytes[0] = INT64;
    bytes.writeBigInt64LE(number, 1);
    return bytes;
  }
  const text = number.toString(16);
  const bytes = Buffer.allocUnsafe(1 + text.length);
  bytes[0] = HEX;
  bytes.write(text, 1, 'latin1');
  return bytes;
}

/** The key whose encoding lies in `bytes` from `start` to `end` (exclusive). */
export function decodeKey(bytes: Uint8Array, start: number, end: number): MapKey {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (buffer[start]) {
    case UTF8:
      return buffer.toString('utf8', start + 1, end);
    case UTF16:
      return buffer.toString('utf16le', start + 1, end);
    case INT32:
      return buffer.readInt32LE(start + 1);
    case DOUBLE:
      return buffer.readDoubleLE(start + 1);
    case INT64:
      return buffer.readBigInt64LE(start + 1);
    case HEX: {
      const text = buffer.toString('latin1', start + 1, end);
      return text.startsWith('-') ? -BigInt(`0x${text.slice(1)}`) : BigInt(`0x${text}`);
    }
    case FALSE:
      return false;
    case TRUE:
      return true;
    default:
      throw new StateLostError(
        `A snapshot holds a key of type ${buffer[start]}, which this version of Tidemark cannot read. ` +
          'Run the version that wrote it, or a newer one.',
      );
  }
}
