// A large state in a process of its own, which runs for a second at each message "go" and answers what it saw:
// fork(bench/barrier/variant.ts, [folder or redis: URL, 'checkpoints' | 'none', 'count' | 'object'])
import { map } from 'rxjs';
import { type CheckpointEvent, fileStore, job, start } from 'tidemark';
import { redisStore } from 'tidemark/connectors/redis';
import { keyBy, scan } from 'tidemark/operators';
import { benchSource } from '../harness/bench-source.ts';
import { manyKeys, type Payment, payment } from '../harness/payment.ts';
import { quiet } from '../harness/quiet.ts';
import { GapMeter, type LongestGap } from './gap-meter.ts';
import { batchSize, changedKeys, secondMs, windowMs } from './load.ts';

/** One second of the run, or longer until its checkpoint is committed. */
export interface Second {
  readonly recordsPerSecond: number;
  readonly recordsPerCpuSecond: number;
  /** Until the commit of the checkpoint that it began with; without one, in about as long a time. */
  readonly longestGap: LongestGap;
  readonly checkpoint?: { readonly durationMs: number; readonly entries: number; readonly bytes: number };
}

const [target = '', mode, state] = process.argv.slice(2);
const withCheckpoints = mode === 'checkpoints';
const { stream, opened } = benchSource<Payment>();
const counted = scan<Payment, number>('total', total => total + 1, 0, { update: 'return' });
const added = scan(
  'total',
  (total, { cents }: Payment) => ({ payments: total.payments + 1, cents: total.cents + cents }),
  { payments: 0, cents: 0 },
  { update: 'return' },
);
const definition = job('barrier', () => {
  const payments = stream().pipe(keyBy(payment => payment.account));
  return state === 'count'
    ? payments.pipe(
        counted,
        map(count => -count),
      )
    : payments.pipe(
        added,
        map(({ cents }) => cents),
      );
});
const running = start(definition, {
  store: target.startsWith('redis:') ? redisStore(target) : fileStore(target),
  checkpoint: { interval: 'off' },
  logger: quiet,
});
running.done.catch(error => {
  console.error(error);
  process.exit(1);
});
let whenCommitted: (event: CheckpointEvent) => void = () => {};
running.checkpoints$.subscribe(event => whenCommitted(event));
const source = await opened;
const gaps = new GapMeter();
let records = 0;
/** First of the keys that change now. */
let base = 0;

for (let n = 0; n < manyKeys; n += batchSize) {
  source.batch(Array.from({ length: batchSize }, (_, i) => payment(n + i)));
}
process.on('message', message => {
  if (message === 'go') void second().then(seen => process.send?.(seen));
  else process.exit(0);
});
process.send?.('ready');

async function second(): Promise<Second> {
  const startedAt = performance.now();
  const usedBefore = process.threadCpuUsage();
  const recordsBefore = records;
  let checkpoint: Second['checkpoint'];
  let seen: ReturnType<GapMeter['snapshot']> | undefined;
  gaps.restart();
  if (withCheckpoints) {
    whenCommitted = ({ outcome, durationMs, entries, bytes }) => {
      if (outcome !== 'committed') throw new Error(`a checkpoint was ${outcome}`);
      checkpoint = { durationMs, entries, bytes };
      seen = gaps.snapshot();
    };
    running.checkpoint();
  }
  // Half of the keys that changed go on changing, while their checkpoint is written; the other half are new ones.
  base += changedKeys / 2;
  while (performance.now() < startedAt + secondMs || (withCheckpoints && !checkpoint)) {
    const batch: Payment[] = [];
    for (let i = 0; i < batchSize; i++) batch.push(payment(base + (((records + i) * 7_919) % changedKeys)));
    gaps.around(() => source.batch(batch));
    records += batchSize;
    if (!withCheckpoints && !seen && performance.now() > startedAt + windowMs) seen = gaps.snapshot();
    await new Promise(resolve => setImmediate(resolve));
  }
  const used = process.threadCpuUsage(usedBefore);
  return {
    recordsPerSecond: ((records - recordsBefore) / (performance.now() - startedAt)) * 1_000,
    recordsPerCpuSecond: ((records - recordsBefore) / (used.user + used.system)) * 1_000_000,
    longestGap: (seen ?? gaps.snapshot()).longest(),
    ...(checkpoint && { checkpoint }),
  };
}
