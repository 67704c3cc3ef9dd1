import { withoutReturn } from './line-scanner.ts';
import type { Scanner, Spans } from './scanner.ts';

const lineFeed = 10;

type State = 'field-start' | 'unquoted' | 'quoted' | 'quote-in-quoted';

export interface CsvMarks {
  /** One ASCII byte. */
  readonly delimiter: number;
  /** One ASCII byte; `undefined` when fields are never quoted. */
  readonly quote: number | undefined;
}

/** One record a row: a line end inside a quoted field belongs to the field (RFC 4180). */
export class CsvScanner implements Scanner {
  readonly #marks: CsvMarks;
  #state: State = 'field-start';
  #ahead = 0;

  constructor(marks: CsvMarks) {
    this.#marks = marks;
  }

  scan(bytes: Uint8Array, from: number, spans: Spans, limit: number): void {
    let begin = from;
    let at = from + this.#ahead;
    let quoteAt = this.#nextQuote(bytes, at);
    while (spans.count < limit) {
      let rowEnd = this.#mayJump() ? bytes.indexOf(lineFeed, at) : -1;
      if (rowEnd < 0 || quoteAt < rowEnd || !this.#mayJump()) {
        rowEnd = this.#rowEnd(bytes, at);
        if (rowEnd < 0) {
          this.#ahead = bytes.length - begin;
          return;
        }
      }
      spans.add(begin, withoutReturn(bytes, begin, rowEnd), rowEnd + 1);
      this.#state = 'field-start';
      begin = at = rowEnd + 1;
      if (quoteAt < at) quoteAt = this.#nextQuote(bytes, at);
    }
    this.#ahead = 0;
  }

  end(bytes: Uint8Array, from: number, spans: Spans): void {
    if (bytes.length > from) spans.add(from, withoutReturn(bytes, from, bytes.length), bytes.length);
    this.#ahead = 0;
    this.#state = 'field-start';
  }

  /** Whether the next line end is the row's end unless a quote comes before it. */
  #mayJump(): boolean {
    return this.#state === 'field-start' || this.#state === 'unquoted';
  }

  #nextQuote(bytes: Uint8Array, at: number): number {
    const found = this.#marks.quote === undefined ? -1 : bytes.indexOf(this.#marks.quote, at);
    return found < 0 ? Number.POSITIVE_INFINITY : found;
  }

  /** Walks on from `at` byte by byte; -1 when the row goes on behind `bytes`. */
  #rowEnd(bytes: Uint8Array, at: number): number {
    const { delimiter, quote } = this.#marks;
    let state = this.#state;
    for (let index = at; index < bytes.length; index++) {
      const byte = bytes[index];
      if (state === 'quoted') {
        if (byte === quote) state = 'quote-in-quoted';
      } else if (byte === lineFeed) {
        return index;
      } else if (byte === delimiter) {
        state = 'field-start';
      } else if (byte === quote && state !== 'unquoted') {
        state = 'quoted';
      } else {
        state = 'unquoted';
      }
    }
    this.#state = state;
    return -1;
  }
}
