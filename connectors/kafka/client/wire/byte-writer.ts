import { writeInt64 } from './record-batch.ts';

/** Writes the fields of a request, big-endian, into one growing buffer. */
export class ByteWriter {
  #bytes: Buffer;
  #end = 0;

  constructor(initialBytes = 512) {
    this.#bytes = Buffer.allocUnsafe(initialBytes);
  }

  /** A view: nothing may be written afterwards. */
  written(): Buffer {
    return this.#bytes.subarray(0, this.#end);
  }

  get length(): number {
    return this.#end;
  }

  int8(value: number): this {
    const position = this.#room(1);
    this.#bytes.writeInt8(value, position);
    return this;
  }

  bool(value: boolean): this {
    return this.int8(value ? 1 : 0);
  }

  int16(value: number): this {
    const position = this.#room(2);
    this.#bytes.writeInt16BE(value, position);
    return this;
  }

  int32(value: number): this {
    const position = this.#room(4);
    this.#bytes.writeInt32BE(value, position);
    return this;
  }

  /** Overwrites what stands at a position. */
  int32At(value: number, position: number): this {
    this.#bytes.writeInt32BE(value, position);
    return this;
  }

  int64(value: number): this {
    const position = this.#room(8);
    writeInt64(this.#bytes, value, position);
    return this;
  }

  uvarint(value: number): this {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#byte((rest % 0x80) | 0x80);
    this.#byte(rest);
    return this;
  }

  string(text: string | null | undefined): this {
    if (text === null || text === undefined) return this.int16(-1);
    const length = Buffer.byteLength(text);
    this.int16(length);
    return this.#text(text, length);
  }

  bytes(bytes: Uint8Array): this {
    this.int32(bytes.length);
    const position = this.#room(bytes.length);
    this.#bytes.set(bytes, position);
    return this;
  }

  array<T>(items: Iterable<T> | null, write: (item: T) => void): this {
    const list = items === null ? null : [...items];
    this.int32(list === null ? -1 : list.length);
    for (const item of list ?? []) write(item);
    return this;
  }

  // The flexible forms of newer requests (KIP-482): lengths are varints and one too high, 0 is null.

  compactString(text: string | null): this {
    if (text === null) return this.uvarint(0);
    const length = Buffer.byteLength(text);
    this.uvarint(length + 1);
    return this.#text(text, length);
  }

  compactArray<T>(items: Iterable<T> | null, write: (item: T) => void): this {
    const list = items === null ? null : [...items];
    this.uvarint(list === null ? 0 : list.length + 1);
    for (const item of list ?? []) write(item);
    return this;
  }

  /** No tagged fields. */
  noTags(): this {
    return this.uvarint(0);
  }

  #byte(value: number): void {
    const position = this.#room(1);
    this.#bytes.writeUInt8(value, position);
  }

  #text(text: string, length: number): this {
    const position = this.#room(length);
    this.#bytes.write(text, position, length, 'utf8');
    return this;
  }

  /** Answers where to write; asked before `#bytes` is looked at, which it may replace. */
  #room(length: number): number {
    const start = this.#end;
    this.#end += length;
    if (this.#end > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#end, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, start);
      this.#bytes = larger;
    }
    return start;
  }
}
