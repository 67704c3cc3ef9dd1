import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import * as operators from '../../operators/index.ts';

const root = path.resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');

/** What `operators/index.ts` exports beside types, with the file that each comes from. */
const exported = [...read('operators/index.ts').matchAll(/^export \{ ([^}]*?) \} from '\.\/([^']*)\.ts';$/gms)].flatMap(
  ([, names, file]) =>
    (names as string)
      .split(/,\s*/)
      .filter(name => name !== '' && !name.startsWith('type '))
      .map(name => [name, file as string] as const),
);

/** What the spec of each operator has, by words in its titles. */
const needed = {
  'a barrier': /barrier|checkpoint/,
  'a restore': /crash|restor|restart/,
  'an empty input': /empty/,
  'an error': /error|fails/,
  completion: /complete|ends with|finishes|end of/,
  unsubscription: /unsubscribe/,
};

/** The titles of a spec, with those that it shares with others. */
function titles(file: string): string[] {
  const spec = read(file);
  const shared = /^ {2}itEnds\(/m.test(spec) ? read('spec/operators/ends.ts') : '';
  const title = /(?:\b(?:it|test|describe)|\]\))\(\s*(['"`])(.*?)\1/gs;
  return [...(spec + shared).matchAll(title)].map(([, , text]) => text as string);
}

/** The doc comment of an exported function, without its asterisks; the last one where it has overloads. */
function docOf(source: string, name: string): string {
  const end = source.search(new RegExp(`^export (function|const) ${name}\\b`, 'm'));
  const comment = /\/\*\*((?:(?!\*\/).)*)\*\/\s*$/s.exec(source.slice(0, Math.max(0, end)))?.[1] ?? '';
  return comment
    .split('\n')
    .map(line => line.replace(/^\s*\* ?/, ''))
    .join('\n')
    .trim();
}

/** The lines of a marble diagram: a name, then the marbles. */
const diagramOf = (doc: string): [name: string, marbles: string][] =>
  [...doc.matchAll(/^ {4}(\w+) {1,}(-\S*)/gm)].map(([, name, marbles]) => [name as string, marbles as string]);

describe('the operators', () => {
  it('are found here, each in a file of its own that is named after it', () => {
    // Beside operators there is what they are given.
    const { aggregates: _, watermarks: __, evictors: ___, ...others } = operators;
    expect(exported.map(([name]) => name).sort()).toEqual(Object.keys(others).sort());
    const kebab = (name: string) => name.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);
    expect(exported.filter(([name, file]) => file !== kebab(name))).toEqual([]);
  });

  describe.each(exported)('%s', (name, file) => {
    const doc = docOf(read(`operators/${file}.ts`), name);

    it('has a spec of its own', () => {
      expect(existsSync(path.join(root, `spec/operators/${file}.spec.ts`))).toBe(true);
    });

    it.each(Object.entries(needed))('has a spec of %s', (_what, words) => {
      expect(titles(`spec/operators/${file}.spec.ts`).filter(title => words.test(title))).not.toEqual([]);
    });

    it('says in one sentence what it does', () => {
      expect(doc.split('\n\n')[0]).toMatch(/^[A-Z].*[^.]\.$/s);
    });

    it('shows in a marble diagram what goes in and what comes out, one below the other', () => {
      const lines = diagramOf(doc);
      expect(lines.length).toBeGreaterThanOrEqual(2);
      expect(lines.at(-1)?.[0]).toBe('out');
      const columns = doc.split('\n').flatMap(line => (/^ {4}\w+ +-/.test(line) ? [line.indexOf('-')] : []));
      expect(new Set(columns).size).toBe(1);
    });

    it.each(['Emits when', 'State:', 'Fails when'])('says: %s', words => {
      expect(doc).toContain(words);
    });
  });
});
