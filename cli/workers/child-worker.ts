import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { TimeoutError } from '../../lib/errors.ts';
import { WorkerDiedError, WorkerError } from '../../lib/scale/workers/errors.ts';
import type { WorkerEnd } from '../../lib/scale/workers/supervision.ts';
import type { Worker, WorkerEvents } from '../../lib/scale/workers/worker.ts';
import type { FromWorker, ToWorker, WorkerOrder } from './messages.ts';
import { revivedStatus } from './plain-status.ts';

/** How long a worker may take to answer a question, ms: it does so between two records. */
const answerTimeoutMs = 5_000;

// Beside this file, in source and in the compiled package.
const program = new URL(`./worker-main${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url);

export interface ChildWorkerOptions {
  readonly order: WorkerOrder;
  readonly events: WorkerEvents;
  /** Takes whole lines that the job prints. */
  readonly print: (line: string) => void;
  /** The child's program, for specs. */
  readonly program?: URL;
}

/** A worker as a child process. What it is to run goes through the channel, where other users of the machine cannot read it. */
export function childWorker({ order, events, print, program: main = program }: ChildWorkerOptions): Worker {
  const child = fork(main, {
    // A debugger listens at one port: that of the parent.
    execArgv: process.execArgv.filter(flag => !flag.startsWith('--inspect')),
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const asked = new Map<number, PromiseWithResolvers<unknown>>();
  let end: WorkerEnd | undefined;
  const tell = (message: ToWorker): void => {
    // It may be gone already: that is told by its end.
    if (child.connected) child.send(message, () => {});
  };

  const ended = whenEnded(child, cause => {
    const gone = new WorkerDiedError(`The worker ${order.name} ended before it answered.`);
    for (const { reject } of asked.values()) reject(gone);
    asked.clear();
    events.ended(end ?? { error: diedError(order.name, child, cause) });
  });
  child.on('message', message => {
    const said = message as FromWorker;
    switch (said.is) {
      case 'news':
        for (const line of said.lines) events.log(line);
        if (said.status) events.status(revivedStatus(said.status, order.name), said.memoryBytes ?? 0);
        for (const event of said.checkpoints) events.checkpoint(event);
        break;
      case 'answer': {
        const waiting = asked.get(said.id);
        asked.delete(said.id);
        if (said.error) waiting?.reject(new WorkerError(said.error, order.name));
        else waiting?.resolve(said.value);
        break;
      }
      case 'ended':
        if (said.error) end = { error: new WorkerError(said.error, order.name), isDecided: said.isDecided === true };
        else if (said.outcome) end = { outcome: said.outcome };
    }
  });
  eachLine(child.stdout, print);
  eachLine(child.stderr, line => events.log({ level: 'warn', fields: {}, message: line }));
  child.once('error', ended.failed);
  tell({ do: 'begin', order });

  let questions = 0;
  const ask = (question: (id: number) => ToWorker): Promise<unknown> => {
    const id = ++questions;
    const answer = Promise.withResolvers<unknown>();
    asked.set(id, answer);
    const timer = setTimeout(() => {
      asked.delete(id);
      answer.reject(new TimeoutError(`The worker ${order.name} did not answer within ${answerTimeoutMs} ms.`));
    }, answerTimeoutMs);
    timer.unref();
    tell(question(id));
    return answer.promise.finally(() => clearTimeout(timer));
  };
  return {
    pid: child.pid,
    stop: drain => tell({ do: 'stop', drain }),
    cancel: () => tell({ do: 'cancel' }),
    checkpoint: () => tell({ do: 'checkpoint' }),
    kill: () => void child.kill('SIGKILL'),
    metrics: async () => String(await ask(id => ({ do: 'metrics', id }))),
    ask: (actor, key) => ask(id => ({ do: 'ask', id, actor, key })),
  };
}

interface Gone {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly error?: Error;
}

/** Once, when the process is gone and everything that it wrote was read, or when it could not be started. */
function whenEnded(child: ChildProcess, done: (gone: Gone) => void) {
  let isDone = false;
  const once = (gone: Gone): void => {
    if (isDone) return;
    isDone = true;
    done(gone);
  };
  child.once('close', (code: number | null, signal: NodeJS.Signals | null) => once({ code, signal }));
  return {
    failed: (error: Error) => {
      if (child.pid === undefined) once({ code: null, signal: null, error });
    },
  };
}

function eachLine(stream: Readable | null, take: (line: string) => void): void {
  if (stream) createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', take);
}

const hints: Readonly<Record<string, string>> = {
  SIGKILL: 'Somebody killed it, or the system did for want of memory.',
  SIGABRT: 'Its heap was full, or a native module gave up: the lines that it wrote before tell.',
  SIGSEGV: 'A native module is at fault.',
};

function diedError(name: string, { pid }: ChildProcess, { code, signal, error }: Gone): WorkerDiedError {
  if (error) return new WorkerDiedError(`The worker ${name} could not be started: ${error.message}`, { cause: error });
  const how = signal ? `by ${signal}` : `with exit code ${code}`;
  const hint =
    hints[signal ?? ''] ?? 'Its code called process.exit, or an error escaped that the lines before tell of.';
  return new WorkerDiedError(`The worker ${name} (process ${pid}) ended ${how}. ${hint}`, {
    context: { worker: name },
  });
}
