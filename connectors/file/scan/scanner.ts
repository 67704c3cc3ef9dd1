/** Where records lie in a piece of bytes; one object is used again and again, so that a record costs no allocation. */
export class Spans {
  count = 0;
  /** First byte of each record's text. */
  readonly begin: number[] = [];
  /** Behind the last byte of its text. */
  readonly end: number[] = [];
  /** Where reading goes on after it: behind its line end, if it has one. */
  readonly next: number[] = [];

  clear(): void {
    this.count = 0;
  }

  add(begin: number, end: number, next: number): void {
    this.begin[this.count] = begin;
    this.end[this.count] = end;
    this.next[this.count] = next;
    this.count++;
  }

  beginOf(index: number): number {
    return this.begin[index] ?? 0;
  }

  endOf(index: number): number {
    return this.end[index] ?? 0;
  }

  /** Where reading goes on after all of them; `from` when there is none. */
  behind(from: number): number {
    return this.count === 0 ? from : (this.next[this.count - 1] ?? from);
  }
}

/**
 * Cuts bytes into records, without reading what is in them; pure.
 *
 * `bytes` holds what was read so far, `from` is the first byte behind the records found before. A scanner remembers how far
 * behind `from` it has looked, so a record that arrives in many pieces is looked at once. All records found are consumed:
 * the next call comes with `from` = `spans.behind(from)`, at another index if the bytes were moved.
 */
export interface Scanner {
  /** Adds up to `limit` complete records. */
  scan(bytes: Uint8Array, from: number, spans: Spans, limit: number): void;
  /** Nothing comes after `bytes`: adds a last record that has no line end, or throws a `ScanFault`. */
  end(bytes: Uint8Array, from: number, spans: Spans): void;
}

/** The form of the input is broken, so that no further record can be found. */
export class ScanFault extends Error {
  /** Index of the byte in the piece that was scanned. */
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}
