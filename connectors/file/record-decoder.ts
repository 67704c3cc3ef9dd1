import { isUtf8 } from 'node:buffer';
import { BadRecordError, JobDefinitionError, messageOf, type StandardSchema, validated } from '../../lib/index.ts';
import { type Decoder, type Format, notARecord } from './format/format.ts';
import { ScanFault, type Spans } from './scan/scanner.ts';

export interface RecordRules<T> {
  readonly schema: StandardSchema<unknown, T> | undefined;
  readonly timestamp: ((value: T) => number | undefined) | undefined;
  readonly onBadRecord: 'fail' | 'skip';
  readonly maxRecordBytes: number;
}

/** Where the bytes of a batch are, for what errors say. */
export interface Place {
  readonly path: string;
  /** Records of the file before the batch. */
  readonly records: number;
  /** Byte of the file at an index of the bytes. */
  offsetOf(index: number): number;
}

export interface Batch<T> {
  readonly values: T[];
  readonly timestamps: number[] | undefined;
}

/** Makes batches of values from the records that a scanner found in one file. */
export class RecordDecoder<T> {
  readonly #format: Format;
  readonly #decoder: Decoder;
  readonly #rules: RecordRules<T>;
  readonly #skipped: (error: BadRecordError) => void;

  constructor(format: Format, rules: RecordRules<T>, skipped: (error: BadRecordError) => void) {
    this.#format = format;
    this.#decoder = format.decoder();
    this.#rules = rules;
    this.#skipped = skipped;
  }

  /** Whether it must see the file's first record before any other. */
  get needsHeader(): boolean {
    return this.#decoder.needsHeader;
  }

  /** The values of all spans; a bad one is left out, or thrown as `BadRecordError` that says where it is. */
  decode(bytes: Buffer, spans: Spans, place: Place): Batch<T> {
    const values: T[] = [];
    const timestamps: number[] | undefined = this.#rules.timestamp && [];
    const areUtf8 = isUtf8(bytes.subarray(spans.beginOf(0), spans.endOf(spans.count - 1)));
    const fits = this.#fit(spans);
    const all = areUtf8 && fits ? this.#decoder.many?.(bytes, spans) : undefined;
    for (let index = 0; index < spans.count; index++) {
      const begin = spans.beginOf(index);
      const end = spans.endOf(index);
      try {
        if (!fits) this.#verifySize(end - begin);
        if (!areUtf8 && !isUtf8(bytes.subarray(begin, end))) throw new Error('it is not UTF-8');
        let value = all ? all[index] : this.#decoder.one(bytes, begin, end);
        if (value === notARecord) continue;
        if (this.#rules.schema) value = validated(this.#rules.schema, value);
        timestamps?.push(this.#timestamp(value as T));
        values.push(value as T);
      } catch (error) {
        if (error instanceof JobDefinitionError) throw error;
        const bad = this.#badRecord(error, bytes.subarray(begin, end), place.records + index, begin, place);
        if (this.#rules.onBadRecord === 'fail' || error instanceof ScanFault) throw bad;
        this.#skipped(bad);
      }
    }
    return { values, timestamps };
  }

  /** A `BadRecordError` about the whole file, which no policy skips. */
  fault(fault: ScanFault, bytes: Buffer, place: Place): BadRecordError {
    const near = preview(bytes.subarray(Math.max(0, fault.at - 20), fault.at + 20));
    const byte = place.offsetOf(fault.at);
    return new BadRecordError(
      `"${place.path}" is not what its source was told (${this.#format.name}): after ${place.records} records, at byte ` +
        `${byte}, ${fault.message}. Near it: ${near}. Mend the file, or give the format that it has.`,
      { cause: fault, context: { path: place.path, record: place.records, byte } },
    );
  }

  /** The record that begins at `begin` has more bytes than one may have. */
  tooLong(bytes: Buffer, begin: number, place: Place): BadRecordError {
    return this.#badRecord(this.#sizeFault(begin), bytes.subarray(begin), place.records, begin, place);
  }

  #fit(spans: Spans): boolean {
    for (let index = 0; index < spans.count; index++) {
      if (spans.endOf(index) - spans.beginOf(index) > this.#rules.maxRecordBytes) return false;
    }
    return true;
  }

  #verifySize(bytes: number): void {
    if (bytes > this.#rules.maxRecordBytes) throw this.#sizeFault(0);
  }

  #sizeFault(at: number): ScanFault {
    return new ScanFault(
      `it is longer than maxRecordBytes (${this.#rules.maxRecordBytes}); raise that if it is meant`,
      at,
    );
  }

  #timestamp(value: T): number {
    const time: unknown = this.#rules.timestamp?.(value);
    if (time === undefined) return Number.NaN;
    if (typeof time === 'number' && Number.isFinite(time)) return time;
    throw new Error(`its timestamp is ${String(time)}, not a number of milliseconds`);
  }

  #badRecord(error: unknown, text: Uint8Array, record: number, begin: number, place: Place): BadRecordError {
    const byte = place.offsetOf(begin);
    const unit = this.#format.unit;
    const skip = error instanceof ScanFault ? '' : `, or skip such records with onBadRecord: 'skip'`;
    return new BadRecordError(
      `${unit[0]?.toUpperCase()}${unit.slice(1)} ${record + 1} of "${place.path}" (byte ${byte}) cannot be read: ` +
        `${messageOf(error)}. It begins: ${preview(text)}. Mend the ${unit}${skip}.`,
      { cause: error, context: { path: place.path, record: record + 1, byte } },
    );
  }
}

/** The beginning of a record, readable on one line. */
function preview(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.subarray(0, 80)).toString('utf8');
  return JSON.stringify(text) + (bytes.length > 80 ? '…' : '');
}
