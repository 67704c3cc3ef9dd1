// Writes or restores a large state, in a process of its own:
// node --expose-gc --conditions=tidemark-dev bench/restore/variant.ts write|restore <folder or redis: URL> count|object
import { type DataStream, fileStore, type JobHandle, job, start } from 'tidemark';
import { redisStore } from 'tidemark/connectors/redis';
import { keyBy, scan } from 'tidemark/operators';
import { benchSource } from '../harness/bench-source.ts';
import { manyKeys, type Payment, payment } from '../harness/payment.ts';
import { quiet } from '../harness/quiet.ts';
import { deltaKeys, deltas } from './load.ts';

const batchSize = 500;

export interface RestoreResult {
  /** From `start` to the first record. */
  readonly restoreMs: number;
  /** Processor time of the thread meanwhile. */
  readonly cpuMs: number;
  readonly heapBytesPerKey: number;
}

const states = {
  count: (stream: DataStream<Payment, string>) => stream.pipe(scan('state', n => n + 1, 0)),
  object: (stream: DataStream<Payment, string>) =>
    stream.pipe(
      scan(
        'state',
        (total, { cents }) => ({ payments: total.payments + 1, cents: total.cents + cents }),
        { payments: 0, cents: 0 },
        { update: 'return' },
      ),
    ),
};

const [mode, target = '', kind = 'count'] = process.argv.slice(2);
const state = states[kind as keyof typeof states];
const heapBefore = heapUsed();
const startedAt = performance.now();
const usedBefore = process.threadCpuUsage();
const { stream, opened } = benchSource<Payment>();
const running = start(
  job('restore', () => state(stream().pipe(keyBy(payment => payment.account)))),
  {
    store: target.startsWith('redis:') ? redisStore(target) : fileStore(target),
    checkpoint: { interval: 'off', timeout: '1m' },
    logger: quiet,
  },
);
running.done.catch(error => {
  console.error(error);
  process.exit(1);
});
const source = await opened;
const restoreMs = performance.now() - startedAt;
const used = process.threadCpuUsage(usedBefore);
if (mode === 'write') await write(running);
else {
  const restored = await running.ask('state', 'account-7');
  if (restored === undefined || running.status.actors[0]?.keys !== manyKeys)
    throw new Error('not all state was restored');
  const result: RestoreResult = {
    restoreMs,
    cpuMs: (used.user + used.system) / 1_000,
    heapBytesPerKey: (heapUsed() - heapBefore) / manyKeys,
  };
  console.log(JSON.stringify(result));
}
process.exit(0);

async function write(running: JobHandle): Promise<void> {
  for (let delta = 0; delta <= deltas; delta++) {
    const count = delta === 0 ? manyKeys : deltaKeys;
    for (let n = 0; n < count; n += batchSize) {
      source.batch(Array.from({ length: batchSize }, (_, i) => payment(delta * 7 + n + i)));
      if (n % 10_000 === 0) await new Promise(resolve => setImmediate(resolve));
    }
    const committed = new Promise<void>((resolve, reject) => {
      running.checkpoints$.subscribe(({ outcome, reason }) => {
        if (outcome === 'committed') resolve();
        else reject(new Error(`a checkpoint was ${outcome}: ${reason}`));
      });
    });
    running.checkpoint();
    await committed;
  }
  await running.stop();
  console.log('{}');
}

function heapUsed(): number {
  if (!globalThis.gc) throw new Error('run with --expose-gc');
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}
