import { StateLostError } from '../errors.ts';
import type { ByteRange } from './segment-entries.ts';
import { decodeValue, ValueEncoder } from './value-codec.ts';

/** A moment that is not known yet: NaN until it is. */
export interface Moment {
  time: number;
}

const clocks = ['processing', 'event'] as const;
export type StampClock = (typeof clocks)[number];

/** A value of a state that expires, and when it was created, written or read. It does not change. */
export class Stamped {
  readonly value: unknown;
  readonly at: number | Moment;
  readonly clock: StampClock;

  constructor(value: unknown, at: number | Moment, clock: StampClock) {
    this.value = value;
    this.at = at;
    this.clock = clock;
  }

  /** ms on its clock; NaN when it is not known. */
  get time(): number {
    return typeof this.at === 'number' ? this.at : this.at.time;
  }
}

// A stamped value: two bytes with which no other value begins (see value-codec.ts), the clock, its time as a little-endian
// double, then the value. Values of states that do not expire stand alone, as they did before there was anything else.
const mark = 0xc1;
const headLength = 11;

/** Encodes values, stamped ones and others, as `ValueEncoder` does: what it shows is the last one, until the next. */
export class StoredValueEncoder {
  readonly #values = new ValueEncoder();
  #bytes = Buffer.allocUnsafeSlow(256);

  /** Throws as `encodeValue` does. */
  encode(value: unknown): ByteRange {
    if (!(value instanceof Stamped)) return this.#values.encode(value);
    const { bytes, start, end } = this.#values.encode(value.value);
    const length = headLength + end - start;
    if (this.#bytes.length < length) this.#bytes = Buffer.allocUnsafeSlow(length * 2);
    this.#bytes[0] = mark;
    this.#bytes[1] = mark;
    this.#bytes[2] = clocks.indexOf(value.clock);
    this.#bytes.writeDoubleLE(value.time, 3);
    this.#bytes.set(bytes.subarray(start, end), headLength);
    return { bytes: this.#bytes, start: 0, end: length };
  }
}

/** The value whose encoding lies in `bytes` from `start` to `end`; a `Stamped` when it was one. */
export function decodeStored(bytes: Uint8Array, start: number, end: number): unknown {
  if (bytes[start] !== mark || bytes[start + 1] !== mark) return decodeValue(bytes, start, end);
  const clock = clocks[bytes[start + 2] as number];
  if (clock === undefined || end - start <= headLength) {
    throw new StateLostError(
      'A snapshot holds a value that expires by a clock which this version of Tidemark does not know. Run the version that wrote it, or a newer one.',
    );
  }
  const time = new DataView(bytes.buffer, bytes.byteOffset).getFloat64(start + 3, true);
  return new Stamped(decodeValue(bytes, start + headLength, end), time, clock);
}
