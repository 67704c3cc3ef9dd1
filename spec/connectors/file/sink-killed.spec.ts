import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Folder } from './folder.ts';

const program = fileURLToPath(new URL('./sink-process.ts', import.meta.url));
const checkpoints = 150;
const kills = 6;

test('a process that is killed at random moments shows, each time it comes back, exactly what was committed', async () => {
  using folder = new Folder();
  const path = folder.at('out.jsonl');
  const seed = Date.now() % 100_000;
  console.info(`seed ${seed}`);
  const random = generator(seed);
  const killed: number[] = [];
  for (let run = 0; run < kills; run++) {
    const { code, signal, errors } = await life(folder, path, 5 + random() * 120);
    expect(errors).toBe('');
    expect([code, signal]).not.toContain(3);
    if (signal === 'SIGKILL') killed.push(run);
  }
  expect(killed.length).toBeGreaterThan(0);
  expect(await life(folder, path, undefined)).toEqual({ code: 0, signal: null, errors: '' });
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  expect(lines).toHaveLength(checkpoints * 400);
  expect(lines.every((line, n) => (JSON.parse(line) as { n: number }).n === n)).toBe(true);
}, 60_000);

/** Runs the process, and kills it so many ms after it has recovered. */
function life(folder: Folder, path: string, killAfterMs: number | undefined) {
  return new Promise<{ code: number | null; signal: string | null; errors: string }>((resolve, reject) => {
    const args = ['--conditions=tidemark-dev', program, path, folder.at('commits.json'), String(checkpoints)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let errors = '';
    child.stderr.on('data', text => {
      errors += text;
    });
    child.stdout.once('data', () => {
      if (killAfterMs !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfterMs);
    });
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, errors }));
  });
}

/** Numbers from 0 to 1 that a seed brings back (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
