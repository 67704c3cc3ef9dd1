import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const lib = JSON.stringify(path.join(root, 'lib/index.ts'));

/** A job over `count` numbers that leaves an interval open; `wait` holds it up at number 3 until a signal comes. */
const jobText = `
import { actor, from, job } from ${lib};

setInterval(() => {}, 1_000);

async function* numbers(count, isHeld) {
  for (let i = 0; i < count; i++) {
    if (isHeld && i === 3) await new Promise(() => {});
    yield i;
  }
}

export default job(
  'numbers',
  ({ count = '10', wait, fail }) => from(numbers(Number(count), wait === 'yes'), { name: 'numbers' }).pipe(
    actor('sum', {
      initial: () => 0,
      receive: (sum, value) => {
        if (fail === String(value)) throw new Error('no ' + value);
        return sum + value;
      },
    }),
  ),
  { restart: { strategy: 'none' } },
);
`;

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tidemark-main-'));
  writeFileSync(path.join(folder, 'job.ts'), jobText);
  writeFileSync(path.join(folder, 'waits.mjs'), 'await new Promise(() => {});\n');
  writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }');
});

afterAll(() => rmSync(folder, { recursive: true }));

interface Running {
  readonly child: ChildProcess;
  /** What it has written so far. */
  readonly text: { readonly out: string; readonly err: string };
  /** Resolves when stderr holds the text. */
  said(text: string): Promise<void>;
  readonly ended: Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>;
}

function tidemark(...args: string[]): Running {
  const child = spawn(process.execPath, ['--conditions=tidemark-dev', path.join(root, 'cli/main.ts'), ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 18_000,
    killSignal: 'SIGKILL',
  });
  const text = { out: '', err: '' };
  const waiting = new Map<string, () => void>();
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text.out += chunk;
  });
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text.err += chunk;
    for (const [awaited, resolve] of waiting) if (text.err.includes(awaited)) resolve();
  });
  return {
    child,
    text,
    said: awaited =>
      new Promise((resolve, reject) => {
        waiting.set(awaited, resolve);
        if (text.err.includes(awaited)) resolve();
        child.once('close', () => reject(new Error(`ended without saying "${awaited}": ${text.err}`)));
      }),
    ended: once(child, 'close').then(([code]) => ({ code: code as number | null, ...text })),
  };
}

describe('the command tidemark', () => {
  it('knows its version and refuses what it does not know', async () => {
    const [version, unknown] = await Promise.all([tidemark('--version').ended, tidemark('rum').ended]);
    expect(version).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    expect(unknown).toMatchObject({ code: 2, out: '', err: expect.stringContaining("unknown command 'rum'") });
  });

  it('runs a job to its end, exits although the module left something open, and has nothing to do again', async () => {
    const first = await tidemark('run', '.', '--store', 'state-a').ended;
    expect(first).toMatchObject({ code: 0, out: '', err: expect.stringContaining('numbers finished: 10 records in') });
    const again = await tidemark('run', '.', '--store', 'state-a').ended;
    expect(again).toMatchObject({ code: 0, err: expect.stringContaining('numbers has finished before: checkpoint #') });
    const list = await tidemark('checkpoints', '--store', 'state-a', '--json').ended;
    expect(JSON.parse(list.out)[0]).toMatchObject({ job: 'numbers', isConfirmed: true, isJobFinished: true, keys: 1 });
  });

  it('takes a final checkpoint on SIGTERM and exits with 3', async () => {
    const run = tidemark('run', '.', '--store', 'state-b', '--set', 'wait=yes');
    await run.said('numbers running');
    run.child.kill('SIGTERM');
    const { code, err } = await run.ended;
    expect(err).toContain('final checkpoint #1 committed');
    expect(err).toContain('numbers stopped on request before its input had ended');
    expect(code).toBe(3);
  });

  it('serves with --listen how the job is, and ends although a connection is kept open', async () => {
    const run = tidemark('run', '.', '--store', 'state-c', '--set', 'wait=yes', '--listen', '0');
    await run.said('numbers running');
    const [, url] = /serves .* at (http:\S+)/.exec(run.text.err) ?? [];
    const ready = await fetch(`${url}/readyz`); // fetch keeps its connection
    expect(ready).toMatchObject({ status: 200 });
    expect(await ready.text()).toBe('running\n');
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('tidemark_source_records_total{job_name="numbers"');
    run.child.kill('SIGTERM');
    expect(await run.ended).toMatchObject({ code: 3, err: expect.stringContaining('final checkpoint #1 committed') });
  });

  it('exits with the code of the fault when user code throws', async () => {
    const { code, err } = await tidemark('run', '.', '--store', 'memory:', '--set', 'fail=7').ended;
    expect(err).toContain('no 7');
    expect(err).toMatch(/ {4}at .*job\.ts:/);
    expect(code).toBe(4);
  });

  it('checks and draws without opening anything', async () => {
    const [check, graph] = await Promise.all([tidemark('run', '.', '--check').ended, tidemark('graph', '.').ended]);
    expect(check).toMatchObject({ code: 0, out: expect.stringMatching(/^numbers is ready to run/), err: '' });
    expect(graph.out).toMatch(/^flowchart LR\n {2}n1\[\/"numbers"\/\]\n/);
    expect(graph).toMatchObject({ code: 0, err: '' });
    const list = await tidemark('checkpoints').ended;
    expect(list).toMatchObject({ code: 0, out: expect.stringMatching(/ is empty\.\n$/) });
  });

  it('does not take a module that waits for ever for success', async () => {
    const { code, err } = await tidemark('run', 'waits.mjs').ended;
    expect(err).toContain('does the job module await something that never comes?');
    expect(code).toBe(1);
  });
});
