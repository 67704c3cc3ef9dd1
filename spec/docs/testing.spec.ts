import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import path from 'node:path';
import * as rxjs from 'rxjs';
import { describe, expect, it } from 'vitest';
import * as memory from '../../connectors/memory/index.ts';
import * as tidemark from '../../lib/index.ts';
import * as testing from '../../lib/testing/index.ts';
import * as operators from '../../operators/index.ts';

const modules: Readonly<Record<string, object>> = {
  tidemark,
  'tidemark/operators': operators,
  'tidemark/testing': testing,
  'tidemark/connectors/memory': memory,
  rxjs,
  vitest: { expect },
};
const page = readFileSync(path.resolve(import.meta.dirname, '../../docs/testing.md'), 'utf8');

/** The TypeScript examples of the page, each under the heading above it. */
function examples(markdown: string): [heading: string, code: string][] {
  const found: [string, string][] = [];
  let heading = '';
  for (const [, title, code] of markdown.matchAll(/^#+ ([^\n]*)$|^```ts\n(.*?)^```$/gms)) {
    if (title !== undefined) heading = title;
    else found.push([`${heading} ${found.length + 1}`, code as string]);
  }
  return found;
}

/** Runs an example with what it imports. */
async function run(code: string): Promise<void> {
  const names: string[] = [];
  const values: unknown[] = [];
  const body = code.replaceAll(/^import \{ (.*) \} from '(.*)';.*$/gm, (_, list: string, from: string) => {
    for (const item of list.split(', ')) {
      const [name = '', alias = name] = item.split(' as ');
      const value = (modules[from] as Record<string, unknown>)[name];
      if (value === undefined) throw new Error(`${from} exports no ${name}`);
      names.push(alias);
      values.push(value);
    }
    return '';
  });
  const AsyncFunction = (async () => {}).constructor as new (
    ...args: string[]
  ) => (...args: unknown[]) => Promise<void>;
  await new AsyncFunction(...names, stripTypeScriptTypes(body))(...values);
}

describe('docs/testing.md', () => {
  it.each(examples(page))('%s runs as it stands there', async (_, code) => {
    expect.hasAssertions();
    await run(code);
    expect(code).toMatch(/expect/);
  });

  it('has the pair of the README, and the example of a failure as it is', () => {
    const readme = readFileSync(path.resolve(import.meta.dirname, '../../README.md'), 'utf8');
    for (const marbles of ['-a-b-B-c-X-d-|', '-1-2-B-3-3-4-|', '-1-2-B-3-1-2-|']) {
      expect(page).toContain(marbles);
      expect(readme).toContain(marbles);
    }
    const failing = () =>
      testing.marbles(({ job, expectElements }) => {
        const counted = job('-a-b-B-c-|', stream => stream.pipe(operators.scan('count', (n: number) => n + 1, 0)));
        expectElements(counted).toBe('-1-2-B-4-|', { 1: 1, 2: 2, 4: 4 });
      });
    const [, shown] = /```text\n(.*?)\n```/s.exec(page) ?? [];
    expect(failing).toThrow(shown as string);
  });
});
