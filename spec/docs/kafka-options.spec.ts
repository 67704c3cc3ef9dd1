import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const folder = path.resolve(import.meta.dirname, '../../connectors/kafka');
const page = readFileSync(path.join(folder, 'README.md'), 'utf8');

/** The first column of the first table under a heading. */
function documented(heading: string): string[] {
  const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const table = /(?:^\|.*\n)+/m.exec(section)?.[0] ?? '';
  return [...table.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name as string);
}

/** The fields of an interface, as it stands in the source. */
function declared(file: string, name: string): string[] {
  const text = readFileSync(path.join(folder, file), 'utf8');
  const body = text.split(`export interface ${name}`)[1]?.split('\n}')[0] ?? '';
  return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, field]) => field as string);
}

describe('the tables of options of the Kafka connector', () => {
  it.each([
    ['Connection', 'options.ts', 'KafkaConnectionOptions', 6],
    ['Source', 'source/options.ts', 'KafkaSourceOptions', 19],
    ['Sink', 'sink/options.ts', 'KafkaSinkOptions', 17],
    ['Sharing tasks', 'client/member/options.ts', 'GroupOptions', 8],
  ])('name under "%s" every option that there is, and no other', (heading, file, name, least) => {
    const fields = declared(file, name);
    expect(fields.length).toBeGreaterThanOrEqual(least);
    expect(documented(heading).sort()).toEqual(fields.sort());
  });
});
