import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const script = path.join(import.meta.dirname, 'visit.ts');

it('lets a process end that closed its client, and prints no warning', async () => {
  const run = promisify(execFile)(process.execPath, ['--conditions=tidemark-dev', script], { timeout: 20_000 });
  const { stdout, stderr } = await run;
  expect(stdout).toMatch(/closed before the broker at .* answered/);
  expect(stderr).toBe('');
});
