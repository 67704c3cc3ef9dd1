// One query in a process of its own: node --expose-gc --conditions=tidemark-dev bench/nexmark/variant.ts <query>
import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { firstValueFrom } from 'rxjs';
import { job, memoryStore, start } from 'tidemark';
import { assignTimestamps, to, watermarks } from 'tidemark/operators';
import type { NexmarkEvent } from '../../samples/nexmark/events.ts';
import { Generator } from '../../samples/nexmark/generator/generator.ts';
import { queries } from '../../samples/nexmark/queries/index.ts';
import { benchSource } from '../harness/bench-source.ts';
import { quiet } from '../harness/quiet.ts';
import { batchSize, disorderMs, events, eventsBetweenLooks, eventsPerSecond, type MeasuredQuery } from './load.ts';
import { nullSink } from './null-sink.ts';

export interface NexmarkResult {
  /** Events, whether the query passes them or not. */
  readonly recordsPerSecond: number;
  readonly recordsPerCpuSecond: number;
  /** Lines of the answer. */
  readonly rows: number;
  /** After a collection, bytes: before the first event, and behind each part of them. */
  readonly heaps: readonly number[];
  readonly committed: number;
  readonly notCommitted: number;
}

const query = process.argv[2] as MeasuredQuery;
const generator = new Generator({ seed: 7, eventsPerSecond, disorderMs });

// The first one is for V8 to know the code.
await measure(2 * eventsBetweenLooks);
console.log(JSON.stringify(await measure(events)));

async function measure(count: number): Promise<NexmarkResult> {
  const { stream, opened } = benchSource<NexmarkEvent>();
  const sink = nullSink<object>();
  const running = start(
    job('nexmark', () => {
      const input = stream().pipe(
        assignTimestamps({
          timestamp: ({ dateTime }: NexmarkEvent) => dateTime,
          watermarks: watermarks.boundedOutOfOrderness(disorderMs),
        }),
      );
      return queries[query](input).pipe(to<object>(sink));
    }),
    { store: memoryStore(), checkpoint: { interval: 'off' }, logger: quiet },
  );
  running.done.catch(error => {
    console.error(error);
    process.exit(1);
  });
  const source = await opened;
  const heaps = [heapNow()];
  let [wallMs, cpuMs, committed, notCommitted] = [0, 0, 0, 0];
  for (let first = 0; first < count; first += eventsBetweenLooks) {
    await timed(batchesFrom(first), async batches => {
      for (const batch of batches) {
        source.batch(batch);
        await yieldToEventLoop();
      }
      const checkpoint = firstValueFrom(running.checkpoints$);
      running.checkpoint();
      if ((await checkpoint).outcome === 'committed') committed++;
      else notCommitted++;
      if (first + eventsBetweenLooks === count) await running.stop({ drain: true });
    });
    if (first + eventsBetweenLooks < count) heaps.push(heapNow());
  }
  return {
    recordsPerSecond: (count / wallMs) * 1_000,
    recordsPerCpuSecond: (count / cpuMs) * 1_000,
    rows: sink.count,
    heaps,
    committed,
    notCommitted,
  };

  async function timed<T>(input: T, work: (input: T) => Promise<void>): Promise<void> {
    const before = { at: performance.now(), used: process.threadCpuUsage() };
    await work(input);
    const used = process.threadCpuUsage(before.used);
    wallMs += performance.now() - before.at;
    cpuMs += (used.user + used.system) / 1_000;
  }
}

/** The events of one part, made before the clock goes on, and let go of behind it. */
function batchesFrom(first: number): NexmarkEvent[][] {
  return Array.from({ length: eventsBetweenLooks / batchSize }, (_, batch) =>
    Array.from({ length: batchSize }, (_, i) => generator.at(first + batch * batchSize + i)),
  );
}

function heapNow(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
