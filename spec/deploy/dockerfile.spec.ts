import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { paths } from '../../lib/observe/status-server/routes.ts';
import { understood } from './command.ts';
import { type Instruction, root, stagesOf, textOf } from './files.ts';

const stages = stagesOf('Dockerfile');
const image = stages.at(-1) as Instruction[];
const one = (name: string): Instruction => {
  const found = image.filter(instruction => instruction.name === name);
  expect(found, name).toHaveLength(1);
  return found[0] as Instruction;
};
const wordsOf = (name: string): readonly string[] => {
  const { words } = one(name);
  if (!words) throw new Error(`${name} is not in exec form`);
  return words;
};

describe('the Dockerfile', () => {
  it('copies what is there, and what .dockerignore lets in', () => {
    const allowed = [...textOf('.dockerignore').matchAll(/^!(.*)$/gm)].map(([, pattern]) => pattern as string);
    const copied = stages.flat().filter(({ name, text }) => name === 'COPY' && !text.startsWith('--from'));
    const files = copied.flatMap(({ text }) => text.split(' ').slice(0, -1)).map(file => file.replace(/\/$/, ''));
    expect(files.length).toBeGreaterThan(8);
    for (const file of files) {
      expect(existsSync(path.join(root, file)), file).toBe(true);
      expect(
        allowed.some(pattern => pattern === file || pattern.startsWith(`${file}/`)),
        file,
      ).toBe(true);
    }
    for (const pattern of allowed.filter(pattern => !pattern.includes('*'))) {
      expect(existsSync(path.join(root, pattern)), pattern).toBe(true);
    }
  });

  it('takes every stage that it copies from, and the Node and the rxjs that the package is made with', () => {
    const named = stages.flatMap(([from]) => / AS (\w+)$/.exec(from?.text ?? '')?.[1] ?? []);
    const used = image.flatMap(({ text }) => /^--from=(\w+)/.exec(text)?.[1] ?? []);
    expect(new Set(used)).toEqual(new Set(named));
    const { devDependencies } = JSON.parse(textOf('package.json'));
    expect(textOf('Dockerfile')).toContain(`"dependencies.rxjs=${devDependencies.rxjs}"`);
    expect(textOf('Dockerfile')).toContain(`node:${devDependencies.node.split('.')[0]}-`);
  });

  it('runs as a user that is not root, without a shell, and asks for the health where it is served', async () => {
    expect(one('USER').text).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(one('STOPSIGNAL').text).toBe('SIGTERM');
    const entry = wordsOf('ENTRYPOINT');
    expect(entry).toEqual(['node', 'dist/cli/main.js']);
    const { bin } = JSON.parse(textOf('package.json'));
    expect(path.normalize(bin.tidemark)).toBe(entry[1]);
    const { exitCode, said, job, store, listens } = await understood(wordsOf('CMD'));
    expect({ exitCode, said }).toMatchObject({ exitCode: 0 });
    expect(job?.name).toBe('card-totals');
    const [volume, port] = [one('VOLUME').text, one('EXPOSE').text];
    expect(store).toMatch(new RegExp(`^${volume}/`));
    expect(listens).toBe(`0.0.0.0:${port}`);
    const [, asked] = /http:\/\/127\.0\.0\.1:(\d+\/\w+)/.exec(one('HEALTHCHECK').text) ?? [];
    expect(asked).toBe(`${port}/healthz`);
    expect(paths).toContain('/healthz');
  });

  it('has a command that runs, and a health check that finds it', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'tidemark-image-'));
    try {
      // As in the image, but for the sources in the place of dist/, a folder of its own and a port that is free.
      const place = (word: string) =>
        word
          .replace('/data', folder)
          .replace('dist/cli/main.js', 'cli/main.ts')
          .replace(/^0\.0\.0\.0:\d+$/, '127.0.0.1:0');
      const [node, ...entry] = wordsOf('ENTRYPOINT').map(place);
      expect(node).toBe('node');
      const more = ['--set', 'payments=2000', '--set', 'rate=1000'];
      const job = spawn(
        process.execPath,
        ['--conditions=tidemark-dev', ...entry, ...wordsOf('CMD').map(place), ...more],
        {
          cwd: root,
          env: { ...process.env, NODE_ENV: 'production' },
          stdio: ['ignore', 'inherit', 'pipe'],
        },
      );
      const ended = once(job, 'close');
      const said = text(job.stderr);
      const url = await new Promise<string>((resolve, reject) => {
        let heard = '';
        job.stderr.on('data', chunk => {
          heard += chunk;
          const [, at] = /serves [^"]* at (http:\/\/[\d.:]+)/.exec(heard) ?? [];
          if (at !== undefined) resolve(at);
        });
        job.once('close', () => reject(new Error(`it ended: ${heard}`)));
      });
      const [node2, ...check] = wordsOf('HEALTHCHECK').map(word => word.replace('http://127.0.0.1:9464', url));
      expect(node2).toBe('node');
      const health = spawn(process.execPath, check, { stdio: 'inherit' });
      expect(await once(health, 'close')).toEqual([0, null]);
      job.kill('SIGTERM');
      const [exitCode] = await ended;
      // 3: it was stopped in time, with its final checkpoint; 0: it had finished on a machine that was busy.
      expect([0, 3], await said).toContain(exitCode);
      expect(readFileSync(path.join(folder, 'out/totals.jsonl'), 'utf8')).toMatch(/^({"card":.*}\n)*$/);
      const unhealthy = spawn(process.execPath, check, { stdio: 'inherit' });
      expect(await once(unhealthy, 'close')).toEqual([1, null]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 60_000);
});
