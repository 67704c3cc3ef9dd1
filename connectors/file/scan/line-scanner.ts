import type { Scanner, Spans } from './scanner.ts';

const lineFeed = 10;
const carriageReturn = 13;

/** One record a line, ended by LF or CRLF; the last one may lack its line end. */
export class LineScanner implements Scanner {
  #ahead = 0;

  scan(bytes: Uint8Array, from: number, spans: Spans, limit: number): void {
    let begin = from;
    let at = from + this.#ahead;
    while (spans.count < limit) {
      const lineEnd = bytes.indexOf(lineFeed, at);
      if (lineEnd < 0) {
        this.#ahead = bytes.length - begin;
        return;
      }
      spans.add(begin, withoutReturn(bytes, begin, lineEnd), lineEnd + 1);
      begin = at = lineEnd + 1;
    }
    this.#ahead = 0;
  }

  end(bytes: Uint8Array, from: number, spans: Spans): void {
    if (bytes.length > from) spans.add(from, withoutReturn(bytes, from, bytes.length), bytes.length);
    this.#ahead = 0;
  }
}

/** The end of a line's text: a CR before the line end belongs to the line end. */
export function withoutReturn(bytes: Uint8Array, begin: number, end: number): number {
  return end > begin && bytes[end - 1] === carriageReturn ? end - 1 : end;
}
