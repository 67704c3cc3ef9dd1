import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UsageError } from '../../cli/exit-code.ts';
import { loadJob, moduleFile } from '../../cli/load-job.ts';

let folder = '';
const asJob = "{ name: 'totals', graph: () => [], build: () => [], settings: {}, schema: undefined }";

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tidemark-load-'));
  const files: Record<string, string> = {
    'job.ts': `const name: string = 'totals';\nexport default ${asJob};\n`,
    'plain.mjs': `export default ${asJob};\n`,
    'in-folder/job.js': `export default ${asJob};\n`,
    'in-folder/package.json': '{ "type": "module" }',
    'both/job.ts': `export default ${asJob};\n`,
    'both/job.js': 'broken(',
    'empty/readme.md': '',
    'named.mjs': `export const totals = ${asJob};\n`,
    'nothing.mjs': 'export const a = 1;\n',
    'number.mjs': 'export default 3;\n',
    'function.mjs': 'export default () => {};\n',
    'syntax.ts': 'const a: number = 1;\nconst b = ;\n',
    'syntax.mjs': 'const a = 1;\nconst b = ;\n',
    'enum.ts': 'enum Colour { Red }\nexport default Colour;\n',
    'imports-syntax.ts': "import './syntax.ts';\n",
    'package.mjs': "import 'a-package-that-is-not-there';\n",
    'export.mjs': "import { nothing } from 'node:fs';\nexport default nothing;\n",
    'throws.mjs': 'const nothing = undefined;\nexport default nothing.at;\n',
    'throws-text.mjs': "throw 'just a text';\n",
    'fault.mjs': "throw Object.assign(new Error('own'), { fault: 'external', code: 'EXTERNAL' });\n",
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
});

afterAll(() => rmSync(folder, { recursive: true }));

interface Failure {
  readonly name: string;
  readonly message: string;
  readonly fault?: string;
}

/** What loading says, in a Node of its own: here `import()` is that of the test runner, which has its own messages. */
function failures(...given: string[]): Record<string, Failure> {
  const loader = path.resolve(import.meta.dirname, '../../cli/load-job.ts');
  const script = `
    const { loadJob } = await import(${JSON.stringify(loader)});
    const failures = {};
    for (const given of process.argv.slice(1)) {
      try {
        await loadJob(given, ${JSON.stringify(folder)});
      } catch (error) {
        failures[given] = { name: error.name, message: error.message, fault: error.fault };
      }
    }
    console.log(JSON.stringify(failures));`;
  const args = ['--conditions=tidemark-dev', '--input-type=module', '-e', script, ...given];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 15_000 });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

describe('moduleFile', () => {
  it('takes a file, a path from the root, and the job.ts or job.js of a folder', () => {
    expect(moduleFile('plain.mjs', folder)).toBe(path.join(folder, 'plain.mjs'));
    expect(moduleFile(path.join(folder, 'plain.mjs'), '/')).toBe(path.join(folder, 'plain.mjs'));
    expect(moduleFile('.', folder)).toBe(path.join(folder, 'job.ts'));
    expect(moduleFile('in-folder', folder)).toBe(path.join(folder, 'in-folder/job.js'));
    expect(moduleFile('both', folder)).toBe(path.join(folder, 'both/job.ts'));
  });

  it.each([
    ['nowhere/at/all.ts', 'There is no file or folder nowhere/at/all.ts.'],
    ['in-folder/jobb.js', 'There is no file or folder in-folder/jobb.js. Did you mean in-folder/job.js?'],
    ['empty', 'The folder empty has no job.ts or job.js. Name the file of the job itself.'],
  ])('refuses %s', (given, message) => {
    expect(() => moduleFile(given, folder)).toThrow(new UsageError(message));
  });
});

describe('loadJob', () => {
  it.each(['job.ts', 'plain.mjs', 'in-folder', '.'])('loads %s', async given => {
    expect((await loadJob(given, folder)).name).toBe('totals');
  });

  it('refuses modules that export no job, and says what to write', () => {
    const advice = "Write: export default job('name', …)";
    const messages = {
      'named.mjs':
        'named.mjs exports a job as "totals" but has no job as its default export. Write: export default totals;',
      'nothing.mjs': `nothing.mjs has no default export. ${advice}`,
      'number.mjs': `The default export of number.mjs is a number, not a job. ${advice}`,
      'function.mjs': `The default export of function.mjs is a function, not a job. ${advice}`,
    };
    const expected = Object.entries(messages).map(([given, message]) => [
      given,
      { name: 'UsageError', message, fault: 'user' },
    ]);
    expect(failures(...Object.keys(messages))).toEqual(Object.fromEntries(expected));
  });

  it('says what keeps a module from being loaded, and where', () => {
    const patterns: Record<string, RegExp> = {
      'syntax.ts': /^syntax\.ts cannot be loaded: [^\n]+\n {2}\/.*\/syntax\.ts:2\n.*\n {2}const b = ;\n {12}\^/s,
      'syntax.mjs': /^syntax\.mjs cannot be loaded: [^\n]+\n {2}\/.*\/syntax\.mjs:2\n {2}const b = ;\n {12}\^/,
      'imports-syntax.ts': /^imports-syntax\.ts cannot be loaded: .*\/syntax\.ts:2\n/s,
      'enum.ts':
        /^enum\.ts cannot be loaded: TypeScript enum .*\/enum\.ts:1\n.*enums, namespaces and parameter properties/s,
      'package.mjs':
        /^package\.mjs cannot be loaded: Cannot find package 'a-package-that-is-not-there' .* Is it installed/,
      'export.mjs': /^export\.mjs cannot be loaded: .*does not provide an export named 'nothing'/,
      'throws.mjs': /^throws\.mjs threw while it was loaded: TypeError: Cannot read properties of undefined/,
      'throws-text.mjs': /^throws-text\.mjs threw while it was loaded: just a text$/,
    };
    const all = failures(...Object.keys(patterns));
    for (const [given, pattern] of Object.entries(patterns)) {
      expect(all[given]).toEqual({ name: 'JobModuleError', message: expect.stringMatching(pattern), fault: 'user' });
    }
  });

  it('leaves an error that names its fault as it is', () => {
    expect(failures('fault.mjs')).toEqual({ 'fault.mjs': { name: 'Error', message: 'own', fault: 'external' } });
  });
});
