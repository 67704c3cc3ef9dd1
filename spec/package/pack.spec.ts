import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

// What a user gets: the package is packed, installed in a project of its own, and used there. The two programs of that
// project are spec/package/consumer/use.mjs and strict.ts.
const root = path.resolve(import.meta.dirname, '../..');
const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

let folder: string;
let project: string;
let packed: readonly string[];

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'tidemark-package-'));
  project = path.join(folder, 'project');
  await run(root, process.execPath, ['tools/build.mjs']);
  const answer = await run(root, 'npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]);
  const { filename, files } = firstOf(JSON.parse(answer));
  packed = files.map(file => file.path);

  cpSync(path.join(import.meta.dirname, 'consumer'), project, { recursive: true });
  writeFileSync(path.join(project, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }');
  const rxjs = `rxjs@${JSON.parse(readFileSync(path.join(root, 'node_modules/rxjs/package.json'), 'utf8')).version}`;
  const quiet = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund'];
  await run(project, 'npm', ['install', ...quiet, path.join(folder, filename), rxjs]);
  for (const types of ['@types/node', 'undici-types']) {
    cpSync(path.join(root, 'node_modules', types), path.join(project, 'node_modules', types), { recursive: true });
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the tarball', () => {
  test('holds the compiled package, what a reader needs, and nothing else', () => {
    const expected =
      /^(package\.json|README\.md|CHANGELOG\.md|LICENSE|dist\/(lib|operators|connectors|cli|eslint)\/.*\.(js|d\.ts))$/;
    expect(
      packed.filter(file => !expected.test(file) || /(^|[/.])(spec|samples?|tools|bench)([/.]|$)/.test(file)),
    ).toEqual([]);
    expect(packed).toEqual(
      expect.arrayContaining(['LICENSE', 'CHANGELOG.md', 'dist/cli/main.js', 'dist/lib/index.js']),
    );
  });

  test('holds every file that package.json promises', () => {
    const promised = [...targetsOf(manifest.exports), ...Object.values<string>(manifest.bin)]
      .filter(target => !target.includes('*'))
      .map(target => target.replace(/^\.\//, ''));
    expect(promised.filter(target => !packed.includes(target))).toEqual([]);
  });
});

describe('a project that installed it', () => {
  test('uses it from plain JavaScript', async () => {
    expect(await run(project, process.execPath, ['use.mjs'])).toContain('used from JavaScript');
  });

  test('uses it from strict TypeScript', async () => {
    expect(await run(project, process.execPath, ['strict.ts'])).toContain('used from TypeScript');
  });

  test.for(['nodenext', 'bundler'])('type-checks against it, with its own declarations, as %s', async resolution => {
    const config = path.join(project, `tsconfig.${resolution}.json`);
    writeFileSync(config, JSON.stringify({ compilerOptions: strictOptions(resolution), include: ['strict.ts'] }));
    const said = await complaintsOf(project, process.execPath, [tsc, '-p', config, '--pretty', 'false']);
    // Declarations of other packages are checked too, but their mistakes are not ours.
    expect(said.filter(line => !/^node_modules\/(?!tidemark\/)/.test(line))).toEqual([]);
  });

  test.for(['tidemark', 'tidemark/operators', 'tidemark/testing'])(
    'loads no client of Kafka or Redis with %s',
    async entry => {
      const loaded: string[] = JSON.parse(await run(project, process.execPath, ['loaded-packages.mjs', entry]));
      expect(loaded).toContain('tidemark');
      expect(loaded).not.toContain('kafkajs');
      expect(loaded).not.toContain('ioredis');
    },
  );

  test('loads nothing else with tidemark/eslint: no ESLint, no rxjs, no dependency', async () => {
    expect(JSON.parse(await run(project, process.execPath, ['loaded-packages.mjs', 'tidemark/eslint']))).toEqual([
      'tidemark',
    ]);
    expect(existsSync(path.join(project, 'node_modules/eslint'))).toBe(false);
  });

  test('finds the rules in its preset of tidemark/eslint', async () => {
    expect(JSON.parse(await run(project, process.execPath, ['lint-preset.mjs']))).toContain('tidemark/no-native-state');
  });

  test('runs its command', async () => {
    expect(existsSync(path.join(project, 'node_modules/.bin/tidemark'))).toBe(true);
    expect(await run(project, path.join(project, 'node_modules/.bin/tidemark'), ['--version'])).toBe(
      `${manifest.version}\n`,
    );
  });
});

test('npx runs the command of a clone from its root', async () => {
  const cache = path.join(folder, 'npm-cache'); // npx remembers folders there; a fresh one is a fresh clone's
  mkdirSync(cache);
  expect(await run(root, 'npx', ['--offline', '--cache', cache, 'tidemark', '--version'])).toBe(
    `${manifest.version}\n`,
  );
});

function strictOptions(resolution: string): object {
  return {
    target: 'es2023',
    lib: ['es2023'],
    types: ['node'],
    module: resolution === 'bundler' ? 'esnext' : resolution,
    moduleResolution: resolution,
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    verbatimModuleSyntax: true,
    skipLibCheck: false,
    noEmit: true,
  };
}

/** What a command prints to stdout; rejects with all it printed when it fails. */
async function run(cwd: string, command: string, args: readonly string[]): Promise<string> {
  const options = { cwd, timeout: 120_000, maxBuffer: 1 << 26, env: outsideOfVitest() };
  try {
    return (await promisify(execFile)(command, [...args], options)).stdout;
  } catch (error) {
    const { stdout, stderr } = Object.assign({ stdout: '', stderr: '' }, error);
    throw new Error(`${command} ${args.join(' ')} failed.\n${stdout}${stderr}`, { cause: error });
  }
}

/** The lines that a command complains with; none when it succeeds. */
async function complaintsOf(cwd: string, command: string, args: readonly string[]): Promise<readonly string[]> {
  try {
    await run(cwd, command, args);
    return [];
  } catch (error) {
    return String(error).trimEnd().split('\n').slice(1);
  }
}

/** What runs in the other project must not inherit settings of npm and Vitest from this one. */
function outsideOfVitest(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(VITEST|NODE_ENV$|NODE_OPTIONS$|npm_(lifecycle|package))/.test(name),
  );
  return Object.fromEntries(inherited);
}

/** npm has answered with a list, and with an object by package name. */
function firstOf(answer: object): { readonly filename: string; readonly files: readonly { readonly path: string }[] } {
  const [first] = Object.values(answer);
  return first;
}

function targetsOf(exports: unknown): string[] {
  if (typeof exports === 'string') return [exports];
  if (typeof exports !== 'object' || exports === null) return [];
  return Object.entries(exports).flatMap(([key, value]) => (key === 'tidemark-dev' ? [] : targetsOf(value)));
}
