import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tidemark } from '../../cli/program.ts';
import type { WorkersRequest } from '../../cli/workers/start-workers.ts';
import type { World } from '../../cli/world.ts';
import { JobDefinitionError, StateMismatchError } from '../../lib/errors.ts';
import { memoryStore } from '../../lib/index.ts';
import type { JobSettings } from '../../lib/job/settings.ts';
import { openStatusServer, type StatusServer } from '../../lib/observe/status-server/status-server.ts';
import { FakeHandle, someCheckpoint } from './fake-handle.ts';

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tidemark-program-'));
  writeFileSync(
    path.join(folder, 'job.mjs'),
    `export default {
      name: 'delays',
      settings: { params: { limit: '1', path: 'a' } },
      schema: undefined,
      build: () => [],
      graph: params => [{ kind: 'source', name: Object.entries(params).join(' '), inputs: [], isKeyed: false, sides: [] }],
    };`,
  );
});

afterAll(() => rmSync(folder, { recursive: true }));

interface Overrides extends Partial<World> {
  readonly onStart?: (handle: FakeHandle) => void;
}

async function command(args: string[], { onStart = handle => handle.end('finished'), ...overrides }: Overrides = {}) {
  const written: Record<'out' | 'err', string[]> = { out: [], err: [] };
  const opened: string[] = [];
  let settings: JobSettings | undefined;
  let requested: WorkersRequest | undefined;
  const world: World = {
    start(_job, given) {
      settings = given;
      const handle = new FakeHandle();
      setImmediate(() => onStart(handle));
      return handle;
    },
    startWorkers(given) {
      requested = given;
      const handle = Object.assign(new FakeHandle(), { kill: () => void opened.push('killed') });
      setImmediate(() => onStart(handle));
      return handle;
    },
    check() {},
    checkState: job => ({ job: job.name, task: 'main', actors: [], sources: [], sinks: [] }),
    openStore(where) {
      opened.push(where);
      const store = memoryStore();
      return Object.assign(Object.create(store), { close: () => void opened.push('closed') });
    },
    openStatusServer,
    version: '1.2.3',
    cwd: folder,
    env: {},
    stdout: { write: text => written.out.push(String(text)) > 0 },
    stderr: { write: text => written.err.push(String(text)) > 0 },
    signals: new EventEmitter(),
    clock: { now: () => Date.UTC(2001, 0, 1), monotonic: () => 0 },
    ...overrides,
  };
  const exitCode = await tidemark(args, world);
  return { exitCode, settings, requested, opened, out: written.out.join(''), err: written.err.join('') };
}

describe('tidemark', () => {
  it.each([
    [['--version'], '1.2.3\n'],
    [['--help'], /^Usage: tidemark .*Examples:.*Exit codes:/s],
    [['run', '--help'], /^Usage: tidemark run .*--interval .*Examples:.*Exit codes:/s],
    [['graph', '--help'], /^Usage: tidemark graph .*Examples:/s],
    [['checkpoints', '--help'], /^Usage: tidemark checkpoints .*Examples:/s],
  ])('%s prints to stdout and ends with 0', async (args, text) => {
    const { exitCode, out, err } = await command(args);
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' });
    expect(out).toMatch(text);
  });

  it.each([
    [[], /^Usage: tidemark/],
    [['runn'], /unknown command 'runn'\n\(Did you mean run\?\)/],
    [['run'], /missing required argument 'module'/],
    [['run', 'job.mjs', 'more'], /too many arguments/],
    [['run', 'job.mjs', '--accept-checkpoint', 'last'], /Give the id of a checkpoint/],
    [['run', 'job.mjs', '--accept-checkpoint', '3', '--fresh'], /cannot be used with option '--fresh'/],
    [['run', 'job.mjs', '--from-savepoint', 'a', '--fresh'], /cannot be used with option '--fresh'/],
    [['run', 'job.mjs', '--rewind', 'all'], /Give the id of a checkpoint/],
    [['run', 'job.mjs', '--frsh'], /unknown option '--frsh'\n\(Did you mean --fresh\?\)/],
    [['run', 'job.mjs', '--interval', '10 s'], /'10 s' is invalid\. Give milliseconds/],
    [['run', 'job.mjs', '--interval', '0s'], /'0s' is invalid\. Give milliseconds/],
    [['run', 'job.mjs', '--set', 'limit'], /"limit" is not of the form key=value/],
    [['run', 'job.mjs', '--set', 'a=1', '--set', 'a=2'], /"a" is set twice/],
    [['run', 'job.mjs', '--listen', ':9464'], /':9464' is invalid\. Give a port, or host:port/],
    [['run', 'job.mjs', '--listen', '65536'], /'65536' is invalid\. Give a port, or host:port/],
    [['run', 'job.mjs', '--log', 'loud'], /Allowed choices are debug, info, warn, error, silent/],
    [['run', 'job.mjs', '--workers', '0'], /Give a whole number from 1 to 64/],
    [['run', 'job.mjs', '--workers', '65'], /Give a whole number from 1 to 64/],
    [
      ['run', 'job.mjs', '--workers', '2', '--tasks', 'standby'],
      /^error: --workers spreads the tasks .* --tasks standby has one task: leave one of them out\.\n$/,
    ],
    [['run', 'no.mjs'], /^error: There is no file or folder no\.mjs\. Did you mean job\.mjs\?\n$/],
    [['graph', 'no.mjs'], /^error: There is no file/],
    [['checkpoints', 'delays'], /^error: The memory store at .* has nothing of a job "delays"/],
  ])('%s is a usage error', async (args, text) => {
    const { exitCode, out, err } = await command(args);
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' });
    expect(err).toMatch(text);
  });
});

describe('tidemark run --workers', () => {
  it('gives on what workers need as plain data, and opens no store itself', async () => {
    const { exitCode, requested, opened, settings } = await command([
      ...['run', 'job.mjs', '--workers', '3', '--store', 'redis://user:pass@host', '--instance-id', 'shop'],
      ...['--interval', '2s', '--max-tasks', '6', '--set', 'limit=3', '--log', 'warn'],
    ]);
    expect({ exitCode, opened, settings }).toEqual({ exitCode: 0, opened: [], settings: undefined });
    expect(requested).toMatchObject({ module: 'job.mjs', workers: 3, store: 'redis://user:pass@host', log: 'warn' });
    const given = {
      params: { limit: '3' },
      checkpoint: { interval: '2s' },
      tasks: 'per-partition',
      maxTasks: 6,
      members: { instanceId: 'shop' },
    };
    expect(structuredClone(requested?.settings)).toEqual(given);
  });

  it('kills the workers on a second signal, and stops them on the first', async () => {
    const signals = new EventEmitter();
    const { exitCode, opened } = await command(['run', 'job.mjs', '--workers', '2'], {
      signals,
      onStart(handle) {
        handle.onStop = () => signals.emit('SIGTERM', 'SIGTERM');
        signals.emit('SIGTERM', 'SIGTERM');
      },
    });
    expect({ exitCode, opened }).toEqual({ exitCode: 143, opened: ['killed'] });
  });
});

describe('tidemark run', () => {
  it('gives the settings on, and leaves to the job what is not named', async () => {
    const plain = await command(['run', 'job.mjs']);
    expect(plain.settings).toEqual({ params: {}, logger: expect.anything() });
    expect(plain.opened).toEqual([]);
    const all = await command([
      'run',
      'job.mjs',
      '--store',
      'memory:',
      '--set',
      'limit=3',
      '--set',
      'q=a=b',
      '--fresh',
      '--interval',
      '30s',
    ]);
    expect(all.settings).toEqual({
      params: { limit: '3', q: 'a=b' },
      fresh: true,
      checkpoint: { interval: '30s' },
      store: expect.objectContaining({ close: expect.any(Function) }),
      logger: expect.anything(),
    });
    expect(all.opened).toEqual(['memory:', 'closed']);
    expect((await command(['run', 'job.mjs', '--interval', '250'])).settings).toMatchObject({
      checkpoint: { interval: 250 },
    });
    expect((await command(['run', 'job.mjs', '--interval', 'off'])).settings).toMatchObject({
      checkpoint: { interval: 'off' },
    });
    expect((await command(['run', 'job.mjs', '--accept-checkpoint', '13'])).settings).toMatchObject({
      recovery: { acceptCheckpoint: 13 },
    });
  });

  it('takes the store from the environment', async () => {
    process.env.TIDEMARK_STORE = 'redis://cache';
    try {
      expect((await command(['run', 'job.mjs'])).opened).toEqual(['redis://cache', 'closed']);
    } finally {
      delete process.env.TIDEMARK_STORE;
    }
  });

  it('says in lines what happens, on stderr', async () => {
    const onStart = (handle: FakeHandle) => {
      handle.show({ phase: 'running' });
      handle.checkpoints.next(someCheckpoint);
      handle.end('finished');
    };
    const { exitCode, out, err } = await command(['run', 'job.mjs'], { onStart });
    expect({ exitCode, out }).toEqual({ exitCode: 0, out: '' });
    expect(err.replaceAll(/^\S+ /gm, '')).toBe(
      [
        'info  delays running from the beginning',
        'info  checkpoint #12 committed: 23 kB, 182 entries, in 4 ms',
        'info  delays finished: 10,812 records in, 11,002 out, in 0 ms.',
        '',
      ].join('\n'),
    );
  });

  it('serves with --listen how the job is, until it has ended', async () => {
    const servers: StatusServer[] = [];
    const told: string[] = [];
    const ask = async (path: string) => {
      const answer = await fetch(`${servers[0]?.url}${path}`);
      told.push(`${answer.status} ${(await answer.text()).trim()}`);
    };
    const { exitCode, err } = await command(['run', 'job.mjs', '--listen', '0'], {
      openStatusServer: async at => {
        const server = await openStatusServer(at);
        servers.push(server);
        await ask('/readyz');
        return server;
      },
      onStart: async handle => {
        await ask('/readyz');
        handle.show({ phase: 'running' });
        await ask('/readyz');
        handle.show({ phase: 'stopping' });
        await ask('/readyz');
        await ask('/healthz');
        handle.end('stopped');
      },
    });
    expect(told).toEqual(['503 starting', '503 starting', '200 running', '503 stopping', '200 stopping']);
    expect(err).toMatch(/info {2}serves \/healthz, \/readyz, \/metrics, \/status at http:\/\/127\.0\.0\.1:\d+\n/);
    expect(exitCode).toBe(3);
    await expect(ask('/readyz')).rejects.toThrow('fetch failed');
  });

  it('starts nothing where the port is taken, and gives back what it had opened', async () => {
    const other = await openStatusServer({ host: '127.0.0.1', port: 0 });
    const args = ['run', 'job.mjs', '--store', 'memory:', '--listen', `localhost:${other.port}`];
    const { exitCode, settings, opened, err } = await command(args);
    await other.close();
    expect({ exitCode, settings, opened }).toEqual({ exitCode: 5, settings: undefined, opened: ['memory:', 'closed'] });
    expect(err).toMatch(
      /error The status cannot be served at localhost:\d+: another process listens on port \d+\. Choose/,
    );
    expect(err).toContain('LISTEN, caused outside');
  });

  it('says it in JSON with --json', async () => {
    const { err } = await command(['run', 'job.mjs', '--json', '--log', 'info'], {
      onStart: handle => handle.end('stopped'),
    });
    const lines = err
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(lines.at(-1)).toMatchObject({ level: 'info', event: 'end', outcome: 'stopped', exitCode: 3 });
  });

  it('says only what --log asks for, and errors always with their code', async () => {
    expect((await command(['run', 'job.mjs', '--log', 'error'])).err).toBe('');
    const failed = await command(['run', 'job.mjs', '--log', 'error'], {
      onStart: handle => handle.fail(new JobDefinitionError('two actors are named "a"')),
    });
    expect(failed.exitCode).toBe(4);
    expect(failed.err).toMatch(/error two actors are named "a"\n {6}JOB_DEFINITION, to be mended in the job/);
  });

  it('only checks with --check: nothing is started, and the store is closed again', async () => {
    const seen: unknown[] = [];
    const check = (_: unknown, settings: JobSettings) => void seen.push(settings);
    const { exitCode, out, settings, opened } = await command(
      ['run', 'job.mjs', '--check', '--set', 'a=1', '--store', 'x'],
      {
        check,
      },
    );
    expect({ exitCode, settings, opened }).toEqual({ exitCode: 0, settings: undefined, opened: ['x', 'closed'] });
    expect(out).toMatch(/^delays is ready to run: .* and no checkpoint would be restored\.$/m);
    expect(seen).toEqual([{ params: { a: '1' } }]);
  });

  it('tells with --check what a start would be refused with, and with --check-state runs the migrations', async () => {
    const problem = new StateMismatchError('stored otherwise');
    const seen: unknown[] = [];
    const checkState: World['checkState'] = (_, { store }, options) => {
      seen.push([store?.kind, options]);
      const checkpoint = { id: 7, createdAt: Date.UTC(2000, 11, 31), isJobFinished: false, mayBeOvertaken: false };
      const sources = [{ name: 'in', change: 'dropped' }] as const;
      return { job: 'delays', task: 'main', checkpoint, actors: [], sources, sinks: [], problem };
    };
    const refused = await command(['run', 'job.mjs', '--check', '--store', 'x'], { checkState });
    expect(refused).toMatchObject({ exitCode: 4, settings: undefined, opened: ['x', 'closed'] });
    expect(refused.out).toMatch(/^delays \/ main against checkpoint 7, 1 d.* old\n.*\n {2}source {2}in {4}dropped\n$/);
    expect(refused.err).toMatch(/^error: stored otherwise\n {2}STATE_MISMATCH, to be mended in the job/);
    const json = await command(['run', 'job.mjs', '--check-state', '--json'], { checkState });
    expect(json).toMatchObject({ exitCode: 4, opened: [] });
    expect(JSON.parse(json.out)).toMatchObject({ job: 'delays', isReady: false, problem: { code: 'STATE_MISMATCH' } });
    expect(seen).toEqual([
      ['memory', { migrations: false }],
      [undefined, { migrations: true }],
    ]);
  });

  it('ends a failed check with the code of its fault', async () => {
    const check = () => Promise.reject(new JobDefinitionError('no source'));
    const { exitCode, err } = await command(['run', 'job.mjs', '--check'], { check });
    expect(exitCode).toBe(4);
    expect(err).toBe('error: no source\n  JOB_DEFINITION, to be mended in the job, its input or its settings\n');
  });
});

describe('tidemark graph', () => {
  it('prints the graph for the parameters, those of the command line first', async () => {
    const { exitCode, out } = await command(['graph', 'job.mjs', '--set', 'limit=2']);
    expect(exitCode).toBe(0);
    expect(out).toBe('flowchart LR\n  n1[/"limit,2 path,a"/]\n');
  });
});

describe('tidemark checkpoints', () => {
  it('lists the default store, and closes it', async () => {
    const { exitCode, out, opened } = await command(['checkpoints']);
    expect({ exitCode, opened }).toEqual({ exitCode: 0, opened: ['./.tidemark', 'closed'] });
    expect(out).toMatch(/^The memory store at .* is empty\.\n$/);
  });

  it('gives JSON on request, from the store that is named', async () => {
    const { out, opened } = await command(['checkpoints', '--json', '--store', 'elsewhere']);
    expect(JSON.parse(out)).toEqual([]);
    expect(opened).toEqual(['elsewhere', 'closed']);
  });
});
