// One variant in a process of its own:
// node --expose-gc --conditions=tidemark-dev bench/heap/variant.ts <windows|ttl> <records>
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { firstValueFrom, map } from 'rxjs';
import { actor, job, start, type, valueState } from 'tidemark';
import { fileStore } from 'tidemark/connectors/file';
import { aggregates, assignTimestamps, keyBy, slidingWindow, watermarks } from 'tidemark/operators';
import { benchSource } from '../harness/bench-source.ts';
import { quiet } from '../harness/quiet.ts';

export interface Sample {
  readonly records: number;
  /** After a collection, bytes. */
  readonly heap: number;
  readonly store: number;
  readonly keys: number;
}

interface Event {
  readonly key: number;
  readonly at: number;
}

const batchSize = 1_000;
const samples = 10;
/** Records in a second of event time; a key gets ten in a row and never comes again. */
const perSecond = 10_000;
const perKey = 10;

const [name = '', count] = process.argv.slice(2);
const records = Number(count);
const folder = mkdtempSync(path.join(tmpdir(), 'tidemark-heap-'));

const source = benchSource<Event>();
const running = start(
  job('heap', () => {
    const byKey = source
      .stream()
      .pipe(assignTimestamps({ timestamp: ({ at }: Event) => at, watermarks: watermarks.monotonous() }))
      .pipe(keyBy(({ key }) => key));
    if (name === 'windows') {
      return byKey.pipe(
        slidingWindow('w', '20s', '1s', aggregates.count<Event>()),
        map(({ value }) => value),
      );
    }
    return byKey.pipe(
      actor('seen', {
        emits: type<number>(),
        update: 'return',
        states: { seen: valueState<number>({ ttl: { after: '20s', on: 'event' } }) },
        initial: () => undefined,
        receive(_, _event: Event, { states: { seen }, emit }) {
          const next = (seen.get() ?? 0) + 1;
          seen.set(next);
          emit(next);
        },
      }),
    );
  }),
  { store: fileStore(folder), checkpoint: { interval: '1s' }, logger: quiet },
);
const feed = await source.opened;

const found: Sample[] = [];
for (let batch = 0; batch * batchSize < records; batch++) {
  feed.batch(
    Array.from({ length: batchSize }, (_, i): Event => {
      const n = batch * batchSize + i;
      return { key: Math.floor(n / perKey), at: Math.floor((n * 1_000) / perSecond) };
    }),
  );
  if (batch % 10 === 9) await yieldToEventLoop();
  const given = (batch + 1) * batchSize;
  if (given % (records / samples) === 0) {
    const committed = firstValueFrom(running.checkpoints$);
    running.checkpoint();
    await committed;
    globalThis.gc?.();
    const keys = running.status.actors.reduce((sum, { keys }) => sum + keys, 0);
    found.push({ records: given, heap: process.memoryUsage().heapUsed, store: bytesIn(folder), keys });
  }
}
await running.cancel();
rmSync(folder, { recursive: true });
console.log(JSON.stringify(found));

function bytesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .reduce((sum, entry) => sum + statSync(path.join(entry.parentPath, entry.name)).size, 0);
}
