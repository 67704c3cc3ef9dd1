// One worker, in a thread or in a process of its own. It says how far it is, and does what it is told.
import { parentPort } from 'node:worker_threads';
import { job, memoryStore, start } from 'tidemark';
// What a worker of a real job loads, native modules among it.
import 'tidemark/connectors/kafka';
import 'tidemark/connectors/redis';
import { benchSource } from '../harness/bench-source.ts';
import { quiet } from '../harness/quiet.ts';
import { jobChains } from '../throughput/chains.ts';
import { feed } from '../throughput/feed.ts';
import type { Payment } from '../throughput/payments.ts';

export type Order = 'run' | 'exit' | 'out of memory' | 'native fault' | 'unhandled error';
export interface Ran {
  readonly records: number;
  readonly wallMs: number;
  readonly threadCpuMs: number;
  /** All threads of the process: collecting garbage and compiling, too. */
  readonly processCpuMs: number;
}

const million = 1_000_000;
const say = (message: unknown): void => {
  if (parentPort) parentPort.postMessage(message);
  else process.send?.(message);
};
const listen = (told: (order: Order) => void): void => {
  if (parentPort) parentPort.on('message', told);
  else process.on('message', told);
};

const orders: Readonly<Record<Order, () => unknown>> = {
  run: async () => say(await run()),
  exit: () => process.exit(7),
  'out of memory': () => {
    const kept: unknown[] = [];
    for (;;) kept.push(new Array(10_000).fill(kept.length));
  },
  // What an addon does that reads where nothing is.
  'native fault': () => process.kill(process.pid, 'SIGSEGV'),
  'unhandled error': () =>
    setImmediate(() => {
      throw new Error('thrown by a timer of the application');
    }),
};

listen(order => void orders[order]());
say('ready');

async function run(): Promise<Ran> {
  const { stream, opened } = benchSource<Payment>();
  const running = start(
    job('workers', () => jobChains['job-object'](new Float64Array(1))(stream())),
    { store: memoryStore(), checkpoint: { interval: 'off' }, logger: quiet },
  );
  const source = await opened;
  const pace = { warmUp: million, timed: 3 * million };
  const before = process.cpuUsage();
  const { wallMs, cpuMs } = await feed(
    { batch: payments => source.batch(payments), barrier: () => running.checkpoint() },
    pace,
  );
  const used = process.cpuUsage(before);
  await running.cancel();
  return {
    records: pace.timed + pace.warmUp,
    wallMs,
    threadCpuMs: cpuMs,
    processCpuMs: (used.user + used.system) / 1_000,
  };
}
