// The program of a worker: a child process of `tidemark run --workers`. What it runs comes through the channel to its parent.
import { start } from '../../lib/index.ts';
import { loadJob } from '../load-job.ts';
import { storeOf } from '../store.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { WorkerProgram } from './worker-program.ts';

for (const stream of [process.stdout, process.stderr]) {
  // The parent has gone: what is left to say is said to nobody, and the final checkpoint is still taken.
  stream.on('error', () => {});
}

const send = (message: FromWorker): void => {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
};

const program = new WorkerProgram({
  loadJob,
  start,
  openStore: storeOf,
  send,
  timers: {
    now: () => performance.now(),
    later: (call, inMs) => void (inMs === 0 ? setImmediate(call) : setTimeout(call, inMs)),
  },
  memoryBytes: () => process.memoryUsage.rss(),
});

process.on('message', message => program.told(message as ToWorker));
// Without a parent nobody watches this process any more.
process.on('disconnect', () => {
  program.stop();
  setTimeout(() => process.exit(1), program.endWithinMs).unref();
});
// Ctrl-C in a terminal, and the stop of a service, reach every process of the group: the parent says the same.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => program.stop());

await program.ended;
await new Promise<void>(resolve => {
  if (!process.connected) resolve();
  else
    process.send?.({ is: 'news', checkpoints: [], lines: [] } satisfies FromWorker, undefined, undefined, () =>
      resolve(),
    );
});
process.exit(0);
