import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const ourFlags = ['--conditions=tidemark-dev', '--disable-warning=ExperimentalWarning'];
const env = { ...process.env, NODE_ENV: 'production' };

/**
 * Runs a script in a Node process of its own, as it runs in production, and answers the JSON that it prints as its last line.
 * Throws when it fails.
 */
export async function inFreshProcess<T>(
  script: URL,
  args: readonly string[],
  flags: readonly string[] = [],
): Promise<T> {
  const child = spawn(process.execPath, [...ourFlags, ...flags, fileURLToPath(script), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env,
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', text => {
    output += text;
  });
  const [code, signal] = await once(child, 'close');
  if (code !== 0) throw new Error(`${fileURLToPath(script)} ${args.join(' ')} ended with ${code ?? signal}: ${output}`);
  return JSON.parse(output.trim().split('\n').at(-1) as string) as T;
}

/** A process that answers messages one at a time; says something of its own accord when it is ready. */
export class AnsweringProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<never>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = once(child, 'exit').then(([code, signal]) => {
      throw new Error(`${child.spawnargs.slice(1).join(' ')} ended with ${code ?? signal}`);
    });
    this.#ended.catch(() => {});
  }

  static async start(script: URL, args: readonly string[], flags: readonly string[] = []): Promise<AnsweringProcess> {
    const child = fork(fileURLToPath(script), args, { execArgv: [...ourFlags, ...flags], env });
    const process = new AnsweringProcess(child);
    await process.#said();
    return process;
  }

  async ask<T>(message: string): Promise<T> {
    this.#child.send(message);
    return (await this.#said()) as T;
  }

  /** Sends it the signal, and waits until it is gone. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    this.#child.kill(signal);
    await this.#ended.catch(() => {});
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill('SIGTERM');
  }

  async #said(): Promise<unknown> {
    const [answer] = await Promise.race([once(this.#child, 'message'), this.#ended]);
    return answer;
  }
}
