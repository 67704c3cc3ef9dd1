import { filter, firstValueFrom } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { from, type JobHandle, type JobSettings, job, memoryStore, start } from '../../lib/index.ts';
import {
  aggregates,
  assignTimestamps,
  keyBy,
  repartition,
  scan,
  to,
  tumblingWindow,
  watermarks,
} from '../../operators/index.ts';
import { quiet } from '../job/quiet.ts';
import { collected } from './collected.ts';
import { type Keyed, PartitionedLog } from './partitioned-log.ts';

const open = new Set<JobHandle>();
afterEach(async () => {
  await Promise.all([...open].map(handle => handle.cancel()));
  open.clear();
});

/** Words of records that lie anywhere, counted by word. */
function words(log: PartitionedLog, onRecord: (record: Keyed) => void = () => {}) {
  const store = memoryStore();
  const output = collected<{ readonly word: string; readonly count: number; readonly last: number }>();
  const declared = job('words', () =>
    from(log.source()).pipe(
      keyBy(({ key }: Keyed) => key),
      repartition('words'),
      scan(
        'count',
        (count: { word: string; count: number; last: number }, record: Keyed) => {
          onRecord(record);
          return { word: record.key, count: count.count + 1, last: record.n };
        },
        { word: '', count: 0, last: -1 },
      ),
      to(output.sink),
    ),
  );
  const process = (over: JobSettings = {}) => {
    const handle = start(declared, {
      tasks: 'per-partition',
      store,
      logger: quiet,
      checkpoint: { interval: '10ms' },
      restart: { strategy: 'fixed-delay', attempts: 100, delay: '1ms' },
      ...over,
    });
    open.add(handle);
    return handle;
  };
  return { process, output, store };
}

/** Each word in every partition, `rounds` times, with rising numbers inside a partition. */
function fill(log: PartitionedLog, rounds: number, from = 0): void {
  for (let n = from; n < from + rounds; n++) {
    for (let partition = 0; partition < log.count; partition++) {
      for (const key of ['a', 'b', 'c', 'd', 'e']) log.append(partition, { key, n });
    }
  }
}

const countsOf = (values: readonly { readonly word: string; readonly count: number }[], word: string) =>
  values.filter(value => value.word === word).map(({ count }) => count);

const running = (handle: JobHandle, count: number) =>
  firstValueFrom(
    handle.status$.pipe(filter(({ tasks = [] }) => tasks.filter(({ phase }) => phase === 'running').length === count)),
  );

describe('repartition between several tasks', () => {
  it('brings every record of a key to one task, each once, and completes when all tasks have', async () => {
    const log = new PartitionedLog({ partitions: 4 });
    const { process, output, store } = words(log);
    fill(log, 25);
    log.end();
    expect(await process().done).toBe('finished');
    for (const word of ['a', 'b', 'c', 'd', 'e']) {
      expect(countsOf(output.values, word)).toEqual(Array.from({ length: 100 }, (_, n) => n + 1));
    }
    const keys = [];
    for (const ref of await store.tasks()) {
      keys.push((await store.task(ref).manifests()).at(-1)?.manifest.actors.count?.keys ?? 0);
    }
    expect(keys.reduce((sum, one) => sum + one)).toBe(5);
  });

  it('keeps the order of the records of a key that one task had', async () => {
    const log = new PartitionedLog({ partitions: 2 });
    const seen = new Map<string, number[]>();
    const { process } = words(log, ({ key, n }) => seen.set(key, [...(seen.get(key) ?? []), n]));
    for (let n = 0; n < 200; n++) log.append(0, { key: `k${n % 7}`, n });
    log.end();
    await process().done;
    for (const numbers of seen.values()) expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect([...seen.values()].flat()).toHaveLength(200);
  });

  it('counts each once while tasks move and fail', async () => {
    const log = new PartitionedLog({ partitions: 3 });
    let failures = 4;
    const { process, output } = words(log, ({ key, n }) => {
      if (key !== 'c' || n % 9 !== 8 || failures === 0) return;
      failures--;
      throw new Error('planned');
    });
    const first = process();
    fill(log, 10);
    await running(first, 3);
    const second = process();
    fill(log, 10, 10);
    await running(second, 1);
    fill(log, 10, 20);
    await first.stop();
    await running(second, 3);
    fill(log, 10, 30);
    log.end();
    expect(await second.done).toBe('finished');
    expect(failures).toBe(0);
    for (const word of ['a', 'b', 'c', 'd', 'e']) {
      expect(countsOf(output.values, word)).toEqual(Array.from({ length: 120 }, (_, n) => n + 1));
    }
  });

  it('passes on the lowest watermark of all tasks, so that no window closes before its last record', async () => {
    const log = new PartitionedLog({ partitions: 3 });
    const store = memoryStore();
    const output = collected<{ readonly start: number; readonly value: number }>();
    const declared = job('windows', () =>
      from(log.source()).pipe(
        assignTimestamps<Keyed>({ timestamp: ({ n }) => n, watermarks: watermarks.monotonous() }),
        keyBy(({ key }: Keyed) => key),
        repartition('windows'),
        tumblingWindow('count', 100, aggregates.count<Keyed>()),
        to(output.sink),
      ),
    );
    // One partition is far behind the others in time.
    for (let n = 0; n < 1_000; n += 10) log.append(0, { key: 'x', n: n + 5_000 });
    for (let n = 0; n < 1_000; n += 10) log.append(1, { key: 'x', n });
    const handle = start(declared, {
      tasks: 'per-partition',
      store,
      logger: quiet,
      checkpoint: { interval: '10ms' },
    });
    open.add(handle);
    await running(handle, 3);
    // The third task has said nothing yet: nothing may close.
    const through = (status: JobHandle['status']) => status.sources.find(({ name }) => name !== 'log')?.records ?? 0;
    await firstValueFrom(handle.status$.pipe(filter(status => through(status) > 200)));
    expect(output.values).toEqual([]);
    for (let n = 0; n < 6_000; n += 100) log.append(2, { key: 'x', n });
    log.end();
    expect(await handle.done).toBe('finished');
    const counts = output.values.toSorted((a, b) => a.start - b.start).map(({ start, value }) => [start, value]);
    expect(counts.filter(([start]) => (start as number) < 1_000)).toEqual(
      Array.from({ length: 10 }, (_, i) => [i * 100, 11]),
    );
    expect(counts.map(([, value]) => value).reduce((sum, one) => (sum as number) + (one as number))).toBe(260);
  });

  it('is the way for records of keys that are at home elsewhere, which a keyed actor refuses without it', async () => {
    const log = new PartitionedLog({ partitions: 2, partitionOf: key => Number(key === 'b') });
    const { process, output } = words(log);
    log.append(0, { key: 'a', n: 0 }, { key: 'b', n: 1 });
    log.append(1, { key: 'a', n: 2 });
    log.end();
    expect(await process().done).toBe('finished');
    expect(countsOf(output.values, 'a')).toEqual([1, 2]);
  });

  it('is refused where the tasks would leave too many markers in Kafka', async () => {
    const log = new PartitionedLog({ partitions: 4 });
    const { process } = words(log);
    // 4 tasks, each with 4 partitions of the channel and two others, 100 times a second.
    await expect(process({ maxMarkers: 2_399 }).done).rejects.toThrow(/maxMarkers: 4 tasks.*2400 markers a second/);
    await running(process({ maxMarkers: 2_400 }), 4);
  });

  it('passes records at once, as they are, in a job of one task', async () => {
    const log = new PartitionedLog({ partitions: 3 });
    const { process, output } = words(log);
    fill(log, 5);
    log.end();
    expect(await process({ tasks: 'single' }).done).toBe('finished');
    expect(countsOf(output.values, 'a')).toEqual(Array.from({ length: 15 }, (_, n) => n + 1));
    expect(log.channels.size).toBe(0);
  });

  it('forgets what an earlier job of its name left in the channel, but nothing that a state knows of', async () => {
    const log = new PartitionedLog({ partitions: 2 });
    const { process } = words(log);
    fill(log, 3);
    const handle = process();
    await running(handle, 2);
    expect(log.channels.get('words')?.forgotten).toEqual([[0, 0]]);
    await handle.stop();
    const again = process();
    await running(again, 2);
    expect(log.channels.get('words')?.forgotten).toHaveLength(1);
  });
});
