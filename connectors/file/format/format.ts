import type { Scanner, Spans } from '../scan/scanner.ts';

/** How a file holds its records. */
export interface Format {
  readonly name: 'json-array' | 'json-lines' | 'csv' | 'text';
  /** What people call one record. */
  readonly unit: 'element' | 'line' | 'row';
  /** Whether a record ends with its line, so that the last one may lack the line end and the file may grow. */
  readonly isByLine: boolean;
  /** A scanner for one file; `isInside`: it begins behind a record, not at the beginning of the file. */
  scanner(isInside: boolean): Scanner;
  /** A decoder for one file. */
  decoder(): Decoder;
}

/** Turns the bytes of a record into its value. What it throws says why it cannot; a `ScanFault` stands for the whole file. */
export interface Decoder {
  /** Whether it must see the first record of the file, to know what the others are. */
  readonly needsHeader: boolean;
  /** The value between `begin` and `end`, or `notARecord` for a blank line or a header. */
  one(bytes: Buffer, begin: number, end: number): unknown;
  /** The same for all spans at once, where that is faster; `undefined` when one of them is bad. */
  many?(bytes: Buffer, spans: Spans): readonly unknown[] | undefined;
}

/** Stands where a span holds no record. */
export const notARecord: unique symbol = Symbol('not a record');
