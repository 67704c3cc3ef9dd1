import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import type { Source } from '../../lib/index.ts';
import { explain, FileError, reasonOf } from './errors.ts';
import { csvFormat } from './format/csv.ts';
import type { Format } from './format/format.ts';
import { jsonArrayFormat } from './format/json-array.ts';
import { jsonLinesFormat } from './format/json-lines.ts';
import { textFormat } from './format/text.ts';
import {
  type CsvSourceOptions,
  type FileSourceOptions,
  type LineSourceOptions,
  type SourceSettings,
  sourceSettings,
} from './options.ts';
import { openReader, type Pace } from './reader.ts';

/** Reads the elements of JSON arrays, one array a file; replayable. An empty file is not an array, and is refused. */
export function jsonArray<T>(options: FileSourceOptions<T>): Source<T> {
  return fileSource(jsonArrayFormat, sourceSettings('json-array', options));
}

/** Reads one JSON value a line (NDJSON, JSON Lines); blank lines are passed over; replayable. */
export function jsonLines<T>(options: LineSourceOptions<T>): Source<T> {
  return fileSource(jsonLinesFormat, sourceSettings('json-lines', options));
}

/** Reads CSV (RFC 4180): an object of strings by column name, or arrays of strings with `header: false`; replayable. */
export function csv<T = Record<string, string>>(options: CsvSourceOptions<T>): Source<T> {
  const settings = sourceSettings('csv', options);
  return fileSource(csvFormat(settings), settings);
}

/** Reads one string a line, without its line end; replayable. */
export function text(options: LineSourceOptions<string>): Source<string> {
  return fileSource(textFormat, sourceSettings('text', options));
}

/** A source over any format; specs give it a pace that puts the ends of reads and batches everywhere. */
export function fileSource<T>(format: Format, settings: SourceSettings, pace?: Pace): Source<T> {
  return {
    kind: 'file',
    name: settings.name,
    bounded: !settings.follow,
    embedded: true,
    check: () => verifyReadable(settings.paths, settings.name),
    async open(position, context) {
      await verifyReadable(settings.paths, settings.name);
      return openReader<T>(format, settings, position, context, pace);
    },
  };
}

/** Throws a `FileError` that names every file that cannot be read. */
async function verifyReadable(paths: readonly string[], source: string): Promise<void> {
  const errors: { path: string; error: unknown }[] = [];
  for (const path of paths) {
    try {
      await access(path, constants.R_OK);
      if ((await stat(path)).isDirectory()) throw Object.assign(new Error('it is a directory'), { code: 'EISDIR' });
    } catch (error) {
      errors.push({ path, error });
    }
  }
  const [first] = errors;
  if (!first) return;
  const lines = errors.map(({ path, error }) => `Cannot read "${path}": ${explain(error)}`);
  throw new FileError(lines.join('\n'), reasonOf(first.error), { cause: first.error, context: { source } });
}
