import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { fileStore, type JobSettings, type Manifest } from '../../../lib/index.ts';
import { type Command, type CommandOptions, tidemark } from './command.ts';

/** What the command line ended with. */
export interface Refusal {
  readonly exitCode: number;
  /** The code of the error. */
  readonly code: string;
  /** What the message says. */
  readonly says: readonly (string | RegExp)[];
}

export interface WordsOptions extends CommandOptions {
  readonly set?: Readonly<Record<string, string | number | boolean>>;
  readonly settings?: JobSettings;
  /** Further words of the command line. */
  readonly args?: readonly string[];
}

const words = ['sun', 'moon', 'star', 'sky', 'cloud', 'rain', 'wind', ''];
const count = 3_000;

/** A job that counts words (jobs/words.ts), its input, output and store: broken by specs, and mended. */
export class Words {
  readonly folder: string;
  readonly store: string;
  readonly out: string;
  readonly input: string;

  constructor(
    folder: string,
    { store = path.join(folder, 'state'), out = path.join(folder, 'out/words.jsonl') }: Partial<Words> = {},
  ) {
    this.folder = folder;
    this.store = store;
    this.out = out;
    this.input = path.join(folder, 'words.jsonl');
    mkdirSync(folder, { recursive: true });
    writeFileSync(this.input, lines().join(''));
  }

  run({ set = {}, settings, env, args = [], ...options }: WordsOptions = {}): Command {
    const parameters = { input: this.input, out: this.out, ...set };
    const sets = Object.entries(parameters).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
    const merged = settings === undefined ? {} : { WORDS_SETTINGS: JSON.stringify(settings) };
    return tidemark(
      ['run', 'spec/recovery/jobs/words.ts', '--store', this.store, '--interval', '50ms', ...sets, ...args],
      {
        ...options,
        env: { ...env, ...merged },
      },
    );
  }

  /** Runs until some checkpoints were committed, then stops it: a state to come back to. */
  async partly(options: WordsOptions = {}): Promise<void> {
    const command = this.run({ ...options, set: { rate: 2_000, ...options.set } });
    await command.says(' committed: ', 3);
    command.kill('SIGTERM');
    expect(await command.exited, command.output).toEqual({ code: 3, signal: null });
  }

  /** Runs it to be refused; nothing that was committed or visible is lost or changed by it. */
  async refused({ exitCode, code, says }: Refusal, options: WordsOptions = {}): Promise<Command> {
    const before = this.visible();
    const command = this.run(options);
    const exit = await command.exited;
    expect(exit, command.output).toEqual({ code: exitCode, signal: null });
    expect(command.output).toContain(code);
    for (const text of says) {
      if (typeof text === 'string') expect(command.output).toContain(text);
      else expect(command.output).toMatch(text);
    }
    const after = this.visible();
    expect(after.subarray(0, before.length).equals(before), 'visible output was lost').toBe(true);
    return command;
  }

  /** Runs it to the end; every line must be what a plain loop gives. */
  async finishes(options: WordsOptions = {}): Promise<Command> {
    const command = this.run(options);
    expect(await command.exited, command.output).toEqual({ code: 0, signal: null });
    this.verifyExact();
    return command;
  }

  verifyExact(): void {
    expect(this.visible().toString().split('\n')).toEqual(expectedLines());
  }

  visible(): Buffer {
    return existsSync(this.out) ? readFileSync(this.out) : Buffer.alloc(0);
  }

  /** The newest committed checkpoint of a file store. */
  async committed(): Promise<Manifest | undefined> {
    const stored = await fileStore(this.store).task({ job: 'words', task: 'main' }).manifests();
    return stored.findLast(({ confirmed }) => confirmed)?.manifest;
  }

  /** A path inside the folder of the task in a file store. */
  stored(...names: string[]): string {
    return path.join(this.store, 'words', 'main', ...names);
  }

  /** Puts `line` in the place of the line with this number, counted from 1; answers what puts it back. */
  breakLine(number: number, line: string): () => void {
    const before = readFileSync(this.input, 'utf8');
    const all = before.split('\n');
    all[number - 1] = line;
    writeFileSync(this.input, all.join('\n'));
    return () => writeFileSync(this.input, before);
  }
}

/** Lines of the input, in order. */
export function lines(): string[] {
  return Array.from({ length: count }, (_, i) => `${JSON.stringify({ word: wordAt(i) })}\n`);
}

const wordAt = (i: number): string => words[(i * i + 3 * i) % words.length] as string;

function expectedLines(): string[] {
  const counts = new Map<string, number>();
  const out = Array.from({ length: count }, (_, i) => {
    const word = wordAt(i);
    counts.set(word, (counts.get(word) ?? 0) + 1);
    return `{"word":${JSON.stringify(word)},"count":${counts.get(word)}}`;
  });
  return [...out, ''];
}
