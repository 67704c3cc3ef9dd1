import { ScanFault, type Scanner, type Spans } from './scanner.ts';

/** What is expected, or what the scanner is in. */
type State = 'array' | 'first' | 'element' | 'in-nested' | 'in-literal' | 'comma' | 'done';

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openArray = 0x5b;
const closeArray = 0x5d;
const openObject = 0x7b;
const closeObject = 0x7d;

const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/**
 * The elements of one JSON array, found by depth and strings alone; whether an element is valid JSON is seen when it is
 * parsed. Everything around the elements is checked here.
 */
export class JsonArrayScanner implements Scanner {
  #state: State;
  #ahead = 0;
  /** Where the element that has begun lies, from the first byte not consumed. */
  #begin = 0;
  #depth = 0;
  #isInString = false;
  #isEscaped = false;

  /** `isInside`: bytes begin behind an element, not at the beginning of the array. */
  constructor(isInside: boolean) {
    this.#state = isInside ? 'comma' : 'array';
  }

  scan(bytes: Uint8Array, from: number, spans: Spans, limit: number): void {
    let begin = from + this.#begin;
    let at = from + this.#ahead;
    while (at < bytes.length && spans.count < limit) {
      if (this.#state === 'in-nested' || this.#state === 'in-literal') {
        at = this.#state === 'in-nested' ? this.#nested(bytes, at) : literal(bytes, at);
        if (at < 0) {
          at = bytes.length;
          break;
        }
        spans.add(begin, at, at);
        this.#state = 'comma';
        continue;
      }
      const byte = bytes[at] ?? 0;
      if (isSpace(byte)) {
        at++;
      } else if (this.#state === 'array' && byte === openArray) {
        this.#state = 'first';
        at++;
      } else if (this.#state === 'comma' && byte === comma) {
        this.#state = 'element';
        at++;
      } else if ((this.#state === 'comma' || this.#state === 'first') && byte === closeArray) {
        this.#state = 'done';
        at++;
      } else if ((this.#state === 'first' || this.#state === 'element') && byte !== comma && byte !== closeArray) {
        begin = at;
        this.#depth = 0;
        const isNested = byte === quote || byte === openArray || byte === openObject;
        this.#state = isNested ? 'in-nested' : 'in-literal';
      } else if (spans.count > 0) {
        break; // What was found before it is given first; the next call stops here again.
      } else {
        throw new ScanFault(this.#expected(byte), at);
      }
    }
    const behind = spans.behind(from);
    this.#ahead = at - behind;
    this.#begin = begin - behind;
  }

  end(bytes: Uint8Array, from: number, spans: Spans): void {
    this.scan(bytes, from, spans, Number.POSITIVE_INFINITY);
    if (spans.count > 0 || this.#state === 'done') return;
    const where = this.#state === 'in-nested' || this.#state === 'in-literal' ? 'inside an element' : 'before its "]"';
    const text = this.#state === 'array' ? 'it is empty, not a JSON array' : `the JSON array ends ${where}: it is cut`;
    throw new ScanFault(text, bytes.length);
  }

  /** Behind the end of an object, array or string; -1 when it goes on behind `bytes`. */
  #nested(bytes: Uint8Array, from: number): number {
    let depth = this.#depth;
    let isInString = this.#isInString;
    let isEscaped = this.#isEscaped;
    let end = -1;
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at];
      if (isInString) {
        if (isEscaped) isEscaped = false;
        else if (byte === backslash) isEscaped = true;
        else if (byte === quote) isInString = false;
        else continue;
        if (isInString || depth > 0) continue;
      } else if (byte === quote) {
        isInString = true;
        continue;
      } else if (byte === openObject || byte === openArray) {
        depth++;
        continue;
      } else if (byte !== closeObject && byte !== closeArray) {
        continue;
      } else if (--depth > 0) {
        continue;
      }
      end = at + 1;
      break;
    }
    this.#depth = depth;
    this.#isInString = isInString;
    this.#isEscaped = isEscaped;
    return end;
  }

  #expected(byte: number): string {
    const found = byte > 0x20 && byte < 0x7f ? `"${String.fromCharCode(byte)}"` : `byte 0x${byte.toString(16)}`;
    if (this.#state === 'array') return `expected "[" at the beginning of a JSON array, found ${found}`;
    if (this.#state === 'done') return `expected nothing after the "]" of the JSON array, found ${found}`;
    if (this.#state === 'comma') return `expected "," or "]" after an element of the JSON array, found ${found}`;
    return `expected an element of the JSON array, found ${found}`;
  }
}

/** Behind the end of a number, `true`, `false` or `null`; -1 when it may go on behind `bytes`. */
function literal(bytes: Uint8Array, from: number): number {
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (isSpace(byte) || byte === comma || byte === closeArray) return at;
  }
  return -1;
}
