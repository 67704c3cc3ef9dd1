import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'vitest';
import type { QueryName } from '../../../samples/nexmark/queries/index.ts';
import { difference } from './flight-delays.ts';
import { goldenLines, isOrdered, surplus } from './nexmark.ts';
import type { Answer } from './side-by-side.ts';

/** The answer of a query in a file, which somebody reads all the time: what was seen stays, and belongs to the golden lines. */
export class AnswerFile implements Answer {
  readonly job: string;
  readonly params: Readonly<Record<string, string>>;
  readonly problems: string[] = [];
  private readonly file: string;
  private readonly golden: readonly string[];
  private readonly inOrder: Buffer | undefined;
  private seen = Buffer.alloc(0);

  /** `hasOneSource`: the order of the lines is that of the golden ones, if the query promises any. */
  constructor(query: QueryName, job: string, folder: string, hasOneSource: boolean) {
    this.job = job;
    this.params = { query, out: folder };
    this.file = path.join(folder, `${query}.jsonl`);
    this.golden = goldenLines(query);
    if (hasOneSource && isOrdered(query)) this.inOrder = Buffer.from(this.golden.map(line => `${line}\n`).join(''));
  }

  async look(): Promise<void> {
    const found = await readFile(this.file).catch(() => Buffer.alloc(0));
    const changed = difference(found.subarray(0, this.seen.length), this.seen);
    if (changed !== undefined) this.problems.push(`what was there has changed: ${changed}`);
    this.seen = found;
    if (this.inOrder) {
      const other = difference(found, this.inOrder.subarray(0, found.length));
      if (other !== undefined) this.problems.push(other);
    } else this.problems.push(...surplus(this.lines, this.golden));
  }

  async verify(): Promise<void> {
    await this.look();
    expect(this.problems, this.file).toEqual([]);
    expect(this.lines.length, this.file).toBe(this.golden.length);
  }

  get lines(): string[] {
    // Without one that is torn.
    return this.seen.toString().split('\n').slice(0, -1);
  }
}
