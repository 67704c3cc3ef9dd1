// A group of workers of one kind: node --conditions=tidemark-dev bench/isolation/group.ts threads|processes <count> [order for the last]
// Prints a JSON line when all are ready and, without an order, one with what a run took; with an order, how the others are a moment later.
import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Order, Ran } from './member.ts';

const [kind = '', count = '', last] = process.argv.slice(2);
const program = new URL('./member.ts', import.meta.url);

interface Member {
  readonly said: unknown[];
  readonly pid: number;
  next(): Promise<unknown>;
  send(order: Order): void;
  end: unknown;
}

const begun = performance.now();
const usedBefore = cpuMs([process.pid]);
const members: Member[] = [];
const startMs: number[] = [];
for (let i = 0; i < Number(count); i++) {
  const at = performance.now();
  const member = kind === 'threads' ? thread() : child();
  await member.next();
  startMs.push(performance.now() - at);
  members.push(member);
}
const readyMs = performance.now() - begun;
say({ startMs, readyMs, startCpuMs: cpuMs(pids()) - usedBefore, memoryKiB: memoryKiB() });

if (last) {
  members.at(-1)?.send(last as Order);
  const dying = members.at(-1);
  for (let waited = 0; dying?.end === undefined && waited < 60_000; waited += 100) await delay(100);
  await delay(1_000);
  const others = members.slice(0, -1);
  say({
    order: last,
    end: members.at(-1)?.end,
    othersAlive: others.filter(({ end }) => end === undefined).length,
    of: others.length,
  });
} else {
  const before = process.cpuUsage();
  const at = performance.now();
  const answers = members.map(member => member.next());
  for (const member of members) member.send('run');
  const ran = (await Promise.all(answers)) as Ran[];
  const wallMs = performance.now() - at;
  const own = process.cpuUsage(before);
  const records = ran.reduce((sum, one) => sum + one.records, 0);
  // Threads share the process and its processor time; children have their own.
  const usedMs =
    (own.user + own.system) / 1_000 +
    (kind === 'threads' ? 0 : ran.reduce((sum, { processCpuMs }) => sum + processCpuMs, 0));
  say({
    records,
    wallMs,
    cpuMs: usedMs,
    cpuMicrosPerRecord: (usedMs * 1_000) / records,
    threadCpuMs: ran.map(one => one.threadCpuMs),
    memoryKiB: memoryKiB(),
  });
}
process.exit(0);

function say(found: object): void {
  process.stdout.write(`${JSON.stringify(found)}\n`);
}

function member(listen: (said: (message: unknown) => void) => void, pid: number, send: (order: Order) => void): Member {
  const waiting: ((message: unknown) => void)[] = [];
  const said: unknown[] = [];
  listen(message => {
    const next = waiting.shift();
    if (next) next(message);
    else said.push(message);
  });
  const next = () =>
    said.length > 0 ? Promise.resolve(said.shift()) : new Promise<unknown>(resolve => waiting.push(resolve));
  return { said, pid, next, send, end: undefined };
}

function thread(): Member {
  const worker = new Worker(program, { resourceLimits: { maxOldGenerationSizeMb: 256 }, stderr: true });
  const made = member(
    told => worker.on('message', told),
    process.pid,
    order => worker.postMessage(order),
  );
  worker.on('error', error => {
    made.end ??= `error ${(error as NodeJS.ErrnoException).code ?? error.message}`;
  });
  worker.on('exit', code => {
    made.end ??= `exit ${code}`;
  });
  return made;
}

function child(): Member {
  const running: ChildProcess = fork(program, {
    execArgv: [...process.execArgv, '--max-old-space-size=256'],
    stdio: ['ignore', 'inherit', 'ignore', 'ipc'],
  });
  const made = member(
    told => running.on('message', told),
    running.pid ?? 0,
    order => void running.send(order),
  );
  running.on('exit', (code, signal) => {
    made.end ??= `exit ${code ?? signal}`;
  });
  return made;
}

/** Proportional: what processes share (the program of Node itself) is divided among them. */
function memoryKiB(): { readonly rss: number; readonly pss: number } {
  const sum = (field: string) =>
    pids().reduce((all, pid) => {
      const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
      return all + Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
    }, 0);
  return { rss: sum('Rss'), pss: sum('Pss') };
}

function pids(): number[] {
  return [...new Set([process.pid, ...members.map(({ pid }) => pid)])];
}

/** Processor time that these have used, all of their threads, in steps of 10 ms. */
function cpuMs(of: readonly number[]): number {
  return of.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return sum + (Number(fields[11]) + Number(fields[12])) * 10;
  }, 0);
}
