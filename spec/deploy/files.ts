import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';

export const root = path.resolve(import.meta.dirname, '../..');

export const textOf = (file: string): string => readFileSync(path.join(root, file), 'utf8');

/** The documents of a YAML file; throws what is wrong with it. */
export function documentsOf<T = Record<string, unknown>>(file: string): T[] {
  return Array.from(parseAllDocuments(textOf(file), { merge: true }), document => {
    if (document.errors[0]) throw document.errors[0];
    return document.toJS() as T;
  });
}

export interface Instruction {
  readonly name: string;
  readonly text: string;
  /** Of the exec form. */
  readonly words: readonly string[] | undefined;
}

/** What a Dockerfile says, stage by stage. */
export function stagesOf(file: string): Instruction[][] {
  const lines = textOf(file)
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter(line => line.trim() !== '' && !line.startsWith('#'));
  const stages: Instruction[][] = [];
  for (const line of lines) {
    const [, name = '', text = ''] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    if (name === '') throw new Error(`not an instruction: ${line}`);
    if (name === 'FROM' || stages.length === 0) stages.push([]);
    const array = /\[".*\]$/.exec(text)?.[0];
    stages.at(-1)?.push({ name, text, words: array === undefined ? undefined : JSON.parse(array) });
  }
  return stages;
}
