import { randomUUID } from 'node:crypto';
import { map } from 'rxjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deadLetterHeaders } from '../../../../connectors/kafka/dead-letter.ts';
import { string } from '../../../../connectors/kafka/format/string.ts';
import { withMetadata } from '../../../../connectors/kafka/format/with-metadata.ts';
import { kafkaSource } from '../../../../connectors/kafka/source/source.ts';
import { memorySink } from '../../../../connectors/memory/index.ts';
import { from, type JobSettings, job, memoryStore, start } from '../../../../lib/index.ts';
import { keyBy, scan, to } from '../../../../operators/index.ts';
import { keptLog } from '../../../contract/source-probe.ts';
import { SourceCluster } from './source-cluster.ts';

// A Kafka source in a whole job whose commit point is the store: its offsets follow the checkpoints in the group of the job.
const cluster = new SourceCluster();
beforeAll(() => cluster.connect());
afterAll(() => cluster.close());

const records = 6_000;
const partitions = 4;

/** `key:number`, the numbers of a key rising; a key is in one partition. */
async function filled(): Promise<{ topic: string; expected: Map<string, number> }> {
  const topic = await cluster.topic(partitions);
  const expected = new Map<string, number>();
  for (let partition = 0; partition < partitions; partition++) {
    const values = Array.from({ length: records / partitions }, (_, i) => `${partition}-${i % 5}:${i}`);
    for (const value of values) {
      const [key = '', number] = value.split(':');
      expected.set(key, (expected.get(key) ?? 0) + Number(number));
    }
    for (let i = 0; i < values.length; i += 300) await cluster.write(topic, partition, values.slice(i, i + 300));
  }
  return { topic, expected };
}

function sums(topic: string, { failing = () => false as boolean, settings = {} as JobSettings } = {}) {
  const name = `source-spec-${randomUUID()}`;
  const sink = memorySink<readonly [string, number]>();
  const handle = start(
    job(name, () =>
      from(kafkaSource({ topic, value: string(), stop: 'latest', maxWait: 20, maxPartitionBytes: 4_096 })).pipe(
        map(text => {
          if (failing()) throw new Error('planted');
          const [key = '', number] = text.split(':');
          return { key, number: Number(number) };
        }),
        keyBy(({ key }) => key),
        scan('sum', (sum: readonly [string, number], { key, number }) => [key, sum[1] + number] as const, ['', 0]),
        to(sink),
      ),
    ),
    { store: memoryStore(), logger: keptLog([]), checkpoint: { interval: 20 }, ...settings },
  );
  return { name, sink, handle };
}

describe('a job that reads Kafka', () => {
  test('gives the right sums, ends at the stop offsets, and commits them to the group of its name', async () => {
    const { topic, expected } = await filled();
    const { name, sink, handle } = sums(topic);
    expect(await handle.done).toBe('finished');
    expect(sink.committed).toHaveLength(records);
    expect(new Map(sink.committed)).toEqual(expected);
    const ends = Object.fromEntries(Array.from({ length: partitions }, (_, p) => [p, records / partitions]));
    expect(await cluster.committedOffsets(name, topic)).toEqual(ends);
  });

  test('loses nothing and counts nothing twice when it fails again and again and goes on from its checkpoints', async () => {
    const { topic, expected } = await filled();
    let handled = 0;
    let failures = 0;
    const failing = () => {
      handled++;
      // Often enough that it comes to five also where each restart goes on right behind the failure.
      if (handled % 1_000 !== 0 || failures === 5) return false;
      failures++;
      return true;
    };
    const restart = { strategy: 'fixed-delay', attempts: 10, delay: 1 } as const;
    const { sink, handle } = sums(topic, { failing, settings: { restart } });
    expect(await handle.done).toBe('finished');
    expect(failures).toBe(5);
    expect(sink.committed).toHaveLength(records);
    expect(new Map(sink.committed)).toEqual(expected);
  });

  test('shows lag, position and records of its partitions as metrics', async () => {
    const { topic } = await filled();
    const { handle } = sums(topic);
    const { promise: seen, resolve } = Promise.withResolvers<string>();
    // The counters of a task are there while it runs.
    handle.checkpoints$.subscribe(() => void handle.registry.metrics().then(resolve));
    const text = await seen;
    await handle.done;
    expect(text).toMatch(new RegExp(`tidemark_source_position\\{[^}]*partition="${topic}-0"[^}]*\\} \\d+`));
    expect(text).toMatch(new RegExp(`tidemark_source_lag_records\\{[^}]*partition="${topic}-3"[^}]*\\} \\d+`));
    expect(text).toMatch(/tidemark_source_partition_records_total\{/);
  });

  test('writes records that cannot be read to the dead-letter topic, with their origin and cause', async () => {
    const topic = await cluster.topic();
    const letters = await cluster.topic();
    await cluster.write(topic, 0, ['1', { key: 'ATL', value: 'bad' }, '3']);
    const sink = memorySink<number>();
    const value = {
      deserialize(bytes: Buffer | null) {
        if (`${bytes}` === 'bad') throw new Error('it is no number');
        return Number(bytes);
      },
    };
    const onBadRecord = { deadLetter: letters };
    const handle = start(
      job(`source-spec-${randomUUID()}`, () =>
        from(kafkaSource<number>({ topic, value, stop: 'latest', onBadRecord, maxWait: 20 })).pipe(to(sink)),
      ),
      { store: memoryStore(), logger: keptLog([]) },
    );
    expect(await handle.done).toBe('finished');
    expect(sink.committed).toEqual([1, 3]);
    const source = kafkaSource({ topic: letters, value: withMetadata(string()), start: 'earliest', stop: 'latest' });
    const { values } = await cluster.read(source);
    expect(values.map(({ value: text }) => text)).toEqual(['bad']);
    const headers = Object.fromEntries((values[0]?.headers ?? []).map(([name, bytes]) => [name, `${bytes}`]));
    expect(headers).toMatchObject({
      [deadLetterHeaders.topic]: topic,
      [deadLetterHeaders.partition]: '0',
      [deadLetterHeaders.offset]: '1',
      [deadLetterHeaders.errorMessage]: expect.stringContaining('it is no number'),
    });
  });
});
