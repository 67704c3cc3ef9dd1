import { messageOf, UserCodeError } from '../../../lib/index.ts';
import type { SinkSettings } from '../options.ts';

/** How records become lines. */
export interface Lines {
  /** What a file begins with; empty when nothing. */
  readonly header: string;
  /** One record, its line end included. */
  line(value: unknown): string;
}

/** The lines of a sink's format; a record that cannot be written is a `UserCodeError`. */
export function linesOf({ format, columns = [], serialize, name }: SinkSettings): Lines {
  const text = serialize ?? (format === 'csv' ? row(columns) : format === 'text' ? plain : json);
  return {
    header: format === 'csv' ? `${columns.map(quoted).join(',')}\n` : '',
    line(value) {
      try {
        const line: unknown = text(value);
        if (typeof line === 'string') return `${line}\n`;
        throw new Error(`it became ${line === undefined ? 'undefined' : `a ${typeof line}`}, not a text`);
      } catch (error) {
        throw new UserCodeError(
          `Sink "${name}" cannot write a record as ${serialize ? 'its serialize function' : format} should: ` +
            `${messageOf(error)}. Map records to what can be written, or give "serialize".`,
          { cause: error, context: { sink: name } },
        );
      }
    },
  };
}

const json = (value: unknown): string => JSON.stringify(value);

function plain(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new Error(`it is ${value === null ? 'null' : `a ${typeof value}`}, and format "text" takes strings`);
}

function row(columns: readonly string[]): (value: unknown) => string {
  return value => columns.map(column => quoted((value as Record<string, unknown>)[column])).join(',');
}

/** A field of RFC 4180; what is not a string is written as JSON has it, and nothing for `null` and `undefined`. */
function quoted(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
