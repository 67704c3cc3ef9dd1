import { gzipSync } from 'node:zlib';
import { csv, jsonArray, jsonLines, text } from '../../../connectors/file/index.ts';
import type { Source } from '../../../lib/index.ts';
import { sourceContract } from '../../contract/source.contract.ts';
import { Folder } from './folder.ts';

const count = 1_800;
const records = Array.from({ length: count }, (_, id) => ({ id: String(id), city: `Zürich ${id}`, note: '[{"\\' }));
const lines = records.map(record => `${JSON.stringify(record)}\n`).join('');
const half = lines.split('\n').slice(0, 900).join('\n');
const rest = lines.split('\n').slice(900).join('\n');
const rows = `id,city,note\n${records.map(({ id, city }) => `${id},"${city}","[{""\\"`).join('\n')}\n`;

function subject<T>(
  files: Record<string, string | Uint8Array>,
  declare: (paths: string[]) => Source<T>,
  expected: readonly T[],
) {
  return () => {
    const folder = new Folder();
    const paths = Object.entries(files).map(([name, content]) => folder.write(name, content));
    return { source: () => declare(paths), expected, dispose: () => folder[Symbol.dispose]() };
  };
}

sourceContract(
  'JSON lines',
  subject({ 'a.jsonl': lines }, path => jsonLines({ path }), records),
);
sourceContract(
  'JSON lines in two files, one of them gzip',
  subject({ 'a.jsonl': half, 'b.jsonl.gz': gzipSync(rest) }, path => jsonLines({ path }), records),
);
sourceContract(
  'a JSON array',
  subject({ 'a.json': JSON.stringify(records) }, path => jsonArray({ path }), records),
);
sourceContract(
  'CSV',
  subject({ 'a.csv': rows }, path => csv({ path }), records),
);
sourceContract(
  'text',
  subject(
    { 'a.txt': lines },
    path => text({ path }),
    records.map(record => JSON.stringify(record)),
  ),
);
sourceContract(
  'JSON lines that are followed',
  subject({ 'a.jsonl': lines }, path => jsonLines({ path, follow: true }), records),
);
