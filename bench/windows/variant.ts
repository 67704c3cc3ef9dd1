// One variant in a process of its own:
// node --conditions=tidemark-dev bench/windows/variant.ts <tumbling|sliding|session|none> <keys> <records>
import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { map } from 'rxjs';
import { job, memoryStore, start } from 'tidemark';
import {
  aggregates,
  assignTimestamps,
  keyBy,
  sessionWindow,
  slidingWindow,
  tumblingWindow,
  watermarks,
} from 'tidemark/operators';
import { benchSource } from '../harness/bench-source.ts';
import { quiet } from '../harness/quiet.ts';

export interface VariantResult {
  readonly recordsPerSecond: number;
  readonly recordsPerCpuSecond: number;
  /** Windows that ended while it was measured. */
  readonly results: number;
}

interface Event {
  readonly key: number;
  readonly at: number;
}

const batchSize = 1_000;
/** Records in a second of event time. */
const perSecond = 10_000;

const [name = '', keyCount, count] = process.argv.slice(2);
const keys = Number(keyCount);
const timed = Number(count);
const warmUp = timed / 2;

/** Keys in an order without a pattern, times that rise. */
const batches = Array.from({ length: (warmUp + timed) / batchSize }, (_, batch) =>
  Array.from({ length: batchSize }, (_, i): Event => {
    const n = batch * batchSize + i;
    return { key: (n * 7_919) % keys, at: Math.floor((n * 1_000) / perSecond) };
  }),
);

let results = 0;
const tally = map(value => {
  results++;
  return value;
});
const source = benchSource<Event>();
const running = start(
  job('windows', () => {
    const byKey = source
      .stream()
      .pipe(assignTimestamps({ timestamp: ({ at }: Event) => at, watermarks: watermarks.monotonous() }))
      .pipe(keyBy(({ key }) => key));
    const counted = aggregates.count<Event>();
    if (name === 'tumbling') return byKey.pipe(tumblingWindow('w', '60s', counted), tally);
    if (name === 'sliding') return byKey.pipe(slidingWindow('w', '60s', '1s', counted), tally);
    if (name === 'session') return byKey.pipe(sessionWindow('w', '10s', counted), tally);
    return byKey.pipe(tally);
  }),
  { store: memoryStore(), checkpoint: { interval: '1s' }, logger: quiet },
);
const feed = await source.opened;

async function giveAll(from: number, until: number): Promise<void> {
  for (let batch = from; batch < until; batch++) {
    feed.batch(batches[batch] as Event[]);
    if (batch % 10 === 9) await yieldToEventLoop();
  }
}

const first = warmUp / batchSize;
await giveAll(0, first);
const [resultsBefore, startedAt, usedBefore] = [results, performance.now(), process.threadCpuUsage()];
await giveAll(first, batches.length);
const [wallMs, used] = [performance.now() - startedAt, process.threadCpuUsage(usedBefore)];
const result: VariantResult = {
  recordsPerSecond: (timed / wallMs) * 1_000,
  recordsPerCpuSecond: (timed / (used.user + used.system)) * 1_000_000,
  results: results - resultsBefore,
};
await running.cancel();
console.log(JSON.stringify(result));
