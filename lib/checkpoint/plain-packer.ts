import { isPlainName, maxDepth } from './value-shape.ts';

/** Bytes of the largest value; what is larger goes the general way, where the cost for each value matters less. */
const capacity = 4_096;
/** Of a string, and of anything else that is written without looking whether there is room. */
const maxPiece = 0xff;
/** Property names whose encoding is kept. */
const maxNames = 1_024;

/**
 * Writes plain values as msgpack, byte for byte as msgpackr does, while it checks that they are plain: one pass instead of
 * two, and no object for each value. It is for the small states that there are many of, and leaves the others alone.
 */
export class PlainPacker {
  readonly bytes: Uint8Array = Buffer.allocUnsafeSlow(capacity + 2 * maxPiece);
  /** Where the last value ends; it begins at 0. */
  end = 0;
  readonly #view = new DataView(this.bytes.buffer);
  readonly #names = new Map<string, Uint8Array>();

  /** False when the value is not plain (`shapeOf`), large, or of a rarer kind; then nothing that was written counts. */
  pack(value: unknown): boolean {
    this.end = 0;
    return this.#value(value, 0);
  }

  #value(value: unknown, depth: number): boolean {
    if (this.end > capacity) return false;
    switch (typeof value) {
      case 'number':
        return this.#number(value);
      case 'string':
        return this.#ascii(value);
      case 'boolean':
        this.bytes[this.end++] = value ? 0xc3 : 0xc2;
        return true;
      case 'object':
        if (value !== null)
          return Array.isArray(value) ? this.#array(value, depth + 1) : this.#object(value, depth + 1);
        this.bytes[this.end++] = 0xc0;
        return true;
      default:
        return false;
    }
  }

  #number(number: number): boolean {
    const { bytes } = this;
    if (number >>> 0 === number) {
      if (number === 0 && Object.is(number, -0)) return false;
      if (number < 0x80) bytes[this.end++] = number;
      else if (number < 0x100) this.#byte(0xcc, number);
      else if (number < 0x10000) this.#word(0xcd, number);
      else {
        bytes[this.end] = 0xce;
        this.#view.setUint32(this.end + 1, number);
        this.end += 5;
      }
    } else if (number >> 0 === number) {
      if (number >= -0x20) bytes[this.end++] = 0x100 + number;
      else if (number >= -0x80) this.#byte(0xd0, number);
      else if (number >= -0x8000) this.#word(0xd1, number);
      else {
        bytes[this.end] = 0xd2;
        this.#view.setInt32(this.end + 1, number);
        this.end += 5;
      }
    } else {
      bytes[this.end] = 0xcb;
      this.#view.setFloat64(this.end + 1, number);
      this.end += 9;
    }
    return true;
  }

  #byte(head: number, value: number): void {
    this.bytes[this.end++] = head;
    this.bytes[this.end++] = value;
  }

  #word(head: number, value: number): void {
    this.bytes[this.end++] = head;
    this.bytes[this.end++] = value >> 8;
    this.bytes[this.end++] = value;
  }

  #ascii(text: string): boolean {
    const { bytes } = this;
    const { length } = text;
    if (length > maxPiece) return false;
    if (length < 0x20) bytes[this.end++] = 0xa0 | length;
    else this.#byte(0xd9, length);
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) return false;
      bytes[this.end++] = code;
    }
    return true;
  }

  #object(value: object, depth: number): boolean {
    if (depth > maxDepth || Object.getPrototypeOf(value) !== Object.prototype) return false;
    const names = Object.getOwnPropertyNames(value);
    if (names.length > 0x0f || Object.getOwnPropertySymbols(value).length > 0) return false;
    this.bytes[this.end++] = 0x80 | names.length;
    for (const name of names) {
      const property = Object.getOwnPropertyDescriptor(value, name);
      if (!property?.enumerable || property.get !== undefined || property.set !== undefined) return false;
      if (this.end > capacity || !this.#name(name)) return false;
      if (!this.#value(property.value, depth)) return false;
    }
    return true;
  }

  /** The same names come again and again: each is looked at and encoded once. */
  #name(name: string): boolean {
    let encoded = this.#names.get(name);
    if (encoded === undefined) {
      const start = this.end;
      if (!isPlainName(name) || !this.#ascii(name)) return false;
      encoded = Uint8Array.from(this.bytes.subarray(start, this.end));
      // Names that are data, in objects used as tables, must not pile up here.
      if (this.#names.size >= maxNames) this.#names.clear();
      this.#names.set(name, encoded);
      return true;
    }
    const { bytes } = this;
    let at = this.end;
    for (let i = 0; i < encoded.length; i++) bytes[at++] = encoded[i] as number;
    this.end = at;
    return true;
  }

  #array(value: readonly unknown[], depth: number): boolean {
    if (depth > maxDepth || Object.getPrototypeOf(value) !== Array.prototype) return false;
    const { length } = value;
    // No hole, no named property, no symbol; `length` itself is one of the names.
    if (length > 0x0f || Reflect.ownKeys(value).length !== length + 1) return false;
    this.bytes[this.end++] = 0x90 | length;
    for (let i = 0; i < length; i++) {
      const item = value[i];
      if (item === undefined || !this.#value(item, depth)) return false;
    }
    return true;
  }
}
