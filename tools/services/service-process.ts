import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ServiceProcessOptions {
  /** What a person calls it, for messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Where its output goes; appended to. */
  readonly logFile: string;
  /** A temporary folder that is removed with the service when its starter dies without stopping it. */
  readonly temporaryFolder?: string;
  /** A command that ends what a signal to the process does not reach, such as a container. */
  readonly endWith?: readonly string[];
}

/** A service that runs beside this process, and that ends when this process ends, however that happens. */
export interface ServiceProcess {
  readonly pid: number;
  /** Settles when the process is gone; says how it ended. */
  readonly exited: Promise<string>;
  /** Resolves at the first `true` of `answers`; rejects with the tail of the log when the process ends or time is up. */
  untilAnswers(answers: () => Promise<boolean>, timeoutMs: number): Promise<void>;
  /** Asks it to end and waits; kills it when it does not within `timeoutMs`. */
  stop(timeoutMs?: number): Promise<void>;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
}

const watchdogScript = path.join(import.meta.dirname, 'watchdog.sh');

/** Starts a service in a process group of its own, so that a Ctrl-C in the terminal reaches only its starter. */
export function startProcess(options: ServiceProcessOptions): ServiceProcess {
  const { name, command, args, logFile } = options;
  const log = openSync(logFile, 'a');
  const child = spawn(command, args, {
    stdio: ['ignore', log, log],
    detached: true,
    ...(options.env === undefined ? {} : { env: options.env }),
  });
  closeSync(log);
  const exited = new Promise<string>(resolve => {
    child.once('error', error => resolve(`could not be started: ${error.message}`));
    child.once('exit', (code, signal) => resolve(signal === null ? `exited with code ${code}` : `ended by ${signal}`));
  });
  const { pid = 0 } = child;
  const dismissWatchdog = pid === 0 ? () => {} : watch(pid, options);
  let end: string | undefined;
  void exited.then(how => {
    end = how;
    dismissWatchdog();
  });

  return {
    pid,
    exited,
    async untilAnswers(answers, timeoutMs) {
      const deadline = performance.now() + timeoutMs;
      while (end === undefined && performance.now() < deadline) {
        const givenUp = sleep(deadline - performance.now(), false, { ref: false });
        if (await Promise.race([answers(), exited.then(() => false), givenUp])) return;
        await sleep(50);
      }
      const what = end === undefined ? `does not answer after ${timeoutMs / 1000} s` : end;
      throw new Error(`${name} ${what}. The end of its log:\n${tail(logFile)}`);
    },
    async stop(timeoutMs = 20_000) {
      if (end === undefined) signal(pid, 'SIGTERM');
      const gone = await Promise.race([exited, sleep(timeoutMs, undefined, { ref: false })]);
      if (gone === undefined) await killHard(pid, exited, options);
    },
    async kill() {
      if (end === undefined) await killHard(pid, exited, options);
    },
  };
}

async function killHard(pid: number, exited: Promise<string>, { endWith = [] }: ServiceProcessOptions) {
  const [command, ...args] = endWith;
  if (command !== undefined)
    await new Promise(resolve => spawn(command, args, { stdio: 'ignore' }).once('close', resolve));
  signal(pid, 'SIGKILL');
  await exited;
}

/** Signals all of its process group: a shell that leads it would keep a signal from what it runs. */
function signal(group: number, name: NodeJS.Signals): void {
  try {
    process.kill(-group, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error; // gone already
  }
}

/** Sets a watchdog on the process; the answer calls it off. */
function watch(pid: number, { temporaryFolder, endWith = [] }: ServiceProcessOptions): () => void {
  const watchdog = spawn('sh', [watchdogScript, String(pid), ...endWith], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    env: { ...process.env, ...(temporaryFolder === undefined ? {} : { WATCHDOG_FOLDER: temporaryFolder }) },
  });
  watchdog.unref();
  watchdog.stdin.on('error', () => {}); // it may be gone already; there is nothing left to tell it then
  return () => watchdog.stdin.end('done\n');
}

function tail(file: string, lines = 30): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n') || '(empty)';
  } catch {
    return '(no log)';
  }
}
