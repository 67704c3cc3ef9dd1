// One query in a process of its own: node --conditions=tidemark-dev bench/nexmark/variant.ts <query>
import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { tap } from 'rxjs';
import { job, memoryStore, start } from 'tidemark';
import { assignTimestamps, watermarks } from 'tidemark/operators';
import type { NexmarkEvent } from '../../samples/nexmark/events.ts';
import { Generator } from '../../samples/nexmark/generator/generator.ts';
import { queries } from '../../samples/nexmark/queries/index.ts';
import { benchSource } from '../harness/bench-source.ts';
import { quiet } from '../harness/quiet.ts';
import { batchSize, disorderMs, events, eventsPerSecond, type MeasuredQuery, timedMs, warmUpMs } from './load.ts';

export interface NexmarkResult {
  /** Events, whether the query passes them or not. */
  readonly recordsPerSecond: number;
  readonly recordsPerCpuSecond: number;
  /** Lines of the answer for each million events. */
  readonly rowsPerMillion: number;
  readonly committed: number;
  readonly notCommitted: number;
}

const query = process.argv[2] as MeasuredQuery;
const generator = new Generator({ seed: 7, eventsPerSecond, disorderMs });
const batches = Array.from({ length: events / batchSize }, (_, batch) =>
  Array.from({ length: batchSize }, (_, i) => generator.at(batch * batchSize + i)),
);
/** ms that all of them last. */
const lengthMs = (events / eventsPerSecond) * 1_000;

let laterMs = 0;
let rows = 0;
let committed = 0;
let notCommitted = 0;
const { stream, opened } = benchSource<NexmarkEvent>();
const running = start(
  job('nexmark', () => {
    const input = stream().pipe(
      assignTimestamps({
        timestamp: ({ dateTime }: NexmarkEvent) => dateTime + laterMs,
        watermarks: watermarks.boundedOutOfOrderness(disorderMs),
      }),
    );
    return queries[query](input).pipe(tap(() => rows++));
  }),
  { store: memoryStore(), checkpoint: { interval: '1s' }, logger: quiet },
);
running.done.catch(error => {
  console.error(error);
  process.exit(1);
});
running.checkpoints$.subscribe(({ outcome }) => {
  if (outcome === 'committed') committed++;
  else notCommitted++;
});
const source = await opened;
let given = 0;

await giveFor(warmUpMs);
const before = { given, rows, committed, notCommitted, used: process.threadCpuUsage(), at: performance.now() };
await giveFor(timedMs);
const wallMs = performance.now() - before.at;
const used = process.threadCpuUsage(before.used);
const records = given - before.given;
const result: NexmarkResult = {
  recordsPerSecond: (records / wallMs) * 1_000,
  recordsPerCpuSecond: (records / (used.user + used.system)) * 1_000_000,
  rowsPerMillion: ((rows - before.rows) / records) * 1_000_000,
  committed: committed - before.committed,
  notCommitted: notCommitted - before.notCommitted,
};
console.log(JSON.stringify(result));
await running.cancel();

async function giveFor(ms: number): Promise<void> {
  const end = performance.now() + ms;
  while (performance.now() < end) {
    const batch = (given / batchSize) % batches.length;
    if (given > 0 && batch === 0) laterMs += lengthMs;
    source.batch(batches[batch] as readonly NexmarkEvent[]);
    given += batchSize;
    await yieldToEventLoop();
  }
}
