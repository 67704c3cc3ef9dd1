import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { newestConfirmed } from '../../../lib/checkpoint/recovery-decision.ts';
import { fileStore } from '../../../lib/index.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const sum = (count: number) => (count * (count + 1)) / 2;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tidemark-workers-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Line {
  readonly level: string;
  readonly msg: string;
  readonly event?: string;
  readonly worker?: string;
  readonly task?: string;
  readonly code?: string;
  readonly exitCode?: number;
  readonly phase?: string;
  readonly workers?: readonly { readonly name: string; readonly tasks: readonly string[] }[];
}

interface Running {
  readonly child: ChildProcess;
  /** The first line that fits, once it is there. */
  line(fits: (line: Line) => boolean): Promise<Line>;
  readonly lines: readonly Line[];
  /** Everything was said, by the workers, too. */
  readonly closed: Promise<{ readonly code: number | null; readonly printed: readonly string[] }>;
}

const open = new Set<ChildProcess>();
afterAll(() => {
  for (const child of open) child.kill('SIGKILL');
});

/** `tidemark run` of the job of numbers with two workers, of which each has two of four partitions. */
function run(name: string, parameters: Readonly<Record<string, string>> = {}, ...args: string[]): Running {
  const child = spawn(
    process.execPath,
    [
      ...['--conditions=tidemark-dev', path.join(root, 'cli/main.ts'), 'run'],
      ...[path.join(import.meta.dirname, 'numbers-job.ts'), '--workers', '2', '--instance-id', 'w', '--json'],
      ...['--store', path.join(folder, name), '--set', `mark=${path.join(folder, `${name}.mark`)}`],
      ...Object.entries(parameters).flatMap(([key, value]) => ['--set', `${key}=${value}`]),
      ...args,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  open.add(child);
  const lines: Line[] = [];
  const waiting = new Set<() => void>();
  const text = { out: '', err: '' };
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text.out += chunk;
  });
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    const complete = `${text.err}${chunk}`.split('\n');
    text.err = complete.pop() ?? '';
    lines.push(...complete.map(line => JSON.parse(line) as Line));
    for (const look of waiting) look();
  });
  return {
    child,
    lines,
    line: fits =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = lines.find(fits);
          if (found) resolve(found);
          else if (child.exitCode !== null || child.signalCode !== null)
            reject(new Error(JSON.stringify(lines, null, 1)));
        };
        waiting.add(look);
        child.once('close', look);
        look();
      }),
    closed: new Promise(resolve => {
      child.once('close', code => {
        open.delete(child);
        resolve({ code, printed: text.out.trim().split('\n').sort() });
      });
    }),
  };
}

const sums = (count: number) => [0, 1, 2, 3].map(partition => `sum ${partition} ${sum(count)}`);
const isEnd = ({ event }: Line) => event === 'end';
const has = (text: string) => (line: Line) => line.msg.includes(text);

/** Whether the newest checkpoint of every task is one of a stop. */
async function areClosed(name: string): Promise<boolean> {
  const store = fileStore(path.join(folder, name));
  const tasks = await store.tasks();
  const newest = await Promise.all(tasks.map(async ref => newestConfirmed(await store.task(ref).manifests())));
  return tasks.length === 4 && newest.every(manifest => manifest?.closed === true);
}

const isRunning = ({ event, phase, workers }: Line) =>
  event === 'phase' && phase === 'running' && workers?.every(({ tasks }) => tasks.length === 2) === true;

describe('tidemark run --workers', { timeout: 180_000 }, () => {
  it('spreads tasks over child processes, shows them as one, and starts those again that die, from their last checkpoints', async () => {
    const running = run('dies', { dies: 'kill:100,exit:150,escape:200' });
    const { code, printed } = await running.closed;
    // What was printed since the last checkpoint of a worker that died is printed again.
    expect({ code, printed: [...new Set(printed)] }).toEqual({ code: 0, printed: sums(300) });
    expect(running.lines.filter(({ code }) => code === 'WORKER_DIED')).toMatchObject([
      { worker: 'w-2', error: expect.stringMatching(/SIGKILL\. Somebody killed it/) },
      { worker: 'w-2', error: expect.stringMatching(/exit code 7\. Its code called process\.exit/) },
      { worker: 'w-2', error: expect.stringMatching(/exit code 1\./) },
    ]);
    await running.line(line => line.worker === 'w-2' && line.msg.includes('Error: escaped from the job'));
    const assigned = running.lines.filter(has('tasks were assigned')).map(({ worker }) => worker);
    expect(assigned.sort()).toEqual(['w-1', 'w-2', 'w-2', 'w-2', 'w-2']);
    const end = await running.line(isEnd);
    expect(end).toMatchObject({ exitCode: 0, outcome: 'finished', msg: expect.stringMatching(/records in/) });
  });

  it('stops with final checkpoints when its parent is killed, and on SIGTERM, and goes on from there', async () => {
    const killed = run('stops', { end: 'no', count: '200' });
    await killed.line(isRunning);
    killed.child.kill('SIGKILL');
    await vi.waitFor(async () => expect(await areClosed('stops')).toBe(true), { timeout: 60_000, interval: 50 });

    const stopped = run('stops', { end: 'no', count: '300' }, '--listen', '0');
    await stopped.line(isRunning);
    const [, url] = / at (http:\S+)$/.exec((await stopped.line(has('serves /healthz'))).msg) ?? [];
    const asked = async (at: string) => await (await fetch(`${url}${at}`)).text();
    expect(await asked('/healthz')).toBe('running\n');
    expect(JSON.parse(await asked('/status'))).toMatchObject({
      tasks: [{ task: '0' }, { task: '1' }, { task: '2' }, { task: '3' }],
      workers: [
        { name: 'w-1', tasks: ['0', '2'] },
        { name: 'w-2', tasks: ['1', '3'] },
      ],
    });
    const metrics = await asked('/metrics');
    expect(metrics).toContain('tidemark_worker_up{job_name="numbers",worker="w-2"} 1');
    expect(metrics).toMatch(
      /^tidemark_source_records_total\{worker="w-1",job_name="numbers",task="2",source="numbers"\} \d+$/m,
    );
    expect(metrics.match(/^# TYPE tidemark_source_records_total/gm)).toHaveLength(1);
    stopped.child.kill('SIGTERM');
    expect((await stopped.closed).code).toBe(0);
    const finals = stopped.lines.filter(has('final checkpoint #')).map(({ task }) => task);
    expect(finals.sort()).toEqual(['0', '1', '2', '3']);

    const finished = run('stops', { count: '400' });
    expect(await finished.closed).toEqual({ code: 0, printed: sums(400) });
  });

  it('ends with the error of a worker that no restart mends, the others with a final checkpoint', async () => {
    const running = run('refuses', { count: '10000000' });
    await running.line(isRunning);
    writeFileSync(path.join(folder, 'refuses.mark.refuse'), '');
    expect((await running.closed).code).toBe(4);
    expect(await running.line(isEnd)).toMatchObject({ code: 'UNSUPPORTED_STATE', exitCode: 4, level: 'error' });
    const finals = running.lines.filter(has('final checkpoint #'));
    expect(
      finals
        .filter(({ worker }) => worker === 'w-1')
        .map(({ task }) => task)
        .sort(),
    ).toEqual(['0', '2']);
  });

  it('restarts a task as often as the job says, and not as often again for each worker', async () => {
    const running = run('throws', { dies: 'throw:100' });
    expect((await running.closed).code).toBe(4);
    expect(running.lines.filter(has('the task failed and restarts'))).toHaveLength(3);
    expect(running.lines.filter(has('the worker died and is started again'))).toEqual([]);
    expect(await running.line(isEnd)).toMatchObject({ code: 'USER_CODE', exitCode: 4 });
  });
});
