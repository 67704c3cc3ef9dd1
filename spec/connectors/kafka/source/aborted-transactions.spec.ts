import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchCursor } from '../../../../connectors/kafka/client/wire/record-batch-reader.ts';
import { AbortedTransactions } from '../../../../connectors/kafka/source/aborted-transactions.ts';
import { FakeLog } from './fake-log.ts';

const partition = { topic: 'payments', partition: 0 };
const everything = Number.MAX_SAFE_INTEGER;

/** Offsets and values that a read_committed reader is given from an offset. */
function given(log: FakeLog, from: number, maxBytes = everything): string[] {
  const seen: string[] = [];
  for (let next = from; ; ) {
    const fetched = log.fetch(partition, next, maxBytes, 'read_committed');
    const cursor = new BatchCursor(fetched.records);
    const aborted = new AbortedTransactions(fetched.abortedTransactions);
    const before = next;
    while (cursor.nextBatch()) {
      const isDropped = aborted.drops(cursor);
      if (!isDropped) {
        while (cursor.nextRecord()) if (cursor.offset >= from) seen.push(`${cursor.offset}:${cursor.value()}`);
      }
      next = Math.max(next, cursor.lastOffset + 1);
    }
    if (next === before) return seen;
  }
}

/** One step of a log: a producer writes inside or outside a transaction, or its transaction ends. */
type Step = { readonly does: 'write' | 'plain' | 'commit' | 'abort'; readonly producer: number };

/** Writes the steps, and answers the values that count, with their offsets. */
function written(steps: readonly Step[]): { log: FakeLog; expected: { offset: number; text: string }[] } {
  const log = new FakeLog();
  const open = new Map<number, { offset: number; text: string }[]>();
  const expected: { offset: number; text: string }[] = [];
  steps.forEach(({ does, producer }, index) => {
    const records = [`${does}-${producer}-${index}-a`, `${does}-${producer}-${index}-b`];
    if (does === 'write' || does === 'plain') {
      // A producer with an open transaction writes only inside it.
      const isTransactional = does === 'write' || open.has(producer);
      const base = log.append(records, { producerId: producer, isTransactional });
      const entries = records.map((value, i) => ({ offset: base + i, text: `${base + i}:${value}` }));
      if (isTransactional) open.set(producer, [...(open.get(producer) ?? []), ...entries]);
      else expected.push(...entries);
    } else if (open.has(producer)) {
      log.marker(producer, does);
      if (does === 'commit') expected.push(...(open.get(producer) ?? []));
      open.delete(producer);
    }
  });
  for (const producer of open.keys()) log.marker(producer, 'abort');
  return { log, expected: expected.sort((a, b) => a.offset - b.offset) };
}

/** Every order of the given things, each taken from its own list in order. */
function interleavings<T>(lists: readonly (readonly T[])[]): T[][] {
  const nonEmpty = lists.filter(list => list.length > 0);
  if (nonEmpty.length === 0) return [[]];
  return nonEmpty.flatMap(list => {
    const rest = nonEmpty.map(other => (other === list ? other.slice(1) : other));
    return interleavings(rest).map(order => [list[0] as T, ...order]);
  });
}

const run = (producer: number, end: 'abort' | 'commit'): Step[] => [
  { does: 'write', producer },
  { does: 'write', producer },
  { does: end, producer },
];

describe('AbortedTransactions', () => {
  it('drops what two interleaved transactions wrote that were aborted, in every order, from every fetch position', () => {
    const orders = interleavings([run(7, 'abort'), run(4, 'abort'), [{ does: 'plain', producer: 9 } as Step]]);
    expect(orders.length).toBe(140);
    for (const steps of orders) {
      const { log, expected } = written(steps);
      for (let from = 0; from <= log.end; from++) {
        const wanted = expected.filter(({ offset }) => offset >= from).map(({ text }) => text);
        expect(given(log, from), JSON.stringify({ steps, from })).toEqual(wanted);
      }
    }
  });

  it('gives what a committed transaction wrote between them', () => {
    for (const steps of interleavings([run(7, 'abort'), run(4, 'commit'), run(5, 'abort')]).filter(
      (_, i) => i % 7 === 0,
    )) {
      const { log, expected } = written(steps);
      for (let from = 0; from <= log.end; from++) {
        const wanted = expected.filter(({ offset }) => offset >= from).map(({ text }) => text);
        expect(given(log, from), JSON.stringify({ steps, from })).toEqual(wanted);
      }
    }
  });

  it('tells the transactions of one producer apart: aborted, committed, aborted', () => {
    const steps = [...run(7, 'abort'), ...run(7, 'commit'), ...run(7, 'abort')];
    const { log, expected } = written(steps);
    expect(expected.length).toBe(4);
    for (let from = 0; from <= log.end; from++) {
      const wanted = expected.filter(({ offset }) => offset >= from).map(({ text }) => text);
      expect(given(log, from)).toEqual(wanted);
    }
  });

  it('knows markers by the control flag, so a data record whose key is four zero bytes changes nothing', () => {
    const log = new FakeLog();
    const zeros = Buffer.alloc(4);
    log.append([{ key: zeros, value: 'aborted, before' }], { producerId: 7, isTransactional: true });
    log.append([{ key: zeros, value: 'plain' }]);
    log.append([{ key: zeros, value: 'aborted, behind' }], { producerId: 7, isTransactional: true });
    log.marker(7, 'abort');
    log.append([{ key: zeros, value: 'committed' }], { producerId: 7, isTransactional: true });
    log.marker(7, 'commit');
    expect(given(log, 0)).toEqual(['1:plain', '4:committed']);
  });

  it('gives a record without a transaction of a producer whose transaction was aborted', () => {
    const log = new FakeLog();
    log.append(['aborted'], { producerId: 7, isTransactional: true });
    log.append(['plain'], { producerId: 7 });
    log.marker(7, 'abort');
    expect(given(log, 0)).toEqual(['1:plain']);
  });

  it('drops and gives the same whatever the size of an answer is', () => {
    const step: fc.Arbitrary<Step> = fc.record({
      does: fc.constantFrom('write', 'write', 'plain', 'commit', 'abort'),
      producer: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 30 }),
        fc.integer({ min: 1, max: 900 }),
        fc.nat(),
        (steps, size, start) => {
          const { log, expected } = written(steps);
          const from = log.end === 0 ? 0 : start % log.end;
          const wanted = expected.filter(({ offset }) => offset >= from).map(({ text }) => text);
          expect(given(log, from, size)).toEqual(wanted);
        },
      ),
      { numRuns: 300 },
    );
  });
});
