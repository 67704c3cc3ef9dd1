import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
mkdirSync(path.join(root, 'out'), { recursive: true });
const folder = mkdtempSync(path.join(root, 'out/examples-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Names that examples take from the reader's own application. */
const prelude = `
import type { Job } from 'tidemark';
declare global {
  const cardTotals: Job;
  interface Alert { readonly text: string }
  const notify: (alert: Alert) => void;
}
export {};
`;

describe('examples in the documentation', () => {
  it('compile under strict TypeScript', () => {
    writeFileSync(path.join(folder, 'prelude.d.ts'), prelude);
    const pages = [
      'README.md',
      ...readdirSync(path.join(root, 'docs'))
        .filter(name => name.endsWith('.md'))
        .map(name => `docs/${name}`),
    ];
    let examples = 0;
    for (const page of pages) {
      for (const [index, block] of blocksOf(readFileSync(path.join(root, page), 'utf8')).entries()) {
        writeFileSync(path.join(folder, `${page.replaceAll('/', '-')}-${index}.ts`), `${block}\nexport {};\n`);
        examples++;
      }
    }
    expect(examples).toBeGreaterThan(2);
    const config = {
      extends: '../../tsconfig.json',
      compilerOptions: { noUnusedLocals: false },
      include: ['*.ts'],
      exclude: [],
    };
    writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify(config));
    const tsc = path.join(path.dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
    const { stdout, status } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8', timeout: 60_000 });
    expect(stdout).toBe('');
    expect(status).toBe(0);
  }, 60_000);
});

/** The TypeScript blocks of a page; one that is marked `ts ignore` is not meant to compile by itself. */
function blocksOf(markdown: string): string[] {
  return [...markdown.matchAll(/^```ts\n(.*?)^```$/gms)].map(match => match[1] as string);
}
