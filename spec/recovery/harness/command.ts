import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { afterEach } from 'vitest';

export const root = path.resolve(import.meta.dirname, '../../..');

/** Compiled code of earlier processes: it halves what a start costs. */
const compileCache = path.join(root, 'out/compile-cache');

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** The process is killed after so long, whatever the spec does. */
  readonly lifetimeMs?: number;
  /** Permissions of files count, also where the specs are run by root. */
  readonly isUnprivileged?: boolean;
  /** What runs the process, in place of nothing: it must become the process, not start it. */
  readonly within?: readonly string[];
}

const running = new Set<Command>();

/** One process of Node, with what it says. Ended at the end of the test if it is still there. */
export class Command {
  /** What it wrote to stdout and stderr, in the order in which it came. */
  output = '';
  readonly startedAt = performance.now();
  readonly exited: Promise<Exit>;
  private readonly child: ChildProcess;
  private readonly listeners = new Set<() => void>();

  constructor(
    args: readonly string[],
    { env = {}, lifetimeMs = 60_000, isUnprivileged = false, within = [] }: CommandOptions = {},
  ) {
    const [program = '', ...before] = [...within, ...(isUnprivileged ? withoutCapabilities() : []), process.execPath];
    this.child = spawn(program, [...before, '--conditions=tidemark-dev', ...args], {
      cwd: root,
      env: { ...process.env, NODE_COMPILE_CACHE: compileCache, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: lifetimeMs,
      killSignal: 'SIGKILL',
    });
    const hear = (chunk: string) => {
      this.output += chunk;
      this.tell();
    };
    this.child.stdout?.setEncoding('utf8').on('data', hear);
    this.child.stderr?.setEncoding('utf8').on('data', hear);
    this.exited = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code, signal) => {
        running.delete(this);
        resolve({ code, signal });
        this.tell();
      });
    });
    running.add(this);
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Whether it has ended. */
  get isOver(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Resolves as soon as it has said `text` (`times` times); rejects when it ends first. */
  async says(text: string, times = 1): Promise<void> {
    await this.untilSaid(text, times);
    if (this.count(text) < times) throw new Error(`The process ended without saying "${text}":\n${this.output}`);
  }

  /** As `says`, and whether it did before it ended. */
  async untilSaid(text: string, times = 1): Promise<boolean> {
    while (this.count(text) < times && running.has(this)) {
      await new Promise<void>(resolve => this.listeners.add(resolve));
    }
    return this.count(text) >= times;
  }

  /** Ends it with SIGKILL and waits until it is gone. */
  async killed(): Promise<Exit> {
    this.kill('SIGKILL');
    return this.exited;
  }

  private count(text: string): number {
    return this.output.split(text).length - 1;
  }

  private tell(): void {
    const listeners = [...this.listeners];
    this.listeners.clear();
    for (const listener of listeners) listener();
  }
}

/** Root without its capabilities is a user like any other. */
function withoutCapabilities(): string[] {
  return process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-all', '--inh-caps=-all'] : [];
}

/** `tidemark …` */
export function tidemark(args: readonly string[], options?: CommandOptions): Command {
  return new Command([path.join(root, 'cli/main.ts'), ...args], options);
}

afterEach(async () => {
  await Promise.all([...running].map(command => command.killed()));
});
