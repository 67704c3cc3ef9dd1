export type { StandardSchema } from '../../lib/index.ts';
export { FileError, OutputChangedError } from './errors.ts';
export type { CsvSourceOptions, FileSinkOptions, FileSourceOptions, LineSourceOptions } from './options.ts';
export { fileSink } from './sink.ts';
export { fileStore } from './snapshot-store.ts';
export { csv, jsonArray, jsonLines, text } from './source.ts';
