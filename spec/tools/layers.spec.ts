import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

// The layer check is run on small trees, each with one import planted that the design forbids.
const check = path.resolve(import.meta.dirname, '../../tools/layers/check.ts');

/** A tree that keeps to every rule; `lib/index.ts` holds the type import that the check wants to see. */
const sound = {
  'package.json': '{ "name": "tree", "type": "module", "dependencies": { "ioredis": "*", "kafkajs": "*" } }',
  'lib/index.ts': "import type { Name } from './name.ts';\nexport const index: Name = 'index';",
  'lib/name.ts': 'export type Name = string;',
  'lib/testing/index.ts': "export { index } from '../index.ts';",
  'operators/map.ts': "export { index } from '../lib/index.ts';",
  'connectors/kafka/client.ts': "import 'kafkajs';\nexport { index } from '../../lib/index.ts';",
  'connectors/redis/client.ts': "import 'ioredis';",
  'cli/main.ts': "import '../lib/index.ts';",
  'eslint/index.ts': "import type { Name } from '../lib/name.ts';\nexport const rule: Name = 'rule';",
};

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'tidemark-layers-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test('passes a tree that keeps to the rules', async () => {
  expect(await checked(sound)).toEqual({ code: 0, said: 'Layers: 0 violations in 8 modules with 8 imports.\n' });
});

/** Rule, offender, and what the offender holds. */
const planted = [
  ['lib-knows-nobody', 'lib/up.ts', "import type { index } from '../operators/map.ts';\nexport type I = typeof index;"],
  ['lib-through-its-index', 'operators/past-the-index.ts', "export type { Name } from '../lib/name.ts';"],
  ['operators-know-no-connector', 'operators/aside.ts', "import '../connectors/redis/client.ts';"],
  ['connectors-know-no-operator', 'connectors/redis/aside.ts', "import '../../operators/map.ts';"],
  ['connectors-know-only-themselves', 'connectors/redis/neighbour.ts', "import '../kafka/client.ts';"],
  ['kafkajs-only-in-connectors-kafka', 'lib/kafka.ts', "export type K = import('kafkajs').Kafka;"],
  ['ioredis-only-in-connectors-redis', 'cli/redis.ts', "export const load = () => import('ioredis');"],
  ['wiring-only-in-composition', 'lib/wired.ts', "import { container } from 'tsyringe';\nexport { container };"],
  ['runtime-knows-no-testing', 'lib/tested.ts', "import './testing/index.ts';"],
  ['eslint-known-by-nobody', 'cli/linted.ts', "export { rule } from '../eslint/index.ts';"],
  ['eslint-loads-nothing', 'eslint/running.ts', "import '../lib/name.ts';"],
  ['no-cycles', 'lib/ring.ts', "import './ring.ts';"],
  ['no-cycles', 'lib/egg.ts', "import './hen.ts';"], // the hen is not named a second time
  ['resolvable', 'cli/lost.ts', "import './nowhere.ts';"],
] as const;

test('names every planted offender, each with the rule that it breaks, and nothing else', async () => {
  const offenders = Object.fromEntries(planted.map(([, file, text]) => [file, text]));
  const { code, said } = await checked({ ...sound, ...offenders, 'lib/hen.ts': "import './egg.ts';" });
  const named = [...said.matchAll(/^(\S+): (\S+) ->/gm)].map(([, rule, file]) => `${rule}: ${file}`);
  expect(named.sort()).toEqual(planted.map(([rule, file]) => `${rule}: ${file}`).sort());
  expect(code).toBe(1);
});

test('allows modules that know each other only as types', async () => {
  const cycle = {
    'lib/a.ts': "import type { B } from './b.ts';\nexport type A = B;",
    'lib/b.ts': "import './a.ts';\nexport type B = 1;",
  };
  expect(await checked({ ...sound, ...cycle })).toMatchObject({ code: 0 });
});

test('is no check where there is nothing to check', async () => {
  const { code, said } = await checked({ 'package.json': '{}', 'lib/index.js': 'export {};' });
  expect(said).toContain('nothing-checked: ');
  expect(code).toBe(1);
});

async function checked(
  files: Record<string, string>,
): Promise<{ readonly code: number | null; readonly said: string }> {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(root, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return new Promise(resolve => {
    const child = execFile(process.execPath, [check, root], { timeout: 15_000 }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode, said: stderr + stdout }),
    );
  });
}
