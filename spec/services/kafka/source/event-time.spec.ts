import { randomUUID } from 'node:crypto';
import { map } from 'rxjs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { string } from '../../../../connectors/kafka/format/string.ts';
import { kafkaSource } from '../../../../connectors/kafka/source/source.ts';
import { memorySink } from '../../../../connectors/memory/index.ts';
import { type Duration, from, job, memoryStore, start } from '../../../../lib/index.ts';
import { aggregates, assignTimestamps, keyBy, to, tumblingWindow, watermarks } from '../../../../operators/index.ts';
import { keptLog } from '../../../contract/source-probe.ts';
import { SourceCluster } from './source-cluster.ts';

// Event time comes from the records of each partition: one that lags, however the fetches mix them, makes nothing late.
const cluster = new SourceCluster();
beforeAll(() => cluster.connect());
afterAll(() => cluster.close());

interface Counted {
  readonly start: number;
  readonly value: number;
}

const second = 1_000;
/** `count` records a second apart, from `from` seconds on. */
const ticks = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => ({ value: 'tick', timestamp: (from + i) * second }));

function counts(
  topic: string,
  options: { stop?: 'latest'; idleAfter?: Duration; maxDrift?: Duration; failing?: () => boolean } = {},
) {
  const { stop, idleAfter, maxDrift, failing = () => false } = options;
  const sink = memorySink<Counted>();
  const source = kafkaSource({
    topic,
    value: string(),
    maxWait: 20,
    maxPartitionBytes: 2_048,
    start: 'earliest',
    ...(stop ? { stop } : {}),
  });
  const handle = start(
    job(`event-time-${randomUUID()}`, () =>
      from(source)
        .pipe(
          assignTimestamps({
            watermarks: watermarks.boundedOutOfOrderness(0),
            ...(idleAfter === undefined ? {} : { idleAfter }),
            ...(maxDrift === undefined ? {} : { alignment: { maxDrift } }),
          }),
        )
        .pipe(
          map(value => {
            if (failing()) throw new Error('planted');
            return value;
          }),
          keyBy(value => value),
          tumblingWindow('minutes', '1m', aggregates.count()),
          map(({ start, value }): Counted => ({ start, value })),
          to(sink),
        ),
    ),
    {
      store: memoryStore(),
      logger: keptLog([]),
      checkpoint: { interval: 20 },
      restart: { strategy: 'fixed-delay', attempts: 20, delay: 1 },
    },
  );
  return { sink, handle };
}

describe('the watermark of a Kafka source', () => {
  test('is that of the partition that is behind: nothing is late, through crashes, and each window comes once', async () => {
    const topic = await cluster.topic(3);
    // One partition is a day long, one an hour, and one begins where the hour ends.
    await cluster.write(topic, 0, ticks(7_200));
    await cluster.write(topic, 1, ticks(3_600));
    await cluster.write(topic, 2, ticks(3_600, 3_600));
    let handled = 0;
    let failures = 0;
    const { sink, handle } = counts(topic, {
      stop: 'latest',
      failing: () => {
        handled++;
        // Not for ever: a busy machine may take no checkpoint between two of them.
        if (handled % 4_000 !== 0 || failures === 5) return false;
        failures++;
        return true;
      },
    });
    expect(await handle.done).toBe('finished');
    expect(handled).toBeGreaterThan(14_400);
    const minutes = Array.from({ length: 120 }, (_, minute) => ({ start: minute * 60 * second, value: 120 }));
    expect([...sink.committed].sort((a, b) => a.start - b.start)).toEqual(minutes);
  });

  test('waits for an empty partition, whose name the status tells, unless that is idle', async () => {
    const topic = await cluster.topic(2);
    await cluster.write(topic, 0, ticks(150));
    const waiting = counts(topic);
    await vi.waitUntil(() => waiting.handle.status.records.in === 150, 20_000);
    expect(waiting.handle.status.sources[0]?.time).toEqual({ heldBackBy: `${topic}-1`, idle: [], ahead: [] });
    await waiting.handle.stop();
    expect(waiting.sink.committed).toEqual([]);

    const idling = counts(topic, { idleAfter: 200 });
    await vi.waitUntil(() => idling.sink.committed.length === 2, 20_000);
    expect(idling.sink.committed.map(({ value }) => value)).toEqual([60, 60]);
    expect(idling.handle.status.sources[0]?.time).toMatchObject({ watermark: 149 * second - 1 });
    expect(idling.handle.status.sources[0]?.time?.idle).toContain(`${topic}-1`);
    // It counts again with its first record; what is older than the watermark is late by then.
    await cluster.write(topic, 1, ticks(40, 140));
    await vi.waitUntil(() => idling.handle.status.records.in === 190, 20_000);
    await cluster.write(topic, 0, ticks(150, 150));
    await vi.waitUntil(() => idling.sink.committed.length === 4, 20_000);
    await idling.handle.stop();
    expect(idling.sink.committed.map(({ value }) => value)).toEqual([60, 60, 100, 60]);
  });

  test('lets a partition wait that is far ahead of another one', async () => {
    const topic = await cluster.topic(2);
    for (const partition of [0, 1]) await cluster.write(topic, partition, ticks(1));
    const { sink, handle } = counts(topic, { maxDrift: '10m' });
    await vi.waitUntil(() => handle.status.records.in === 2, 20_000);
    for (let from = 0; from < 3_000; from += 100) await cluster.write(topic, 0, ticks(100, from));
    await vi.waitUntil(() => handle.status.sources[0]?.time?.ahead.length === 1, 20_000);
    expect(handle.status.sources[0]?.time?.ahead).toEqual([`${topic}-0`]);
    expect(handle.status.records.in).toBeLessThan(2_000);
    await cluster.write(topic, 1, ticks(3_000, 1));
    await vi.waitUntil(() => handle.status.records.in === 6_002, 20_000);
    await handle.stop();
    // The first record of partition 0 is there twice.
    expect(sink.committed.map(({ value }) => value)).toEqual(
      [121, ...Array.from({ length: 49 }, () => 120)].slice(0, sink.committed.length),
    );
    expect(sink.committed.length).toBeGreaterThan(45);
  });
});
