// Checkpoints of a large state while records flow, in a process of its own:
// node --conditions=tidemark-dev bench/barrier/variant.ts <folder or redis: URL> <checkpoints>
import { map } from 'rxjs';
import { type CheckpointEvent, fileStore, job, start } from 'tidemark';
import { redisStore } from 'tidemark/connectors/redis';
import { keyBy, scan } from 'tidemark/operators';
import { benchSource } from '../harness/bench-source.ts';
import { quiet } from '../harness/quiet.ts';
import { type Gap, GapMeter } from './gap-meter.ts';
import { changedKeys, keys } from './load.ts';

const batchSize = 500;
const phaseMs = 1_000;

interface Payment {
  readonly account: string;
  readonly cents: number;
}

/** One second of the run. */
export interface Phase {
  readonly recordsPerSecond: number;
  /** ms without a record: by the clock, and as processor time of the thread, which others on the machine do not prolong. */
  readonly longestGap: Gap;
  /** The checkpoint that it began with; none in a second for comparison. */
  readonly checkpoint?: {
    readonly durationMs: number;
    readonly entries: number;
    readonly bytes: number;
    readonly longestGap: Gap;
  };
}

export interface BarrierResult {
  readonly first: Phase;
  readonly phases: readonly Phase[];
}

const [target = '', checkpoints] = process.argv.slice(2);
const { stream, opened } = benchSource<Payment>();
const running = start(
  job('barrier', () =>
    stream().pipe(
      keyBy(payment => payment.account),
      scan(
        'total',
        (total, { cents }) => ({ payments: total.payments + 1, cents: total.cents + cents }),
        { payments: 0, cents: 0 },
        { update: 'return' },
      ),
      map(({ cents }) => cents),
    ),
  ),
  {
    store: target.startsWith('redis:') ? redisStore(target) : fileStore(target),
    checkpoint: { interval: 'off' },
    logger: quiet,
  },
);
let whenCommitted: (event: CheckpointEvent) => void = () => {};
running.checkpoints$.subscribe(event => whenCommitted(event));
const source = await opened;
const gaps = new GapMeter();
let records = 0;
/** First of the keys that change until the next checkpoint. */
let base = 0;

for (let n = 0; n < keys; n += batchSize) {
  source.batch(Array.from({ length: batchSize }, (_, i) => payment(n + i)));
}
const first = await phase(true);
const phases: Phase[] = [];
for (let n = 0; n < Number(checkpoints); n++) {
  phases.push(await phase(true));
  if (n % 2 === 1) phases.push(await phase(false));
}
const result: BarrierResult = { first, phases };
console.log(JSON.stringify(result));
await running.cancel();
process.exit(0);

/** Records as a source makes them: new objects, with key strings of their own. */
function payment(n: number): Payment {
  return { account: `account-${n}`, cents: n % 97 };
}

/** Runs for a second, and until its checkpoint is committed. */
async function phase(withCheckpoint: boolean): Promise<Phase> {
  const startedAt = performance.now();
  const recordsBefore = records;
  let checkpoint: Phase['checkpoint'];
  gaps.restart();
  if (withCheckpoint) {
    whenCommitted = ({ outcome, durationMs, entries, bytes }) => {
      if (outcome !== 'committed') throw new Error(`a checkpoint was ${outcome}`);
      checkpoint = { durationMs, entries, bytes, longestGap: gaps.longest };
    };
    running.checkpoint();
    base = (base + changedKeys) % keys;
  }
  while (performance.now() < startedAt + phaseMs || (withCheckpoint && !checkpoint)) {
    const batch: Payment[] = [];
    for (let i = 0; i < batchSize; i++) batch.push(payment(base + (((records + i) * 7_919) % changedKeys)));
    gaps.around(() => source.batch(batch));
    records += batchSize;
    await new Promise(resolve => setImmediate(resolve));
  }
  return {
    recordsPerSecond: ((records - recordsBefore) / (performance.now() - startedAt)) * 1_000,
    longestGap: gaps.longest,
    ...(checkpoint && { checkpoint }),
  };
}
