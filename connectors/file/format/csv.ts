import { type Options, parse } from 'csv-parse/sync';
import { CsvScanner } from '../scan/csv-scanner.ts';
import { ScanFault, type Spans } from '../scan/scanner.ts';
import { type Decoder, type Format, notARecord } from './format.ts';

export interface CsvShape {
  /** One ASCII character. */
  readonly delimiter: string;
  /** One ASCII character; `false` when fields are never quoted. */
  readonly quote: string | false;
  /** `true`: the first row names the columns. A list names them. `false`: a row is an array of strings. */
  readonly header: boolean | readonly string[];
}

/** One record a row: an object of strings by column, or an array of strings. Blank rows are passed over. */
export function csvFormat(shape: CsvShape): Format {
  const marks = {
    delimiter: shape.delimiter.charCodeAt(0),
    quote: shape.quote === false ? undefined : shape.quote.charCodeAt(0),
  };
  return {
    name: 'csv',
    unit: 'row',
    isByLine: true,
    scanner: () => new CsvScanner(marks),
    decoder: () => new CsvDecoder(shape),
  };
}

class CsvDecoder implements Decoder {
  needsHeader: boolean;
  #options: Options;

  constructor({ delimiter, quote, header }: CsvShape) {
    this.needsHeader = header === true;
    this.#options = {
      delimiter,
      quote: quote === false ? null : quote,
      escape: quote === false ? null : quote,
      record_delimiter: ['\r\n', '\n'],
      skip_empty_lines: true,
      max_record_size: 0,
      columns: Array.isArray(header) ? [...header] : false,
    };
  }

  one(bytes: Buffer, begin: number, end: number): unknown {
    if (begin === end) return notARecord;
    const rows = parse(bytes.subarray(begin, end), this.#options);
    if (rows.length !== 1) throw new Error(`it has ${rows.length} rows`);
    if (!this.needsHeader) return rows[0];
    this.#readHeader(rows[0] as readonly string[], begin);
    return notARecord;
  }

  many(bytes: Buffer, spans: Spans): readonly unknown[] | undefined {
    if (this.needsHeader || spans.count === 0) return undefined;
    const rows = this.#parseAll(bytes.subarray(spans.beginOf(0), spans.endOf(spans.count - 1)));
    const values: unknown[] = [];
    let row = 0;
    for (let index = 0; index < spans.count; index++) {
      values.push(spans.beginOf(index) === spans.endOf(index) ? notARecord : rows?.[row++]);
    }
    // The library and the scanner must agree on every row; when they do not, the rows are looked at one by one.
    return row === rows?.length ? values : undefined;
  }

  #parseAll(bytes: Buffer): unknown[] | undefined {
    try {
      return parse(bytes, this.#options);
    } catch {
      return undefined;
    }
  }

  #readHeader(names: readonly string[], begin: number): void {
    const bad = names.find((name, index) => name === '' || name === '__proto__' || names.indexOf(name) !== index);
    if (bad !== undefined) {
      const text = bad === '' || bad === '__proto__' ? `a column is named "${bad}"` : `two columns are named "${bad}"`;
      throw new ScanFault(`in the header row ${text}: name every column once, or give the names in "header"`, begin);
    }
    this.#options = { ...this.#options, columns: [...names] };
    this.needsHeader = false;
  }
}
