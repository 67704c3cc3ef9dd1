import { describe, expect, it } from 'vitest';
import type { Deserializer } from '../../../../connectors/kafka/format/deserializer.ts';
import type { KafkaRecord } from '../../../../connectors/kafka/record.ts';
import { PartitionPosition } from '../../../../connectors/kafka/source/partition-position.ts';
import { Poison } from '../../../../connectors/kafka/source/poison.ts';
import {
  RecordBatch,
  type RecordRules,
  RecordRun,
  type RunEnd,
} from '../../../../connectors/kafka/source/record-run.ts';
import { BadRecordError, SettingsError } from '../../../../lib/index.ts';
import { keptLog, type LoggedLine } from '../../../contract/source-probe.ts';
import { FakeLog } from './fake-log.ts';

const partition = { topic: 'payments', partition: 3 };

/** Text; "null" and "bad" mean what they say. */
const text: Deserializer<string> = {
  deserialize(bytes) {
    const value = `${bytes}`;
    if (value === 'bad') throw new Error('it is bad');
    return value === 'null' ? null : value === 'nothing' ? undefined : value;
  },
};

interface Ran<T> {
  readonly run: RecordRun<T>;
  readonly position: PartitionPosition;
  readonly batch: RecordBatch<T>;
  readonly poison: Poison;
  readonly lines: LoggedLine[];
  readonly letters: { record: KafkaRecord; cause: unknown }[];
}

function runOver<T = string>(
  log: FakeLog,
  {
    position = new PartitionPosition(0),
    policy = 'fail' as 'fail' | 'skip' | 'dead letter',
    rules = {},
    from = position.next,
  }: {
    position?: PartitionPosition;
    policy?: 'fail' | 'skip' | 'dead letter';
    rules?: Partial<RecordRules<T>>;
    from?: number;
  } = {},
): Ran<T> {
  const lines: LoggedLine[] = [];
  const letters: { record: KafkaRecord; cause: unknown }[] = [];
  const deadLetters = { give: (record: KafkaRecord, cause: unknown) => letters.push({ record, cause }) };
  const poison = new Poison({ policy, deadLetters, source: 'in', logger: keptLog(lines), now: () => 0 });
  const fetched = log.fetch(partition, from, 1e9, 'read_committed');
  const chunk = { ...partition, offset: from, bytes: fetched.records.length, generation: 1, fetched };
  const deserializer = text as unknown as Deserializer<T>;
  const run = new RecordRun<T>(chunk, position, { deserializer, timestamp: undefined, poison, ...rules });
  return { run, position, batch: new RecordBatch<T>(), poison, lines, letters };
}

describe('RecordRun', () => {
  it('gives values with the timestamps of their records', () => {
    const log = new FakeLog();
    log.append(['a', 'b'], { timestamp: 5 });
    log.append(['c'], { timestamp: 9 });
    const { run, batch, position } = runOver(log);
    expect(run.fill(batch, 100)).toBe('read');
    expect([batch.values, batch.timestamps, position.next]).toEqual([['a', 'b', 'c'], [5, 5, 9], 3]);
  });

  it('goes on in the middle of a batch where it was full, with the position behind what was given', () => {
    const log = new FakeLog();
    log.append(['a', 'b', 'c']);
    log.append(['d', 'e']);
    const { run, batch, position } = runOver(log);
    const pieces: [RunEnd, string[], number][] = [];
    for (let end: RunEnd = 'full'; end === 'full'; ) {
      end = run.fill(batch, 2);
      pieces.push([end, batch.values, position.next]);
      batch.clear();
    }
    expect(pieces).toEqual([
      ['full', ['a', 'b'], 2],
      ['full', ['c', 'd'], 4],
      ['read', ['e'], 5],
    ]);
  });

  it('gives of a batch that begins before the position only what follows it', () => {
    const log = new FakeLog();
    log.append(['a', 'b', 'c']);
    const { run, batch } = runOver(log, { position: new PartitionPosition(2) });
    run.fill(batch, 100);
    expect(batch.values).toEqual(['c']);
  });

  it('passes over aborted records and markers, and is behind them', () => {
    const log = new FakeLog();
    log.append(['aborted'], { producerId: 7, isTransactional: true });
    log.append(['committed'], { producerId: 8, isTransactional: true });
    log.marker(7, 'abort');
    log.marker(8, 'commit');
    const { run, batch, position } = runOver(log);
    expect(run.fill(batch, 100)).toBe('read');
    expect([batch.values, position.next]).toEqual([['committed'], 4]);
  });

  it('stops at the stop offset, also where it lies behind a marker', () => {
    const log = new FakeLog();
    log.append(['a', 'b', 'c']);
    const inside = runOver(log, { position: new PartitionPosition(0, 2) });
    expect(inside.run.fill(inside.batch, 100)).toBe('stopped');
    expect([inside.batch.values, inside.position.next]).toEqual([['a', 'b'], 2]);
    const marked = new FakeLog();
    marked.append(['a'], { producerId: 7, isTransactional: true });
    marked.marker(7, 'commit');
    const behind = runOver(marked, { position: new PartitionPosition(0, 2) });
    behind.run.fill(behind.batch, 100);
    expect([behind.batch.values, behind.position.isReached]).toEqual([['a'], true]);
  });

  it('passes over what the deserializer answers null or undefined for, and counts it', () => {
    const log = new FakeLog();
    log.append(['a', 'null', 'nothing', 'b']);
    const { run, batch, position } = runOver(log);
    run.fill(batch, 100);
    expect([batch.values, batch.timestamps.length, batch.nothings, position.next]).toEqual([['a', 'b'], 2, 2, 4]);
  });

  it('counts what it passes over as handled, so that a call is bounded', () => {
    const log = new FakeLog();
    log.append(Array<string>(10).fill('null'));
    const { run, batch } = runOver(log);
    expect(run.fill(batch, 4)).toBe('full');
    expect([batch.values.length, batch.handled]).toEqual([0, 4]);
  });

  it('takes the event time from the value where it is told to', () => {
    const log = new FakeLog();
    log.append(['7', 'x', '9']);
    const timestamp = (value: string) => (value === 'x' ? undefined : Number(value));
    const { run, batch } = runOver(log, { rules: { timestamp } });
    run.fill(batch, 100);
    expect(batch.timestamps).toEqual([7, Number.NaN, 9]);
  });

  it('shows the deserializer what is beside the value', () => {
    const log = new FakeLog();
    log.append([{ key: 'ATL', value: 'v', timestamp: 77 }]);
    const deserializer: Deserializer<unknown> = {
      deserialize: (_, { topic, partition: number, offset, timestamp, key, headers }) => ({
        topic,
        number,
        offset,
        timestamp,
        key: `${key}`,
        headers,
      }),
    };
    const { run, batch } = runOver<unknown>(log, { rules: { deserializer } });
    run.fill(batch, 100);
    expect(batch.values).toEqual([{ topic: 'payments', number: 3, offset: 0, timestamp: 77, key: 'ATL', headers: [] }]);
  });

  it('waits before a record whose schema is missing, and goes on with that record', () => {
    const log = new FakeLog();
    log.append(['a', 'b']);
    const known = new Set<string>(['a']);
    const deserializer: Deserializer<string> = {
      missing: bytes => (known.has(`${bytes}`) ? undefined : 12),
      deserialize: bytes => `${bytes}`,
    };
    const { run, batch, position } = runOver(log, { rules: { deserializer } });
    expect(run.fill(batch, 100)).toEqual({ missing: new Set([12]) });
    expect([batch.values, position.next]).toEqual([['a'], 1]);
    known.add('b');
    expect(run.fill(batch, 100)).toBe('read');
    expect([batch.values, position.next]).toEqual([['a', 'b'], 2]);
  });

  describe('with a record that cannot be read', () => {
    const log = new FakeLog();
    log.append(['a', 'bad', 'c']);

    it('fails naming topic, partition and offset, with the position before it', () => {
      const { run, batch, position } = runOver(log);
      expect(() => run.fill(batch, 100)).toThrow(BadRecordError);
      expect([batch.values, position.next]).toEqual([['a'], 1]);
      const again = runOver(log);
      expect(() => again.run.fill(again.batch, 100)).toThrow(/offset 1 of payments-3 .*it is bad/);
    });

    it('skips it, counts it and says so', () => {
      const { run, batch, poison, lines } = runOver(log, { policy: 'skip' });
      run.fill(batch, 100);
      expect([batch.values, batch.timestamps.length, poison.skipped]).toEqual([['a', 'c'], 2, 1]);
      expect(lines).toMatchObject([{ level: 'warn', fields: { topic: 'payments', partition: 3, offset: 1 } }]);
    });

    it('gives it to the dead letters with its cause', () => {
      const { run, batch, poison, letters } = runOver(log, { policy: 'dead letter' });
      run.fill(batch, 100);
      expect([batch.values, poison.skipped, poison.deadLettered]).toEqual([['a', 'c'], 0, 1]);
      expect(letters).toMatchObject([{ record: { ...partition, offset: 1 }, cause: { message: 'it is bad' } }]);
      expect(`${letters[0]?.record.value}`).toBe('bad');
    });

    it('is one whose event time is no number, too', () => {
      const { run, batch } = runOver(log, { policy: 'skip', rules: { timestamp: () => Number.NaN } });
      run.fill(batch, 100);
      expect(batch.values).toEqual([]);
    });

    it('fails whatever the policy is when the job is to blame, not the record', () => {
      const deserializer: Deserializer<string> = {
        deserialize() {
          throw new SettingsError('asynchronous', []);
        },
      };
      const { run, batch } = runOver(log, { policy: 'skip', rules: { deserializer } });
      expect(() => run.fill(batch, 100)).toThrow(SettingsError);
    });
  });
});

describe('Poison', () => {
  it('tells of ten records a minute, and how many there were beyond', () => {
    const lines: LoggedLine[] = [];
    let now = 0;
    const logger = keptLog(lines);
    const poison = new Poison({ policy: 'skip', deadLetters: undefined, source: 'in', logger, now: () => now });
    const record = { ...partition, offset: 0, timestamp: 0, key: null, value: null, headers: [] };
    for (let i = 0; i < 25; i++) poison.met(record, new Error('bad'));
    expect([lines.length, poison.skipped]).toEqual([10, 25]);
    now = 60_000;
    poison.met(record, new Error('bad'));
    expect(lines.slice(10)).toMatchObject([{ fields: { records: 15 } }, { fields: { offset: 0 } }]);
  });
});
