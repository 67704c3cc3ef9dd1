import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { containerEngine } from './container-engine.ts';
import { freePort } from './free-port.ts';
import { type ServiceProcess, type ServiceProcessOptions, startProcess } from './service-process.ts';

export interface RedisOptions {
  /** Where it keeps its data; kept by `stop`. Left out: a temporary folder, removed by `stop`. */
  readonly dir?: string;
  /** Left out: a free one. */
  readonly port?: number;
  /** Settings beyond ours, in the form of the command line: `['--appendfsync', 'everysec']`; they win. */
  readonly args?: readonly string[];
}

export interface RedisServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly dir: string;
  readonly pid: number;
  /** Settles when the server is gone, wanted or not; says how it ended. */
  readonly exited: Promise<string>;
  /** SIGKILL, as a crash would be; waits until it is gone and keeps the data. `startRedis({ dir, port })` brings it back. */
  kill(): Promise<void>;
  /** Ends it in order, waits until it is gone, and removes the folder if it was a temporary one. */
  stop(): Promise<void>;
}

const image = 'redis:8';
const startTimeoutMs = 15_000;
/** A container engine may have to fetch the image first. */
const fetchAndStartTimeoutMs = 180_000;

/** Starts a Redis of one's own on the loopback interface, append-only file on; resolves when it answers PING. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const temporary = options.dir === undefined;
  const dir = path.resolve(options.dir ?? mkdtempSync(path.join(tmpdir(), 'tidemark-redis-')));
  mkdirSync(dir, { recursive: true });
  const port = options.port ?? (await freePort());
  const url = `redis://127.0.0.1:${port}`;
  const removeFolder = () => temporary && rmSync(dir, { recursive: true, force: true });

  let server: ServiceProcess | undefined;
  try {
    const command = redisCommand(dir, port, options.args ?? []);
    server = startProcess({
      name: 'Redis',
      ...command,
      logFile: path.join(dir, 'redis.log'),
      ...(temporary ? { temporaryFolder: dir } : {}),
    });
    await server.untilAnswers(
      () => redisAnswers(url),
      command.endWith === undefined ? startTimeoutMs : fetchAndStartTimeoutMs,
    );
  } catch (error) {
    await server?.kill();
    removeFolder();
    throw error;
  }
  const started = server;
  const stop = async () => {
    await started.stop();
    removeFolder();
  };
  const { pid, exited } = started;
  return { url, port, dir, pid, exited, kill: () => started.kill(), stop, [Symbol.asyncDispose]: stop };
}

/** Whether a Redis at this address answers PING. */
export async function redisAnswers(url: string, timeoutMs = 2000): Promise<boolean> {
  const client = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    maxRetriesPerRequest: 0,
  });
  client.on('error', () => {}); // said by the rejected call already
  try {
    await client.connect();
    return (await client.ping()) === 'PONG';
  } catch {
    return false; // not there yet, or still loading its data
  } finally {
    client.disconnect();
  }
}

function redisCommand(
  dir: string,
  port: number,
  args: readonly string[],
): Pick<ServiceProcessOptions, 'command' | 'args' | 'endWith'> {
  const settings = ['--port', `${port}`, '--dir', dir, '--save', '', '--appendonly', 'yes', '--appendfsync', 'always'];
  if (spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0) {
    return { command: 'redis-server', args: [...settings, '--bind', '127.0.0.1', ...args] };
  }
  const engine = containerEngine();
  if (engine !== undefined)
    return engine.run(image, { ports: [port], folder: dir }, ['redis-server', ...settings, ...containerOnly, ...args]);
  throw new Error(
    'There is no Redis to start. Install redis-server (Debian: apt-get install redis-server; macOS: brew install redis),' +
      ' or start Docker or Podman, or set REDIS_URL to a running server.',
  );
}

/** Inside a container the port is published on the loopback interface only, so the server may listen on all of its own. */
const containerOnly = ['--protected-mode', 'no'];
