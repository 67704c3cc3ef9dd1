import { Packr } from 'msgpackr';
import { StateLostError } from '../errors.ts';
import { PlainPacker } from './plain-packer.ts';
import type { ByteRange } from './segment-entries.ts';
import { fromTagged, toTagged } from './tagged-value.ts';
import { unsupported } from './unsupported-state.ts';
import { PLAIN, shapeOf, UNSUPPORTED } from './value-shape.ts';

// Each value stands for itself: no shared structures, so that segments can be cut, merged and read in any order.
const packr = new Packr({ useRecords: false, variableMapSize: true, int64AsType: 'bigint' });

/** Begins a tagged value. msgpack reserves this byte, so no plain value begins with it. */
const tagged = 0xc1;

/**
 * The value as bytes from which `decodeValue` makes an equal one. Throws `UnsupportedStateError`, with the path to the
 * part, for what would not come back unchanged. An object that is met twice is written twice.
 */
export function encodeValue(value: unknown): Uint8Array {
  const shape = shapeOf(value);
  if (shape === PLAIN) return packr.pack(value);
  if (shape === UNSUPPORTED) throw unsupported(value);
  const tree = packr.pack(toTagged(value));
  const bytes = Buffer.allocUnsafe(tree.length + 1);
  bytes[0] = tagged;
  bytes.set(tree, 1);
  return bytes;
}

/**
 * Encodes values one after another, as `encodeValue` does, without making an object for each: what it shows is the last one,
 * until the next.
 */
export class ValueEncoder implements ByteRange {
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;

  readonly #packer = new PlainPacker();

  /** Throws as `encodeValue` does. */
  encode(value: unknown): this {
    this.start = 0;
    if (this.#packer.pack(value)) {
      this.bytes = this.#packer.bytes;
      this.end = this.#packer.end;
    } else {
      this.bytes = encodeValue(value);
      this.end = this.bytes.length;
    }
    return this;
  }
}

/** A new value equal to the one whose encoding lies in `bytes` from `start` to `end` (exclusive). */
export function decodeValue(bytes: Uint8Array, start = 0, end = bytes.length): unknown {
  try {
    return bytes[start] === tagged
      ? fromTagged(packr.unpack(bytes, { start: start + 1, end }))
      : packr.unpack(bytes, { start, end });
  } catch (cause) {
    if (cause instanceof StateLostError) throw cause;
    throw new StateLostError('A snapshot holds a value that cannot be read. Restore an older checkpoint.', { cause });
  }
}
