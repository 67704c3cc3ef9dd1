import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import {
  type Duration,
  SettingsError,
  type StandardSchema,
  settingsFields,
  settingsProblems,
} from '../../lib/index.ts';

const { choice, duration, flag, functionOf, section, wholeNumber } = settingsFields;

/** What all file sources take. */
export interface FileSourceOptions<T> {
  /** The file, or several that are read in this order. */
  readonly path: string | URL | readonly (string | URL)[];
  /** Ties the position to the source; default `file:` and the names of the files, without their folders. */
  readonly name?: string;
  /** Whether the files are gzip; default: those whose name ends in `.gz`. */
  readonly gzip?: boolean;
  /** The event time of a record, ms since 1970; `undefined` for a record that has none. Default: no record has one. */
  readonly timestamp?: (value: T) => number | undefined;
  /** Validates each record, and may change it: any synchronous Standard Schema, such as zod's. */
  readonly schema?: StandardSchema<unknown, T>;
  /** What happens to a record that cannot be read; default `fail`. Skipped ones are logged. */
  readonly onBadRecord?: 'fail' | 'skip';
  /** The most bytes that one record may have; default 16 MiB. */
  readonly maxRecordBytes?: number;
}

/** What sources take whose records end with their line. */
export interface LineSourceOptions<T> extends FileSourceOptions<T> {
  /** Whether to wait at the end of the last file for what is appended to it; default `false`. */
  readonly follow?: boolean;
  /** How often to look whether a followed file has grown; default `250ms`. */
  readonly pollInterval?: Duration;
}

export interface CsvSourceOptions<T> extends LineSourceOptions<T> {
  /** `true` (default): the first row of each file names its columns. A list names them. `false`: records are arrays. */
  readonly header?: boolean | readonly string[];
  /** One ASCII character; default `,`. */
  readonly delimiter?: string;
  /** One ASCII character; default `"`; `false` when fields are never quoted. */
  readonly quote?: string | false;
}

/** What a file sink takes. */
export interface FileSinkOptions<T> {
  /** The visible file; its folder is made when it is missing. `{task}` in it stands for the name of the task. */
  readonly path: string | URL;
  /** `jsonl` (default): one JSON value a line. `text`: one string a line. `csv`: a header row, then one row a record. */
  readonly format?: 'jsonl' | 'text' | 'csv';
  /** The columns of `csv`, in order: names of the record's fields. */
  readonly columns?: readonly (keyof T & string)[];
  /** The text of a record, without line end; instead of what `format` does. */
  readonly serialize?: (value: T) => string;
  /** Default `exactly-once`. */
  readonly guarantee?: 'exactly-once' | 'at-least-once' | 'none';
  /** Ties the output to the sink; default `file:` and the name of the file. */
  readonly name?: string;
  /**
   * `refuse` (default): a job without a checkpoint does not start over a file that another wrote, and a job with one not
   * over bytes that others appended. `truncate`: they are dropped.
   */
  readonly existing?: 'refuse' | 'truncate';
  /** The most bytes that wait in memory to be written; default 16 MiB. */
  readonly maxBufferedBytes?: number;
}

const mebibyte = 1024 * 1024;
const pathText = 'a path (a text that is not empty) or a file: URL';

const path = z
  .custom<string | URL>(
    given => (typeof given === 'string' && isPath(given)) || (given instanceof URL && given.protocol === 'file:'),
    { error: pathText },
  )
  .transform(given => (typeof given === 'string' ? given : fileURLToPath(given)));

const paths = z.union([path.transform(one => [one]), z.array(path, { error: pathText }).min(1, { error: pathText })], {
  error: `${pathText}, or a list of them`,
});

const sourceName = z
  .string({ error: 'a name that is not empty' })
  .min(1, { error: 'a name that is not empty' })
  .max(300, { error: 'a name of at most 300 characters: several files need a short "name" of their own' });

const asciiCharacter = z.custom<string>(given => typeof given === 'string' && isAscii(given), {
  error: 'one ASCII character that is no line end',
});

const schema = z.custom<StandardSchema<unknown>>(
  given => typeof (given as StandardSchema<unknown> | undefined)?.['~standard']?.validate === 'function',
  { error: 'a Standard Schema, such as one made with zod' },
);

const sourceFields = {
  path: paths,
  name: sourceName.optional(),
  gzip: flag().optional(),
  timestamp: functionOf<(value: unknown) => number | undefined>(
    'a function from a record to milliseconds since 1970',
  ).optional(),
  schema: schema.optional(),
  onBadRecord: choice('fail', 'skip').default('fail'),
  maxRecordBytes: wholeNumber(1)
    .max(512 * mebibyte, { error: 'a whole number of at most 536870912 (512 MiB)' })
    .default(16 * mebibyte),
};

const lineFields = {
  follow: flag().default(false),
  pollInterval: duration().prefault('250ms'),
};

const columnList = z
  .array(z.string({ error: 'the name of a column' }).min(1, { error: 'the name of a column' }))
  .min(1, {
    error: 'at least one name of a column',
  });

const csvFields = {
  header: z.union([z.boolean(), columnList], { error: 'true, false or the names of the columns' }).default(true),
  delimiter: asciiCharacter.default(','),
  quote: z.union([z.literal(false), asciiCharacter], { error: 'one ASCII character, or false' }).default('"'),
};

const sourceSchemas = {
  'json-array': section(sourceFields),
  'json-lines': section({ ...sourceFields, ...lineFields }),
  text: section({ ...sourceFields, ...lineFields }),
  csv: section({ ...sourceFields, ...lineFields, ...csvFields }),
};

const sinkSchema = section({
  path,
  format: choice('jsonl', 'text', 'csv').default('jsonl'),
  columns: columnList.optional(),
  serialize: functionOf<(value: unknown) => string>('a function from a record to its text').optional(),
  guarantee: choice('exactly-once', 'at-least-once', 'none').default('exactly-once'),
  name: sourceName.optional(),
  existing: choice('refuse', 'truncate').default('refuse'),
  maxBufferedBytes: wholeNumber(1024).default(16 * mebibyte),
});

/** Options of a source, checked, with every default filled in. */
export interface SourceSettings {
  readonly paths: readonly string[];
  readonly name: string;
  readonly isGzip: (path: string) => boolean;
  readonly timestamp: ((value: unknown) => number | undefined) | undefined;
  readonly schema: StandardSchema<unknown> | undefined;
  readonly onBadRecord: 'fail' | 'skip';
  readonly maxRecordBytes: number;
  readonly follow: boolean;
  /** ms. */
  readonly pollInterval: number;
  readonly header: boolean | readonly string[];
  readonly delimiter: string;
  readonly quote: string | false;
}

/** Options of a sink, checked, with every default filled in. */
export type SinkSettings = Readonly<z.output<typeof sinkSchema>> & { readonly name: string };

/** Checks the options of a source; a `SettingsError` names every problem. */
export function sourceSettings(format: keyof typeof sourceSchemas, options: unknown): SourceSettings {
  const parsed = parse(sourceSchemas[format] as z.ZodType<Record<string, unknown>>, options, `The ${format} source`);
  const settings = { ...lineDefaults, ...parsed } as unknown as SourceSettings & { path: string[]; gzip?: boolean };
  const name = settings.name ?? `file:${settings.path.map(one => basename(one)).join(',')}`;
  const isGzip = (one: string) => settings.gzip ?? one.endsWith('.gz');
  const problems: string[] = [];
  const repeated = settings.path.find((one, index) => settings.path.indexOf(one) !== index);
  if (repeated !== undefined) problems.push(`path: "${repeated}" is named twice`);
  const last = settings.path.at(-1) ?? '';
  if (settings.follow && isGzip(last))
    problems.push(`follow: "${last}" is compressed, and only plain files are followed`);
  if (settings.delimiter === settings.quote) problems.push('quote: it is the same character as delimiter');
  if (name.length > 300) problems.push('name: the default is longer than 300 characters; give a short name');
  if (problems.length > 0) throw new SettingsError(`The options of the ${format} source are not right`, problems);
  return { ...settings, paths: settings.path, name, isGzip };
}

/** Checks the options of a sink; a `SettingsError` names every problem. */
export function sinkSettings(options: unknown): SinkSettings {
  const settings = parse(sinkSchema, options, 'The file sink');
  const problems: string[] = [];
  if (settings.format === 'csv' && !settings.columns)
    problems.push('columns: format "csv" needs the names of its columns');
  if (settings.format !== 'csv' && settings.columns) problems.push('columns: only format "csv" has columns');
  if (settings.format === 'csv' && settings.serialize) problems.push('serialize: format "csv" makes its rows itself');
  if (problems.length > 0) throw new SettingsError('The options of the file sink are not right', problems);
  return { ...settings, name: settings.name ?? `file:${basename(settings.path)}` };
}

const lineDefaults = { follow: false, pollInterval: 250, header: false, delimiter: ',', quote: '"' };

function isAscii(given: string): boolean {
  return given.length === 1 && given.charCodeAt(0) < 0x80 && given !== '\n' && given !== '\r' && given !== '\0';
}

function isPath(given: string): boolean {
  return given !== '' && !given.includes('\0');
}

function parse<T>(checked: z.ZodType<T>, options: unknown, what: string): T {
  const result = checked.safeParse(options, { reportInput: true });
  if (result.success) return result.data;
  throw new SettingsError(
    `The options of ${what.replace(/^T/, 't')} are not right`,
    settingsProblems(result.error.issues),
  );
}
